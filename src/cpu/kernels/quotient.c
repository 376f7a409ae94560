/* Quotients (protocol.md section 11) on the first 2^M rows of the lifted domain, extended to all of it. Compiled once
 * per instruction set.
 *
 * A block of rows at a time, and in it one sample point after the other: the numerator's sum over columns, in 64 bits
 * (lane_qm31.h), columns of smaller sizes summed on their own few rows and lifted; then the line, and the division by
 * D = (Re q.x - x) Im q.y - (Re q.y - y) Im q.x. */
#include "cpu/kernels/lane_inverse.h"
#include "field/lane_qm31.h"
#include "cpu/kernels/quotient.h"
#include "cpu/ops.h"

#define BLOCK PR_CPU_QUOTIENT_BLOCK

typedef struct quotient_memory {
    uint64_t sums[4 * BLOCK], small_sums[4 * BLOCK];
    uint32_t lifted[4 * BLOCK], small[4 * BLOCK];               /* coordinate runs */
    uint32_t x[BLOCK], y[BLOCK];                                /* the block's points */
    uint32_t re[BLOCK], im[BLOCK], norm[BLOCK], inverse[BLOCK]; /* D, its norm, and 1 / norm */
    uint32_t result[4 * BLOCK];
    uint32_t copies[4][LANE_WIDTH]; /* of columns with fewer rows than a lane */
} quotient_memory;
_Static_assert(sizeof(quotient_memory) <= PR_CPU_QUOTIENT_THREAD_BYTES, "the thread's memory is what device.c maps");

typedef struct quotient_block {
    quotient_memory *memory;
    const pr_device *dev;
    const pr_point *low; /* [BLOCK / 2] */
    uint32_t log_lifted; /* L */
    uint32_t first, n_rows, n_padded;
} quotient_block;

/* Points that are added to a block's first one: of slot 2t relative to slot 0, the same for every domain, as bit s of t
 * adds half of the half coset's order, a quarter, ... */
static void find_low_points(pr_point *low) {
    low[0] = (pr_point){1, 0};
    for (unsigned s = 0; (1u << s) < BLOCK / 2; s++) {
        pr_point step = pr_point_from_index(1u << (30 - s));
        for (uint32_t t = 0; t < 1u << s; t++) low[t + (1u << s)] = pr_point_add(low[t], step);
    }
}

static void find_points(const quotient_block *b) {
    pr_point first = pr_domain_point(b->log_lifted, b->first);
    for (uint32_t t = 0; t < b->n_padded / 2 + b->n_padded % 2; t++) {
        pr_point p = pr_point_add(first, b->low[t]);
        b->memory->x[2 * t] = b->memory->x[2 * t + 1] = p.x;
        b->memory->y[2 * t] = p.y;
        b->memory->y[2 * t + 1] = pr_m31_neg(p.y);
    }
}

/* Up to four columns: their runs of a block's rows, and what they are multiplied by. */
typedef struct summands {
    const uint32_t *values[4];
    pr_qm31 coeffs[4];
    size_t n;
} summands;

#define FETCH_ROWS 128u   /* added up between two requests for what comes next */
#define FETCH_LOG_ROWS 17 /* of columns that are large enough to wait for memory */

/* Asks for n_rows rows from `at` on of up to four columns behind column k, of its size; behind the last, for those of
 * the block after this one of the first. */
static void fetch_next(const quotient_block *b, const pr_quotient_group *g, size_t k, size_t at, uint32_t n_rows,
                       uint32_t block_rows) {
    const uint32_t log_rows = g->cols[k].log_rows;
    if (log_rows < FETCH_LOG_ROWS) return;
    for (size_t j = k + 1; j < k + 5; j++) {
        const pr_col *next = &g->cols[j % g->n];
        if (next->log_rows != log_rows) continue;
        const uint32_t *rows = b->dev->base + next->offset + at + (j < g->n ? 0 : block_rows);
        for (uint32_t i = 0; i < n_rows; i += 16) __builtin_prefetch(rows + i, 0, 3);
    }
}

