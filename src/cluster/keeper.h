/* The thread of rank 0 that writes: journal, results file, metrics. So no fsync and no flush ever holds up the
 * messages.
 *
 * What is given is appended in order; everything that came in while the disk was busy shares one fsync; then the jobs
 * among it are told as kept. Every few seconds the rows go into the HDF5 file. An error is final: nothing more is
 * written, nothing more is told as kept, and pr_keeper_check says so. The store belongs to the thread from create to
 * finish. All calls from one thread but its own. */
#ifndef PR_CLUSTER_KEEPER_H
#define PR_CLUSTER_KEEPER_H
#include "store/store.h"

#define PR_KEEPER_MAX_BYTES ((size_t)512 << 20) /* records that wait; above, give nothing more (pr_keeper_is_full) */

typedef struct pr_keeper pr_keeper;
typedef struct pr_keeper_stats {
    uint64_t commits, flushes, records, cpu_ns; /* cpu: of the thread */
    uint64_t longest_commit_ns, longest_flush_ns;
    uint64_t file_bytes, journal_bytes;
    uint64_t file_errors; /* of pr_keeper_file */
} pr_keeper_stats;

/* flush_ns: between flushes of the HDF5 file. The store stays the caller's to close, after finish. */
PR_MUST_CHECK pr_status pr_keeper_create(pr_keeper **out, pr_store *store, uint64_t flush_ns, pr_error *err);
/* Writes all that was given, flushes, ends the thread. The first error there was. Kept jobs can still be taken. */
PR_MUST_CHECK pr_status pr_keeper_finish(pr_keeper *k, pr_error *err);
void pr_keeper_destroy(pr_keeper *k); /* finishes; NULL allowed */

/* Each takes a copy, but put takes the record's contents and empties it. token: the number told by pr_keeper_take when
 * the record is on the disk. Without memory the keeper fails. */
void pr_keeper_put(pr_keeper *k, pr_record *record, uint32_t token);
void pr_keeper_event(pr_keeper *k, pr_event_kind kind, int32_t rank, const char *id, const char *text);
void pr_keeper_assignment(pr_keeper *k, const char *id, uint32_t attempt, pr_assigned what, int32_t rank);
void pr_keeper_rank(pr_keeper *k, const pr_rank_row *row);
void pr_keeper_sample(pr_keeper *k, const char *series, double value);
/* A record of the consensus (consensus/consensus.h), and the certificate over the outcomes of the whole run. */
void pr_keeper_consensus(pr_keeper *k, const uint8_t *record, size_t size);
void pr_keeper_batch(pr_keeper *k, const uint8_t *certificate, size_t size);
/* A file beside: written atomically (the metrics textfile). Takes text, heap memory. That it cannot be written is
 * counted, and no failure of the keeper: nothing that was announced rests on it. */
void pr_keeper_file(pr_keeper *k, const char *path, char *text, size_t size);
/* Whether the last such file could not be written, or one since this was last asked; and why. */
bool pr_keeper_file_error(pr_keeper *k, char *text, size_t size);

/* The next record that is on the disk; false: none now. */
bool pr_keeper_take(pr_keeper *k, uint32_t *token);
bool pr_keeper_is_full(pr_keeper *k);
int pr_keeper_fd(const pr_keeper *k); /* readable when there is something to take, or it failed */
/* PR_OK while all is well. */
PR_MUST_CHECK pr_status pr_keeper_check(pr_keeper *k, pr_error *err);
pr_keeper_stats pr_keeper_get_stats(pr_keeper *k);
#endif
