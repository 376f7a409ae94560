/* The results of a run: a journal (the truth, store/journal.h) and the HDF5 file made from it (the product),
 * results/<run-id>.journal and results/<run-id>.h5. Written by one process, one thread; the HDF5 library allows no
 * more.
 *
 *   PR_TRY(pr_store_create(&s, path, attributes, n, err));
 *   PR_TRY(pr_store_put(s, &record, err));      // cheap: a frame in a buffer, rows that wait
 *   PR_TRY(pr_store_put(s, &another, err));
 *   PR_TRY(pr_store_commit(s, err));            // one fsync for the group: now both may be announced
 *   PR_TRY(pr_store_flush(s, err));             // every few seconds: rows into the HDF5 file
 *   pr_store_close(s, err);
 *
 * The HDF5 file is closed between flushes: whoever kills the run at another moment leaves a whole file, and readers see
 * whole states. A reader that has it open delays a flush (PR_STORE_READER_NS at most), no more. Tables:
 * docs/results.md. The file is a function of the journal's frames alone: pr_store_repair makes the same content from
 * them.
 *
 * Any error of the disk is PR_ERR_IO (exit 74) and final for this store: close it and end the run; it is resumable. */
#ifndef PR_STORE_STORE_H
#define PR_STORE_STORE_H
#include "store/record.h"
#include "store/vote_rows.h"

#define PR_STORE_FORMAT_VERSION "2"
#define PR_STORE_READER_NS ((uint64_t)20 * 1000000000u)

typedef struct pr_store pr_store;
typedef struct pr_attribute {
    const char *name, *value;
} pr_attribute;

/* ---- opening ---- */

/* A new run; refuses to overwrite. attributes: provenance, texts, written at the root; one is "run_id". */
PR_MUST_CHECK pr_status pr_store_create(pr_store **out, const char *path, const pr_attribute *attributes, size_t n,
                                        pr_error *err);
/* Goes on with a run: makes the results file again from its journal, whatever became of the file, and stands ready to
 * append. PR_ERR_MALFORMED: the journal is damaged before its end (`proverun repair` saves what can be read) or is
 * missing; PR_ERR_IO: another process writes this run. */
PR_MUST_CHECK pr_status pr_store_reopen(pr_store **out, const char *path, pr_error *err);
/* Frees in any case. Commits and flushes; waits for readers for two seconds at most. */
PR_MUST_CHECK pr_status pr_store_close(pr_store *s, pr_error *err);
/* FOLDER/latest becomes a link to the results file, atomically. */
PR_MUST_CHECK pr_status pr_store_link_latest(const char *path, pr_error *err);

/* A copy of path; where that is a link, such as FOLDER/latest, the file it points to. For whoever is given a path and
 * takes the names of the files beside from it. PR_ERR_USAGE: longer than size. */
PR_MUST_CHECK pr_status pr_store_follow_link(char *out, size_t size, const char *path, pr_error *err);

/* ---- appending: nothing below is on the disk before pr_store_commit ---- */

/* Replaces the row of the same id (of an attempt that failed before; its history stays), or appends. */
PR_MUST_CHECK pr_status pr_store_put(pr_store *s, const pr_record *record, pr_error *err);
/* Further root attributes, texts. */
PR_MUST_CHECK pr_status pr_store_annotate(pr_store *s, const pr_attribute *attributes, size_t n, pr_error *err);
/* A row of /events. rank -1, id NULL: none. text is cut to fit. */
PR_MUST_CHECK pr_status pr_store_event(pr_store *s, pr_event_kind kind, int32_t rank, const char *id, const char *text,
                                       pr_error *err);
/* A row of /metrics. series: as Prometheus writes it, labels included. */
PR_MUST_CHECK pr_status pr_store_sample(pr_store *s, const char *series, double value, pr_error *err);
/* For `proverun status`; frames of the journal alone. pr_store_note_rank: once in ten seconds to a minute. */
PR_MUST_CHECK pr_status pr_store_note_assignment(pr_store *s, const char *id, uint32_t attempt, pr_assigned what,
                                                 int32_t rank, pr_error *err);