/* sums += what t holds, which is empty then; k: the last of its columns. */
static void add_summands(const quotient_block *b, uint64_t *sums, summands *t, uint32_t n_rows,
                         const pr_quotient_group *g, size_t k, size_t start) {
    const uint32_t step = n_rows < FETCH_ROWS ? n_rows : FETCH_ROWS;
    for (uint32_t at = 0; at < n_rows; at += step) {
        fetch_next(b, g, k, start + at, step, n_rows);
        lane_accumulate((lane_acc *)sums + at / LANE_WIDTH * 4, t->values, t->coeffs, t->n, step);
        for (size_t j = 0; j < t->n; j++) t->values[j] += step;
    }
    t->n = 0;
}

/* sums += coeffs * columns of this log size, over rows start .. start + n_rows - 1 of them */
static void sum_columns(const quotient_block *b, uint64_t *sums, const pr_quotient_group *g, uint32_t log_rows,
                        size_t start, uint32_t n_rows) {
    summands t = {.n = 0};
    size_t last = 0;
    uint32_t n_padded = n_rows < LANE_WIDTH ? LANE_WIDTH : n_rows;
    lane_accumulate_zero((lane_acc *)sums, n_padded);
    for (size_t k = 0; k < g->n; k++) {
        if (g->cols[k].log_rows != log_rows) continue;
        const uint32_t *values = b->dev->base + g->cols[k].offset + start;
        if (n_rows < LANE_WIDTH) {
            uint32_t *copy = b->memory->copies[t.n];
            for (uint32_t i = 0; i < LANE_WIDTH; i++) copy[i] = i < n_rows ? values[i] : 0;
            values = copy;
        }
        last = k;
        t.values[t.n] = values;
        t.coeffs[t.n++] = g->coeffs[k];
        if (t.n == 4) add_summands(b, sums, &t, n_padded, g, k, start);
    }
    if (t.n) add_summands(b, sums, &t, n_padded, g, last, start);
}

/* lifted += the sum over columns of one smaller size */
static void add_lifted(const quotient_block *b, const pr_quotient_group *g, uint32_t log_rows) {
    quotient_memory *m = b->memory;
    unsigned d = b->log_lifted - log_rows;
    uint32_t n_rows = b->n_rows >> d < 2 ? 2 : b->n_rows >> d, start = pr_slot_lift(log_rows, b->log_lifted, b->first);
    sum_columns(b, m->small_sums, g, log_rows, start, n_rows);
    const lane_acc *sums = (const lane_acc *)m->small_sums;
    for (size_t i = 0; i < n_rows; i += LANE_WIDTH)
        for (size_t c = 0; c < 4; c++) lane_store(m->small + c * BLOCK + i, lane_acc_reduce(*sums++));
    for (size_t c = 0; c < 4; c++)
        for (uint32_t i = 0; i < b->n_rows; i++) {
            uint32_t *sum = &m->lifted[c * BLOCK + i];
            *sum = pr_m31_add(*sum, m->small[c * BLOCK + pr_slot_lift(log_rows, b->log_lifted, b->first + i) - start]);
        }
}

static void sum_group(const quotient_block *b, const pr_quotient_group *g) {
    uint32_t sizes = 0;
    for (size_t k = 0; k < g->n; k++) sizes |= 1u << g->cols[k].log_rows;
    PR_ASSERT(sizes >> b->log_lifted <= 1);
    for (size_t i = 0; i < 4 * BLOCK; i++) b->memory->lifted[i] = 0;
    for (uint32_t log_rows = 0; log_rows < b->log_lifted; log_rows++)
        if (sizes >> log_rows & 1) add_lifted(b, g, log_rows);
    sum_columns(b, b->memory->sums, g, b->log_lifted, b->first, b->n_rows);
}

/* D = k - x Im q.y + y Im q.x, k the constant part, and 1 / |D|^2 */
static void find_denominators(const quotient_block *b, const pr_secure_point *q) {
    quotient_memory *m = b->memory;
    pr_cm31 ix = pr_qm31_im(q->x), iy = pr_qm31_im(q->y);
    pr_cm31 k = pr_cm31_sub(pr_cm31_mul(pr_qm31_re(q->x), iy), pr_cm31_mul(pr_qm31_re(q->y), ix));
    lane ka = lane_set1(k.a), kb = lane_set1(k.b), ya = lane_set1(ix.a), yb = lane_set1(ix.b);
    lane xa = lane_set1(pr_m31_neg(iy.a)), xb = lane_set1(pr_m31_neg(iy.b));
    for (size_t i = 0; i < b->n_padded; i += LANE_WIDTH) {
        lane x = lane_load(m->x + i), y = lane_load(m->y + i);
        lane re = lane_add(lane_dot2(x, xa, y, ya), ka), im = lane_add(lane_dot2(x, xb, y, yb), kb);
        lane_store(m->re + i, re);
        lane_store(m->im + i, im);
        lane_store(m->norm + i, lane_dot2(re, re, im, im));
    }
    lane_batch_inverse(m->inverse, m->norm, b->n_padded);
}

