/* The results file of a run: results/<run-id>.h5, written by one process, one record at a time.
 *
 * Tables /jobs (one row a job that ended), /params, /outputs, /proofs/index, /public_data/index, /sessions; bytes
 * /proofs/data, /public_data/data. A job's other parts are appended before its row in /jobs, so a row is there only
 * when the rest is; pr_store_reopen drops parts whose row never came. Beside the file lies its journal
 * (store/journal.h), written first: what pr_store_commit returned PR_OK for is in it, on the disk. An HDF5 file whose
 * writer was killed may not open any more; pr_store_repair makes it again from the journal. Not thread safe, and
 * neither is the HDF5 library: one thread.
 *
 *   PR_TRY(pr_store_create(&s, path, attributes, n, err));
 *   PR_TRY(pr_store_put(s, &record, err));
 *   PR_TRY(pr_store_commit(s, err));            // now it may be announced
 *   pr_store_close(s, err); */
#ifndef PR_STORE_STORE_H
#define PR_STORE_STORE_H
#include "store/record.h"

#define PR_STORE_FORMAT_VERSION "1"

typedef struct pr_store pr_store;
typedef struct pr_attribute {
    const char *name, *value;
} pr_attribute;

/* A new file; refuses to overwrite. attributes: provenance, texts, written at the root. */
PR_MUST_CHECK pr_status pr_store_create(pr_store **out, const char *path, const pr_attribute *attributes, size_t n,
                                        pr_error *err);
/* Further root attributes, texts. */
PR_MUST_CHECK pr_status pr_store_annotate(pr_store *s, const pr_attribute *attributes, size_t n, pr_error *err);
/* Makes the results file again from its journal, content for content; rebuilt is false when there is no journal. The
 * old file, damaged or not, is replaced only by a complete one. PR_ERR_MALFORMED: the journal is corrupt before its
 * end. */
PR_MUST_CHECK pr_status pr_store_repair(bool *rebuilt, const char *path, pr_error *err);
/* An existing file, to append to: after pr_store_repair, if its writer may have been killed. */
PR_MUST_CHECK pr_status pr_store_reopen(pr_store **out, const char *path, pr_error *err);
/* Replaces the row of the same id (of an attempt that failed before), or appends. Not yet on the disk. */
PR_MUST_CHECK pr_status pr_store_put(pr_store *s, const pr_record *record, pr_error *err);
/* Flushes and fsyncs. */
PR_MUST_CHECK pr_status pr_store_commit(pr_store *s, pr_error *err);
/* status of row: as begun; end overwrites the same row. */
PR_MUST_CHECK pr_status pr_store_begin_session(pr_store *s, const pr_session_row *row, pr_error *err);
PR_MUST_CHECK pr_status pr_store_end_session(pr_store *s, const pr_session_row *row, pr_error *err);
uint64_t pr_store_bytes(const pr_store *s); /* size of the file */
/* Frees in any case. */
PR_MUST_CHECK pr_status pr_store_close(pr_store *s, pr_error *err);

/* ---- reading ----
 * The HDF5 library can crash on a damaged file (1.10.8 does). So whoever reads a file that he did not just write does
 * it in a child process: pr_store_guard, or pr_results_probe first. */

/* Runs work in a forked child and returns its exit code (0-255); PR_ERR_MALFORMED naming path when it died by a signal
 * or took more than timeout_s (0: no limit). Call it before threads are started. */
PR_MUST_CHECK pr_status pr_store_guard(int *exit_code, int (*work)(void *context), void *context, const char *path,
                                       unsigned timeout_s, pr_error *err);
/* Loads a results file, with every proof, in a child: PR_OK when this process may open it. */
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
size_t pr_results_n_sessions(const pr_results *r);
const pr_session_row *pr_results_session(const pr_results *r, size_t i);
/* Root attribute; NULL when absent. Borrowed. */
const char *pr_results_attribute(const pr_results *r, const char *name);
size_t pr_results_n_attributes(const pr_results *r);
void pr_results_attribute_at(const pr_results *r, size_t i, const char **name, const char **value);
#endif
