/* The trace of file_hash written a second time, one row after the other and by the book, with one lie in it: everything
 * that follows from the lie is computed honestly, so that the one constraint against it is left alone to notice. */
#ifndef PR_TESTS_JOBS_SPONGE_ROWS_H
#define PR_TESTS_JOBS_SPONGE_ROWS_H
#include "support.h"

typedef enum lie_kind {
    NO_LIE,
    LIE_SQUARE,  /* an S-box's square is one too large */
    LIE_POWER,   /* its fifth power is one too large */
    LIE_ELEMENT, /* the row's block has one more in an element */
    LIE_ALIVE    /* behind the blocks, an S-box of the last round is not blanked */
} lie_kind;

typedef struct lie {
    lie_kind kind;
    uint32_t row, index; /* of the S-box or element */
} lie;

/* elements: [n]. Fills the trace of 1 << log_rows rows, puts the digest that comes out of the last block. */
rows sponge_rows(pr_m31 digest[8], const pr_m31 *elements, size_t n, uint32_t log_rows, lie told);
#endif