/* result += (sums + lifted - (a y + b)) * conj(D) / |D|^2 */
static void divide_group(const quotient_block *b, const pr_quotient_group *g) {
    quotient_memory *m = b->memory;
    const lane_acc *sums = (const lane_acc *)m->sums;
    lane_qm31 line = lane_qm31_set1(g->b), slope = lane_qm31_set1(pr_qm31_neg(g->a));
    for (size_t i = 0; i < b->n_padded; i += LANE_WIDTH, sums += 4) {
        lane_qm31 num = lane_qm31_sub(lane_qm31_load(m->lifted + i, BLOCK), line), r;
        lane y = lane_load(m->y + i), inverse = lane_load(m->inverse + i);
        for (int c = 0; c < 4; c++) {
            lane_acc s = lane_acc_mul_add(lane_acc_fold(sums[c]), y, slope.c[c]);
            num.c[c] = lane_add(num.c[c], lane_acc_reduce(s));
        }
        lane re = lane_mul(lane_load(m->re + i), inverse), im = lane_mul(lane_load(m->im + i), inverse);
        lane neg = lane_neg(im);
        r.c[0] = lane_dot2(num.c[0], re, num.c[1], im);
        r.c[1] = lane_dot2(num.c[1], re, num.c[0], neg);
        r.c[2] = lane_dot2(num.c[2], re, num.c[3], im);
        r.c[3] = lane_dot2(num.c[3], re, num.c[2], neg);
        lane_qm31_store(m->result + i, BLOCK, lane_qm31_add(lane_qm31_load(m->result + i, BLOCK), r));
    }
}

static void quotient_rows(const quotient_block *b, pr_device *dev, const pr_col dst[4], const pr_quotient_group *groups,
                          size_t n) {
    quotient_memory *m = b->memory;
    find_points(b);
    for (size_t i = 0; i < 4 * BLOCK; i++) m->result[i] = 0;
    for (size_t k = 0; k < n; k++) {
        sum_group(b, &groups[k]);
        find_denominators(b, &groups[k].point);
        divide_group(b, &groups[k]);
    }
    for (size_t c = 0; c < 4; c++)
        for (uint32_t i = 0; i < b->n_rows; i++) pr_cpu_col(dev, dst[c])[b->first + i] = m->result[c * BLOCK + i];
}

pr_status PR_LANE_NAME(pr_cpu_quotients)(pr_device *dev, const pr_col dst[4], uint32_t log_blowup,
                                         const pr_quotient_group *groups, size_t n, pr_error *err) {
    uint32_t log_lifted = dst[0].log_rows, rows = 1u << (log_lifted - log_blowup);
    uint32_t n_rows = rows < BLOCK ? rows : BLOCK, n_blocks = rows / n_rows;
    pr_col prefix[4];
    pr_point *low = (pr_point *)(void *)dev->shared;
    PR_ASSERT(log_lifted > log_blowup);
    find_low_points(low);
#pragma omp parallel for num_threads(pr_cpu_threads_for(dev, n_blocks)) schedule(static)
    for (uint32_t k = 0; k < n_blocks; k++) {
        quotient_block b = {pr_cpu_thread_memory(dev, (unsigned)omp_get_thread_num()),
                            dev,
                            low,
                            log_lifted,
                            k * n_rows,
                            n_rows,
                            n_rows < LANE_WIDTH ? LANE_WIDTH : n_rows};
        quotient_rows(&b, dev, dst, groups, n);
    }
    for (int c = 0; c < 4; c++) prefix[c] = (pr_col){dst[c].offset, log_lifted - log_blowup};
    PR_TRY(PR_LANE_NAME(pr_cpu_interpolate)(dev, prefix, 4, log_blowup, err));
    return PR_LANE_NAME(pr_cpu_evaluate)(dev, dst, prefix, 4, err);
}
