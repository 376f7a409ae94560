/* What the tests of job types share: a plain evaluator of constraints that knows nothing of programs and checkers. */
#ifndef PR_TESTS_JOBS_SUPPORT_H
#define PR_TESTS_JOBS_SUPPORT_H
#include "air/job_type.h"

/* Columns of one component, row order. */
typedef struct rows {
    uint32_t n_columns, log_rows;
    pr_m31 **columns; /* [n_columns][1 << log_rows] */
} rows;

rows rows_create(uint32_t n_columns, uint32_t log_rows);
void rows_destroy(rows *t);

/* Values of component 0's constraints in one row. out: [n_constraints]. */
void evaluate_row(pr_m31 *out, const pr_air *air, const rows *t, uint32_t row);
/* How many constraints are not zero in one row; the first one's index in *first unless there is none. */
uint32_t count_failures_in_row(const pr_air *air, const rows *t, uint32_t row, uint32_t *first);
/* The same over all rows; *row and *first of the first failure. */
uint32_t count_failures(const pr_air *air, const rows *t, uint32_t *row, uint32_t *first);

/* The instance's trace, row order, and the same from storage order brought back to rows. */
rows trace_in_rows(const pr_job_type *type, const pr_job_instance *job, unsigned n_threads);
rows trace_from_storage(const pr_job_type *type, const pr_job_instance *job, unsigned n_threads);
void assert_rows_equal(const rows *x, const rows *y);

/* A random generator with a seed that is printed; PROVERUN_TEST_SEED replays it. */
uint64_t test_seed(void);
uint64_t next_random(uint64_t *state);
pr_m31 random_m31(uint64_t *state);
uint8_t *random_bytes(size_t size, uint64_t *state); /* the caller frees them */

/* Public data: the caller clears it; that it is these bytes; an instance for verification from it, which a liar may
 * have written (data is cleared), or from a length and a digest; and from a job's own, of which the same public data
 * and AIR must come. */
pr_writer public_of(const pr_job_type *type, const pr_job_instance *job);
void assert_public(const pr_job_type *type, const pr_job_instance *job, const void *expected, size_t size);
pr_job_instance *claim_public(const pr_job_type *type, pr_writer *data);
pr_job_instance *claim_digest(const pr_job_type *type, uint64_t length, const uint8_t digest[32]);
pr_job_instance *remake_from_public(const pr_job_type *type, const pr_job_instance *job);
#endif
