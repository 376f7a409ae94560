/* A supervisor for tests. The test program is its own child: main begins with pr_test_child_main. */
#ifndef PR_TESTS_CHILD_SUPPORT_H
#define PR_TESTS_CHILD_SUPPORT_H
#include "child/child.h"
#include "faults.h"
#include "manifest/manifest.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <cmocka.h>

/* Jobs of the manifest: small, without its input file, of about 65 MiB, of a third more; as WIDE, its results
 * encrypted.
 */
enum { FIB, MISSING, WIDE, WIDER, SEALED, N_JOBS };

typedef struct fixture {
    pr_child *child;
    pr_manifest manifest; /* as the supervisor reads it */
    pr_hash run_digest;
} fixture;

/* -1 in the supervisor; in a child the exit code. Backend "broken" computes wrongly, that of "gone" has no device. */
int pr_test_child_main(int argc, char **argv);

/* /proc/PID/NAME, each NUL a line's end. */
void read_proc(char *out, size_t size, pid_t pid, const char *name);
unsigned long resident_kib(pid_t pid);

/* A child that is ready; options NULL: those of start_options. */
pr_child_options start_options(void);
void create(fixture *f, const pr_child_options *options);
void start(fixture *f); /* until READY */
void begin_fixture(fixture *f);
void end_fixture(fixture *f);

void submit(fixture *f, uint32_t job, uint32_t attempt, pr_test_fault fault, uint64_t quiet_ms);
/* The task at hand, which had any time until now, may show nothing for so long from now on. */
void limit_quiet(fixture *f, uint64_t quiet_ms);
/* Until the child says that it is at this stage (pr_work_stage), within 60 s. */
void await_stage(fixture *f, uint32_t stage);
/* The next event but progress, within 60 s. The caller clears it. */
pr_child_event next_event(fixture *f);
/* next_event, which must be of this kind. */
pr_child_event expect(fixture *f, pr_child_event_kind kind);
/* An end with this cause; the text must hold a word. Clears it. */
void expect_end(fixture *f, pr_child_cause cause, const char *word);
/* Starts it again and has it prove a job. */
void expect_recovery(fixture *f);
/* Whether the record verifies, as a supervisor does it. */
bool verifies(fixture *f, uint32_t job, const pr_record *record);
size_t count_fds(pid_t pid);
#endif