PR_MUST_CHECK pr_status pr_store_note_rank(pr_store *s, const pr_rank_row *row, pr_error *err);
/* A record of the consensus (consensus/consensus.h: pr_consensus_record), in the order in which rank 0 made them. */
PR_MUST_CHECK pr_status pr_store_consensus(pr_store *s, const uint8_t *record, size_t size, pr_error *err);
/* The quorum's signatures on the outcomes of the run (consensus/batch.h). */
PR_MUST_CHECK pr_status pr_store_batch(pr_store *s, const uint8_t *certificate, size_t size, pr_error *err);
/* A session's row: as begun; end overwrites the same row. Both commit and flush. */
PR_MUST_CHECK pr_status pr_store_begin_session(pr_store *s, const pr_session_row *row, pr_error *err);
PR_MUST_CHECK pr_status pr_store_end_session(pr_store *s, const pr_session_row *row, pr_error *err);

/* One fsync for all that was appended since the last one. Then it may be announced. */
PR_MUST_CHECK pr_status pr_store_commit(pr_store *s, pr_error *err);
/* Commits; then rows that wait go into the HDF5 file, which is closed again. A no-op when none wait, or when a reader
 * has the file open and PR_STORE_READER_NS have not passed since the first such refusal. */
PR_MUST_CHECK pr_status pr_store_flush(pr_store *s, pr_error *err);

/* Rows and bytes in memory that wait for pr_store_flush, bytes. pr_store_put flushes by itself above 64 MiB. */
uint64_t pr_store_pending_bytes(const pr_store *s);
uint64_t pr_store_bytes(const pr_store *s);             /* size of the HDF5 file at its last flush */
uint64_t pr_store_journal_bytes(const pr_store *s);     /* of all its segments */
uint64_t pr_store_consensus_records(const pr_store *s); /* how many it has */
/* The highest number of an attempt at the job that was noted as handed out, in any session; 0: none. */
uint32_t pr_store_last_attempt(const pr_store *s, const char *id);
uint32_t pr_store_session(const pr_store *s); /* number of the session that began last, from 1; 0: none */

/* ---- making again ---- */

/* Makes the results file again from its journal, content for content; rebuilt is false when there is no journal. The
 * old file, damaged or not, is replaced only by a complete one. PR_ERR_MALFORMED: the journal is damaged before its
 * end. */
PR_MUST_CHECK pr_status pr_store_repair(bool *rebuilt, const char *path, pr_error *err);
/* The same from what can be read of a damaged journal. Lines about what is lost are appended to told, and lost is set
 * when anything was. Jobs whose frame is lost but that the old results file still holds are taken from there when it
 * can be read. The damaged files are kept beside as *.damaged; a new journal without the damage takes the old one's
 * place, so that the run can be resumed. */
PR_MUST_CHECK pr_status pr_store_salvage(bool *lost, pr_writer *told, const char *path, pr_error *err);
/* One results file from several, for job arrays; refuses to overwrite. Jobs of one id and content hash collapse: a done
 * one wins, then the first. One id with different content is a conflict: the first input's job stays, a line is
 * appended to told, and n_conflicts counts it. Manifests, sessions, events and provenance of all inputs are kept. */
PR_MUST_CHECK pr_status pr_store_merge(size_t *n_conflicts, pr_writer *told, const char *path,
                                       const char *const *inputs, size_t n_inputs, pr_error *err);
/* results/run.h5 -> results/run.journal */
PR_MUST_CHECK pr_status pr_store_journal_path(char *out, size_t size, const char *path, pr_error *err);

/* ---- reading ----
 * The HDF5 library can crash on a damaged file (1.10.8 does). So whoever reads a file that he did not just write does
 * it in a child process: pr_store_guard, or pr_results_probe first. */

/* Runs work in a forked child and returns its exit code (0-255; 141: a closed pipe ended it). PR_ERR_MALFORMED, naming
 * path: it died by a signal. PR_ERR_IO: it made no step for stall_ms (0: no limit), time in which it did not run left
 * out. Reading a results file is a step for each chunk of a table and for each proof, so it may take as long as it
 * gets on. Call it before threads are started. */
PR_MUST_CHECK pr_status pr_store_guard(int *exit_code, int (*work)(void *context), void *context, const char *path,
                                       unsigned stall_ms, pr_error *err);
