/* What a rank has signed and seen in the consensus of a run, on its own disk: a journal (store/journal.h) of records,
 * so that no rank ever says two different things, whatever is killed. Records wait until they are asked for, since
 * most are of what others said, and nothing waits for them. Then a thread appends and syncs all that there are.
 *
 *   seq = pr_votelog_append(l, record, size);
 *   pr_votelog_hurry(l);
 *   ...                                             // what must follow the record waits for
 *   if (pr_votelog_durable(l) >= seq) send(...);    // this; pr_votelog_fd wakes
 *
 * All calls from one thread but its own. */
#ifndef PR_CLUSTER_VOTELOG_H
#define PR_CLUSTER_VOTELOG_H
#include "metrics/metrics.h"
#include "store/journal.h"

typedef struct pr_votelog pr_votelog;
typedef struct pr_votelog_stats {
    uint64_t records;                      /* on the disk */
    uint64_t failed_appends, failed_syncs; /* at most one: the first error is final */
    pr_histogram append_times, sync_times; /* of those that went well */
} pr_votelog_stats;

/* Opens the journal of this run at path, or begins it; its folder is made. visit sees each record that is there
 * already, in order, and may refuse it. PR_ERR_IO; PR_ERR_MALFORMED: damaged before its end, or of another run. */
PR_MUST_CHECK pr_status pr_votelog_open(pr_votelog **out, const char *path, const char *run_id,
                                        pr_status (*visit)(void *context, const uint8_t *record, size_t size,
                                                           pr_error *err),
                                        void *context, pr_error *err);
/* n records of size bytes each into the journal, which nobody has open; they are on the disk when it returns. Made, and
 * errors, as by pr_votelog_open. */
PR_MUST_CHECK pr_status pr_votelog_write(const char *path, const char *run_id, const uint8_t *records, size_t size,
                                         size_t n, pr_error *err);
/* Writes what was given, ends the thread. NULL allowed. */
void pr_votelog_close(pr_votelog *l);
/* Copies the record. Its number, from 1. Without memory the log fails (pr_votelog_check). */
uint64_t pr_votelog_append(pr_votelog *l, const uint8_t *record, size_t size);
void pr_votelog_hurry(pr_votelog *l);       /* what was given so far is to be on the disk soon */
uint64_t pr_votelog_durable(pr_votelog *l); /* number of the last record that is on the disk with all before it */
int pr_votelog_fd(const pr_votelog *l);     /* readable when more is durable, or it failed */
/* PR_OK while all is well; the first error is final. */
PR_MUST_CHECK pr_status pr_votelog_check(pr_votelog *l, pr_error *err);
pr_votelog_stats pr_votelog_get_stats(pr_votelog *l);
#endif
