#include "support.h"
#include "base/clock.h"
#include "child/internal.h"
#include "cpu/cpu_backend.h"
#include "file_hash/job.h"
#include "wide_fibonacci/job.h"
#include "work/work.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const pr_job_type *const types[] = {&pr_job_file_hash, &pr_job_wide_fibonacci, NULL};
static const char text[] = "version: 1\nname: n\ndefaults: {profile: fast}\njobs:\n"
                           "- {id: fib, type: wide_fibonacci, params: {log_rows: 5, columns: 12, seed: 3}}\n"
                           "- {id: gone, type: file_hash, params: {path: no-such-file.txt}}\n"
                           "- {id: wide, type: wide_fibonacci, params: {log_rows: 16, columns: 100, seed: 3}}\n"
                           "- {id: wider, type: wide_fibonacci, params: {log_rows: 16, columns: 135, seed: 3}}\n"
                           "- {id: sealed, type: wide_fibonacci, params: {log_rows: 16, columns: 100, seed: 3}, "
                           "encrypt_to: 0x037271806cccb042851d03d06b494b50a3396716f427514d5c927b05523f84f9}\n";

/* ---- the child ---- */

static pr_status wrong_grind(pr_device *dev, uint64_t *nonce, const pr_hash *prefix, uint32_t bits, pr_error *err) {
    PR_TRY(pr_cpu_best()->grind(dev, nonce, prefix, bits, err));
    ++*nonce;
    return PR_OK;
}

static pr_backend broken;

static pr_status find_backend(const pr_backend **out, const char *name, pr_error *err) {
    *out = pr_cpu_best();
    if (strcmp(name, "auto") == 0) return PR_OK;
    if (strcmp(name, "gone") == 0) return pr_fail(err, PR_ERR_BACKEND, "it fell off its bus");
    if (strcmp(name, "broken") != 0) return pr_fail(err, PR_ERR_USAGE, "no backend '%s'", name);
    broken = *pr_cpu_best();
    broken.grind = wrong_grind;
    *out = &broken;
    return PR_OK;
}

int pr_test_child_main(int argc, char **argv) {
    const pr_serve_options options = {types, find_backend, pr_cpu_best(), &pr_test_faults};
    if (argc < 3 || strcmp(argv[1], "child") != 0) return -1;
    return pr_child_serve((pid_t)atol(argv[2]), &options);
}

/* ---- the supervisor ---- */

pr_child_options start_options(void) {
    /* valgrind does not run /proc/self/exe: name the test program itself then */
    return (pr_child_options){.program = getenv("PROVERUN_TEST_CHILD"),
                              .backend = "auto",
                              .threads = 1,
                              .rank = 4,
                              .host = "here",
                              .ready_limit_ms = 60000};
}

void create(fixture *f, const pr_child_options *options) {
    char cwd[4096];
    pr_error e = {0};
    const pr_child_options standard = start_options();
    memset(f, 0, sizeof *f);
    f->run_digest.bytes[0] = 7;
    assert_non_null(getcwd(cwd, sizeof cwd));
    assert_int_equal(pr_manifest_parse(&f->manifest, text, sizeof text - 1, "m.yaml", cwd, types, NULL, &e), PR_OK);
    assert_int_equal(pr_child_create(&f->child, options ? options : &standard, &e), PR_OK);
    const pr_child_manifest m = {"m.yaml", cwd, text, sizeof text - 1, f->manifest.digest, f->run_digest};
    assert_int_equal(pr_child_give_manifest(f->child, &m, &e), PR_OK);
}

void start(fixture *f) {
    pr_error e = {0};
    if (pr_child_start(f->child, &e) != PR_OK) fail_msg("%s", e.text);
    pr_child_event event = expect(f, PR_CHILD_READY);
    assert_int_equal(event.n_jobs, N_JOBS);
    assert_int_equal(pr_child_get_state(f->child), PR_CHILD_IDLE);
}

void begin_fixture(fixture *f) {
    create(f, NULL);
    start(f);
}

void end_fixture(fixture *f) {
    pr_child_destroy(f->child);
    pr_manifest_clear(&f->manifest);
}

void submit(fixture *f, uint32_t job, uint32_t attempt, pr_test_fault fault, uint64_t quiet_ms) {
    const pr_child_task task = {.job = job, .attempt = attempt, .fault = fault, .quiet_ms = quiet_ms};
    pr_error e = {0};
    if (pr_child_submit(f->child, &task, &e) != PR_OK) fail_msg("%s", e.text);
    assert_int_equal(pr_child_get_state(f->child), PR_CHILD_BUSY);
}

