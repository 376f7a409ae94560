/* Interaction columns of a component (protocol.md section 9): fractions and running totals over batches, in storage
 * order, a block at a time; then logup_scan.c's prefix sum over rows. Compiled once per instruction set. */
#include "cpu/kernels/lane_inverse.h"
#include "field/lane_qm31.h"
#include "cpu/kernels/logup.h"
#include "cpu/kernels/program.h"
#include "cpu/ops.h"

/* out = 1 / den: of A + Bu it is conj(A^2 - (2 + i) B^2) / norm times A - Bu; only the norms are inverted. */
static void invert_den(uint32_t *out, pr_cpu_block *b) {
    uint32_t *square = b->spare[0], *norm = square + 2 * PR_CPU_BLOCK, *inverse = square + 3 * PR_CPU_BLOCK;
    for (size_t i = 0; i < b->n_padded; i += LANE_WIDTH) {
        lane_qm31 d = lane_qm31_load(b->den + i, PR_CPU_BLOCK);
        lane aa_re = lane_dot2(d.c[0], d.c[0], d.c[1], lane_neg(d.c[1]));
        lane bb_re = lane_dot2(d.c[2], d.c[2], d.c[3], lane_neg(d.c[3]));
        lane aa_im = lane_mul(lane_add(d.c[0], d.c[0]), d.c[1]), bb_im = lane_mul(lane_add(d.c[2], d.c[2]), d.c[3]);
        lane re = lane_sub(aa_re, lane_sub(lane_add(bb_re, bb_re), bb_im));
        lane im = lane_sub(aa_im, lane_add(lane_add(bb_im, bb_im), bb_re));
        lane_store(square + i, re);
        lane_store(square + PR_CPU_BLOCK + i, lane_neg(im));
        lane_store(norm + i, lane_dot2(re, re, im, im));
    }
    lane_batch_inverse(inverse, norm, b->n_padded);
    for (size_t i = 0; i < b->n_padded; i += LANE_WIDTH) {
        lane_qm31 d = lane_qm31_load(b->den + i, PR_CPU_BLOCK), r;
        lane t = lane_load(inverse + i);
        lane re = lane_mul(lane_load(square + i), t), im = lane_mul(lane_load(square + PR_CPU_BLOCK + i), t);
        lane neg_re = lane_neg(re), neg_im = lane_neg(im);
        r.c[0] = lane_dot2(d.c[0], re, d.c[1], neg_im);
        r.c[1] = lane_dot2(d.c[0], im, d.c[1], re);
        r.c[2] = lane_dot2(d.c[2], neg_re, d.c[3], im);
        r.c[3] = lane_dot2(d.c[2], neg_im, d.c[3], neg_re);
        lane_qm31_store(out + i, PR_CPU_BLOCK, r);
    }
}

static void store_total(const pr_cpu_block *b, pr_device *dev, const pr_col out[4], const uint32_t *total) {
    for (size_t c = 0; c < 4; c++) {
        uint32_t *column = pr_cpu_col(dev, out[c]) + b->first;
        for (uint32_t i = 0; i < b->n_rows; i++) column[i] = total[c * PR_CPU_BLOCK + i];
    }
}

/* total += num / den, the same for every row of the block */
static void add_fraction(pr_cpu_block *b, uint32_t *total) {
    uint32_t *inverse = b->spare[2];
    invert_den(inverse, b);
    for (size_t i = 0; i < b->n_padded; i += LANE_WIDTH) {
        lane_qm31 f = lane_qm31_load(inverse + i, PR_CPU_BLOCK);
        if (b->n_fractions == 1)
            f = lane_qm31_mul_lane(f, lane_load(b->num + i));
        else
            f = lane_qm31_mul(f, lane_qm31_load(b->num + i, PR_CPU_BLOCK));
        lane_qm31_store(total + i, PR_CPU_BLOCK, lane_qm31_add(lane_qm31_load(total + i, PR_CPU_BLOCK), f));
    }
    b->n_fractions = 0;
}

static void total_block(pr_cpu_block *b, pr_device *dev, const pr_logup *args, uint32_t first, uint32_t n_rows,
                        uint64_t sums[4]) {
    const pr_program *program = args->program;
    uint32_t *total = b->spare[1];
    pr_cpu_block_begin(b, first, n_rows, LANE_WIDTH);
    for (size_t i = 0; i < b->n_padded; i += LANE_WIDTH)
        lane_qm31_store(total + i, PR_CPU_BLOCK, lane_qm31_set1(PR_QM31_ZERO));
    for (uint32_t pc = 0; (pc = PR_LANE_NAME(pr_cpu_block_run)(b, pc)) < program->n_insns; pc++) {
        PR_ASSERT(program->insns[pc].op == PR_OP_BATCH_END);
        add_fraction(b, total);
        store_total(b, dev, &args->out[4 * program->insns[pc].a], total);
    }
    for (size_t c = 0; c < 4; c++)
        for (uint32_t i = 0; i < n_rows; i++) sums[c] += total[c * PR_CPU_BLOCK + i];
}

static void logup_component(pr_device *dev, const pr_logup *args) {
    uint32_t n = args->log_rows, rows = 1u << n, n_rows = rows < PR_CPU_BLOCK ? rows : (uint32_t)PR_CPU_BLOCK;
    PR_ASSERT(n >= 1 && args->program->n_batches >= 1);
    const pr_cpu_program_args program = {args->program, n, 0, dev->base, args->inputs, args->z, args->alpha};
    uint64_t s0 = 0, s1 = 0, s2 = 0, s3 = 0; /* 2^24 rows of 31 bits */
    uint32_t n_blocks = rows / n_rows;
#pragma omp parallel num_threads(pr_cpu_threads_for(dev, n_blocks)) reduction(+ : s0, s1, s2, s3)
    {
        pr_cpu_block block;
        uint64_t sums[4] = {0, 0, 0, 0};
        pr_cpu_block_init(&block, dev, (unsigned)omp_get_thread_num(), &program);
#pragma omp for schedule(static)
        for (uint32_t k = 0; k < n_blocks; k++) total_block(&block, dev, args, k * n_rows, n_rows, sums);
        s0 += sums[0], s1 += sums[1], s2 += sums[2], s3 += sums[3];
    }
    *args->claimed_sum = (pr_qm31){{pr_m31_reduce(s0), pr_m31_reduce(s1), pr_m31_reduce(s2), pr_m31_reduce(s3)}};
    pr_qm31 shift = pr_qm31_mul_m31(*args->claimed_sum, pr_m31_inverse(pr_m31_reduce(rows)));
    PR_LANE_NAME(pr_cpu_prefix_rows)(dev, &args->out[4 * (args->program->n_batches - 1)], shift);
}

pr_status PR_LANE_NAME(pr_cpu_logup)(pr_device *dev, const pr_logup *list, size_t n, pr_error *err) {
    (void)err;
    for (size_t k = 0; k < n; k++) logup_component(dev, &list[k]);
    return PR_OK;
}
