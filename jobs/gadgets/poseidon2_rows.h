/* What kernels that do Poseidon2 on many rows at once are given. */
#ifndef PR_JOBS_GADGETS_POSEIDON2_ROWS_H
#define PR_JOBS_GADGETS_POSEIDON2_ROWS_H
#include "poseidon2/poseidon2.h"

/* Rows worked on together: their states stay in the first cache level. */
#define PR_POSEIDON2_ROWS 256

typedef pr_m31 pr_poseidon2_states[PR_POSEIDON2_WIDTH][PR_POSEIDON2_ROWS];

/* Where squares and fifth powers of the S-boxes go, n words each; NULL: nowhere. */
typedef struct pr_poseidon2_sink {
    pr_m31 *squares[PR_POSEIDON2_SBOXES], *powers[PR_POSEIDON2_SBOXES];
} pr_poseidon2_sink;
#endif