void limit_quiet(fixture *f, uint64_t quiet_ms) {
    f->child->tasks[0].quiet_ms = quiet_ms;
    f->child->sign_by_ns = pr_clock_monotonic_ns() + quiet_ms * 1000000u;
}

/* The next event; `any`: progress too. A proof of a second of processor time may take minutes beside others. */
static pr_child_event await_event(fixture *f, bool any) {
    uint64_t end = pr_clock_monotonic_ns() + 300000000000u;
    pr_child_event event;
    while (pr_clock_monotonic_ns() < end) {
        struct pollfd fds[PR_CHILD_MAX_FDS];
        size_t n = pr_child_fds(f->child, fds);
        int timeout = pr_child_timeout_ms(f->child);
        int longest = any ? 2 : 1000; /* no descriptor tells of progress */
        (void)poll(fds, n, timeout < 0 || timeout > longest ? longest : timeout);
        while (pr_child_poll(f->child, &event) != PR_CHILD_NONE) {
            if (any || event.kind != PR_CHILD_PROGRESS) return event;
            pr_child_event_clear(&event);
        }
    }
    fail_msg("no event within 300 s");
    return event;
}

pr_child_event next_event(fixture *f) { return await_event(f, false); }

void await_stage(fixture *f, uint32_t stage) {
    pr_child_event event;
    do {
        event = await_event(f, true);
        if (event.kind != PR_CHILD_PROGRESS) fail_msg("event %d on the way: %s", (int)event.kind, event.text);
    } while (event.stage != stage);
}

pr_child_event expect(fixture *f, pr_child_event_kind kind) {
    pr_child_event event = next_event(f);
    if (event.kind != kind) fail_msg("event %d instead of %d: %s", (int)event.kind, (int)kind, event.text);
    return event;
}

void expect_end(fixture *f, pr_child_cause cause, const char *word) {
    pid_t pid = pr_child_pid(f->child);
    pr_child_event event = expect(f, PR_CHILD_ENDED);
    if (event.cause != cause || !strstr(event.text, word))
        fail_msg("'%s' (%s) instead of %s with '%s'", event.text, pr_child_cause_name(event.cause),
                 pr_child_cause_name(cause), word);
    assert_true(event.reaped);
    assert_int_equal(pr_child_pid(f->child), 0);
    assert_int_equal(pr_child_get_state(f->child), PR_CHILD_GONE);
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld", (long)pid);
    assert_int_not_equal(access(path, F_OK), 0); /* no zombie either */
    pr_child_event_clear(&event);
    assert_int_equal(pr_child_poll(f->child, &event), PR_CHILD_NONE);
}

void expect_recovery(fixture *f) {
    uint32_t starts = pr_child_starts(f->child);
    start(f);
    assert_int_equal(pr_child_starts(f->child), starts + 1);
    submit(f, FIB, 9, PR_FAULT_NONE, 0);
    pr_child_event event = expect(f, PR_CHILD_PROVED);
    assert_int_equal(event.attempt, 9);
    assert_true(verifies(f, FIB, &event.record));
    pr_child_event_clear(&event);
}

bool verifies(fixture *f, uint32_t job, const pr_record *record) {
    const pr_work work = {
        .backend = pr_cpu_best(), .threads = 1, .rank = 4, .host = "here", .manifest_digest = &f->run_digest};
    pr_check_verdict verdict = PR_CHECK_RECORD;
    char reason[512];
    double ms;
    pr_error e = {0};
    pr_status status =
        pr_work_check(&work, &f->manifest.jobs[job], record, PR_CHECK_ALL, &verdict, reason, sizeof reason, &ms, &e);
    if (status != PR_OK) fail_msg("%s", e.text);
    return verdict == PR_CHECK_ACCEPTED;
}

size_t count_fds(pid_t pid) {
    char path[64];
    size_t n = 0;
    snprintf(path, sizeof path, "/proc/%ld/fd", (long)pid);
    DIR *folder = opendir(path);
    while (folder && readdir(folder)) n++;
    if (folder) closedir(folder);
    return n;
}

/* ---- what the kernel says of a process ---- */

void read_proc(char *out, size_t size, pid_t pid, const char *name) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t n = read(fd, out, size - 1);
    assert_true(n >= 0);
    close(fd);
    for (ssize_t i = 0; i < n; i++)
        if (!out[i]) out[i] = '\n';
    out[n] = 0;
}

unsigned long resident_kib(pid_t pid) {
    static char lines[8192];
    unsigned long kib = 0;
    read_proc(lines, sizeof lines, pid, "status");
    const char *line = strstr(lines, "VmRSS:");
    assert_non_null(line);
    assert_int_equal(sscanf(line, "VmRSS: %lu kB", &kib), 1);
    return kib;
}
