/* The interpreter of lowered programs (air/program.h) over blocks of rows: what compose and logup share.
 *
 * A block is a run of consecutive storage slots, a power of two, at most PR_CPU_BLOCK. Its operands are pointers:
 * to a slot's run in scratch, straight into a column, or, for inputs that have a mask offset, to a copy with the offset
 * applied. Columns shorter than a lane are copied too, so that every run may be read LANE_WIDTH rows at a time.
 * One block state belongs to one thread; its memory comes from that thread's scratch. */
#ifndef PR_CPU_KERNELS_PROGRAM_H
#define PR_CPU_KERNELS_PROGRAM_H
#include "cpu/device.h"
#include "cpu/workspace.h"

/* What a program is run on. extension 0: the trace domain, offsets go through the rows; 1: the first 2 << log_rows rows
 * of extended columns. */
typedef struct pr_cpu_program_args {
    const pr_program *program;
    uint32_t log_rows, extension;
    const pr_m31 *base; /* the device's arena */
    const pr_col *inputs;
    const pr_qm31 *z, *alpha; /* per relation */
} pr_cpu_program_args;

typedef struct pr_cpu_block {
    const pr_cpu_program_args *args;
    uint32_t first, n_rows;      /* slots first .. first + n_rows - 1 */
    uint32_t n_padded;           /* n_rows, or the lane width where that is more */
    const uint32_t **operands;   /* [n_slots + n_inputs] */
    uint32_t *slots, *copies;    /* [n_slots][BLOCK], [n_inputs][BLOCK] */
    uint32_t *num, *den;         /* [4][BLOCK] the fraction of the open batch; of num only coordinate 0 while
                                    n_fractions is 1 */
    uint32_t n_fractions;        /* lookups in the open batch so far */
    uint32_t *spare[4];          /* [4][BLOCK] each, for the operation's own use */
    uint64_t *sums;              /* [4][BLOCK] sums of products, see lane_qm31.h */
    const uint32_t **values;     /* [most values of a lookup] */
    pr_qm31 *powers;             /* [the same] of the relation's alpha */
    uint32_t relation, n_powers; /* whose powers they are, how many */
    /* The next block's rows are fetched while this one is worked on, some cache lines an instruction. */
    uint32_t fetch_step, fetch_at, fetch_end; /* lines an instruction; next and last line, counted over all inputs */
} pr_cpu_block;

#define PR_CPU_BLOCK ((size_t)PR_CPU_PROGRAM_BLOCK)
#define PR_CPU_BLOCK_LINES (PR_CPU_PROGRAM_BLOCK / 16) /* cache lines of a column in a block */

/* Lays a block state out in a thread's memory. */
void pr_cpu_block_init(pr_cpu_block *block, pr_device *dev, unsigned thread, const pr_cpu_program_args *args);
/* Points the operands at the rows of a block (a power of two of them, first a multiple). */
void pr_cpu_block_begin(pr_cpu_block *block, uint32_t first, uint32_t n_rows, uint32_t lane_width);
/* out[i] = column[slot first + i moved by offset rows], i < n_rows; zeros up to n_padded. */
void pr_cpu_block_shift(uint32_t *out, const pr_cpu_block *block, const pr_m31 *column, int32_t offset);
/* A run of n_padded readable words that begins with the block's rows of column: the column itself, or copy. */
const uint32_t *pr_cpu_block_view(uint32_t *copy, const pr_cpu_block *block, const pr_m31 *column);

/* Executes from instruction pc until a CONSTRAINT, a BATCH_END or the end, and returns where it stopped. */
uint32_t pr_cpu_block_run_scalar(pr_cpu_block *block, uint32_t pc);
uint32_t pr_cpu_block_run_avx2(pr_cpu_block *block, uint32_t pc);
uint32_t pr_cpu_block_run_avx512(pr_cpu_block *block, uint32_t pc);
#endif
