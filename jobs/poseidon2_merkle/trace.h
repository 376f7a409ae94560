/* The trace of poseidon2_merkle from its tree. */
#ifndef PR_JOBS_POSEIDON2_MERKLE_TRACE_H
#define PR_JOBS_POSEIDON2_MERKLE_TRACE_H
#include "poseidon2_merkle/layout.h"
#include "rows.h"

/* columns: [PR_POSEIDON2_MERKLE_COLUMNS], 1 << log_rows words each; the inputs alone where those behind them are
 * NULL. n_threads 0: all of the process's processors. */
void pr_poseidon2_merkle_fill(pr_m31 *const *columns, pr_job_order order, uint32_t log_rows,
                              const pr_poseidon2_merkle_tree *tree, unsigned n_threads);
#endif