void pr_store_guard_step(void); /* of work; elsewhere it does nothing */
/* Loads a results file, with every proof, in a child: PR_OK when this process may open it. PR_ERR_IO also when the HDF5
 * library hangs on it: ten minutes without a step. */
PR_MUST_CHECK pr_status pr_results_probe(const char *path, pr_error *err);

typedef struct pr_results pr_results;
/* Loads all tables (not proofs). Parts that cannot be read are named by pr_results_problems and left out; only a file
 * that is no results file at all is an error. Not thread safe. */
PR_MUST_CHECK pr_status pr_results_open(pr_results **out, const char *path, pr_error *err);
void pr_results_close(pr_results *r);
const char *pr_results_problems(const pr_results *r); /* lines; "" when there are none */
size_t pr_results_n_jobs(const pr_results *r);
const pr_job_row *pr_results_job(const pr_results *r, size_t i);
/* Parameters and outputs of an id, in order; the count is returned. */
size_t pr_results_params(const pr_results *r, const char *id, const pr_param_row **out, size_t capacity);
size_t pr_results_outputs(const pr_results *r, const char *id, const pr_output_row **out, size_t capacity);
const pr_proof_row *pr_results_proof(const pr_results *r, const char *id); /* NULL when absent */
/* Bytes, heap memory of the caller's. PR_ERR_MALFORMED: not there or outside the file. */
PR_MUST_CHECK pr_status pr_results_read_proof(const pr_results *r, const char *id, uint8_t **out, size_t *size,
                                              pr_error *err);
PR_MUST_CHECK pr_status pr_results_read_public(const pr_results *r, const char *id, uint8_t **out, size_t *size,
                                               pr_error *err);
/* History of an id, in order; the count is returned. */
size_t pr_results_history(const pr_results *r, const char *id, const pr_attempt_row **out, size_t capacity);
size_t pr_results_n_events(const pr_results *r);
const pr_event_row *pr_results_event(const pr_results *r, size_t i);
size_t pr_results_n_samples(const pr_results *r);
const pr_sample_row *pr_results_sample(const pr_results *r, size_t i);
size_t pr_results_n_sessions(const pr_results *r);
const pr_session_row *pr_results_session(const pr_results *r, size_t i);
/* Rows of a table of the consensus, in order, of the type that goes with the table; the count goes to *n. */
const void *pr_results_vote_rows(const pr_results *r, pr_vote_table table, size_t *n);
/* What a record of the consensus (PR_FRAME_CONSENSUS) or a certificate over outcomes (PR_FRAME_BATCH) says, in some
 * words;
 * "" for one that does not decode. Signatures are not looked at. */
void pr_store_describe_consensus(char *out, size_t size, const uint8_t *record, size_t record_size);
void pr_store_describe_batch(char *out, size_t size, const uint8_t *certificate, size_t certificate_size);
/* The row of a view or batch certificate, but for when and where. PR_ERR_MALFORMED for other bytes. */
PR_MUST_CHECK pr_status pr_store_read_view(pr_view_row *row, const uint8_t *certificate, size_t size, pr_error *err);
PR_MUST_CHECK pr_status pr_store_read_batch(pr_batch_row *row, const uint8_t *certificate, size_t size, pr_error *err);
/* Whether the file's table has the column: in files from before it rows read as zeros there. */
bool pr_results_has_column(const pr_results *r, pr_vote_table table, const char *name);
/* Bytes of /signed, heap memory of the caller's. PR_ERR_MALFORMED: outside the file. */
PR_MUST_CHECK pr_status pr_results_read_signed(const pr_results *r, uint64_t offset, uint64_t length, uint8_t **out,
                                               size_t *size, pr_error *err);
/* All parts of a job together, as it was put; the caller clears it. PR_ERR_MALFORMED: they do not fit together, nothing
 * to clear. */
PR_MUST_CHECK pr_status pr_results_load(const pr_results *r, const pr_job_row *row, pr_record *out, pr_error *err);
/* Root attribute; NULL when absent. Borrowed. */
const char *pr_results_attribute(const pr_results *r, const char *name);
size_t pr_results_n_attributes(const pr_results *r);
void pr_results_attribute_at(const pr_results *r, size_t i, const char **name, const char **value);
#endif
