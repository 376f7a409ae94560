/* Values of columns at secure points (protocol.md section 10), straight from evaluations. Compiled once per instruction
 * set.
 *
 * Interpolation is a tensor of butterflies (u, v) -> (u + v, (u - v) t), and coefficient j multiplies the product of
 * m_k over the bits k of j (m_0 = y, m_1 = x, m_2 = pi(x), ..). So the value is sum over slots i of f_i W_i with
 *      W_i = 2^-m product over k of (1 + m_k t) or (1 - m_k t),  t the inverse twiddle of layer k, block i >> (k + 1),
 * plus where bit k of i is 0. Weights of a block of rows grow from the one of its high bits, a layer a doubling; they
 * are used at once for all columns and never leave the cache. */
#include "field/lane_qm31.h"
#include "cpu/kernels/sample.h"
#include "cpu/ops.h"

#define LOG_BLOCK PR_CPU_SAMPLE_LOG_BLOCK
#define BLOCK ((size_t)1 << LOG_BLOCK)
#define MAX_COLUMNS PR_CPU_SAMPLE_COLUMNS
#define AHEAD 4 /* columns that are fetched ahead of their use */
#define MAX_POINTS PR_CPU_SAMPLE_POINTS

typedef struct point_factors {
    pr_qm31 m[32]; /* m_k */
} point_factors;

typedef struct sampling {
    const pr_device *dev;
    const uint32_t *cols[MAX_COLUMNS];
    size_t n_cols, n_points;
    unsigned log_rows, log_domain, log_block; /* m; e = m + blow-up; rows of a block */
    point_factors points[MAX_POINTS];
} sampling;

static const uint32_t *layer_inverses(const sampling *s, unsigned k) {
    return pr_cpu_line_inverses(s->dev, s->log_domain - k + 1);
}

/* The weight that the rows of a block share: layers log_block .. m - 1. */
static pr_qm31 weight_of_block(const sampling *s, const point_factors *point, size_t block) {
    pr_qm31 w = pr_qm31_from_m31(pr_m31_inverse(pr_m31_reduce((uint64_t)1 << s->log_rows)));
    for (unsigned k = s->log_block; k < s->log_rows; k++) {
        size_t high = block >> (k - s->log_block);
        pr_qm31 step = pr_qm31_mul_m31(pr_qm31_mul(w, point->m[k]), layer_inverses(s, k)[high >> 1] >> 1);
        w = high & 1 ? pr_qm31_sub(w, step) : pr_qm31_add(w, step);
    }
    return w;
}

/* n weights (a coordinate every BLOCK words) become 2n, from the last backwards, in place; t2: doubled twiddles. */
static void grow(uint32_t *w, size_t n, pr_qm31 m, const uint32_t *t2) {
    if (n < LANE_WIDTH) {
        for (size_t h = n; h-- > 0;) {
            pr_qm31 v = {{w[h], w[BLOCK + h], w[2 * BLOCK + h], w[3 * BLOCK + h]}};
            pr_qm31 step = pr_qm31_mul_m31(pr_qm31_mul(v, m), t2[h] >> 1);
            for (size_t c = 0; c < 4; c++) {
                w[c * BLOCK + 2 * h] = pr_m31_add(v.c[c], step.c[c]);
                w[c * BLOCK + 2 * h + 1] = pr_m31_sub(v.c[c], step.c[c]);
            }
        }
        return;
    }
    lane_qm31_factor factor = lane_qm31_factor_of(lane_qm31_set1(m));
    for (size_t h = n; h > 0;) {
        h -= LANE_WIDTH;
        lane_qm31 v = lane_qm31_load(w + h, BLOCK), step = lane_qm31_mul_factor(v, factor);
        lane t = lane_load(t2 + h);
        for (size_t c = 0; c < 4; c++) {
            lane lo, hi, part = lane_mul_doubled(step.c[c], t);
            lane_interleave(&lo, &hi, lane_add(v.c[c], part), lane_sub(v.c[c], part));
            lane_store(w + c * BLOCK + 2 * h, lo);
            lane_store(w + c * BLOCK + 2 * h + LANE_WIDTH, hi);
        }
    }
}

static void find_weights(uint32_t *w, uint32_t *twiddles, const sampling *s, const point_factors *point, size_t block) {
    pr_qm31 top = weight_of_block(s, point, block);
    for (size_t c = 0; c < 4; c++) w[c * BLOCK] = top.c[c];
    for (unsigned k = s->log_block; k-- > 1;) {
        size_t n = (size_t)1 << (s->log_block - 1 - k);
        grow(w, n, point->m[k], layer_inverses(s, k) + block * n);
    }
    size_t n = ((size_t)1 << s->log_block) / 2;
    const uint32_t *table = s->log_domain >= 2 ? layer_inverses(s, 1) : NULL;
    for (size_t h = 0; h < n; h++) twiddles[h] = pr_cpu_circle_twiddle(table, s->log_domain, block * n + h);
    grow(w, n, point->m[0], twiddles);
}

/* sums[c] += sum of column * weight's coordinate c. soon: as many rows that will be read soon, fetched meanwhile. */
static void dot(uint64_t sums[4], const uint32_t *column, const uint32_t *w, size_t rows, const uint32_t *soon) {
    if (rows < LANE_WIDTH || rows / LANE_WIDTH % 4) {
        for (size_t c = 0; c < 4; c++)
            for (size_t i = 0; i < rows; i++) sums[c] += pr_m31_mul(column[i], w[c * BLOCK + i]);
        return;
    }
    lane_acc s[4] = {lane_acc_zero(), lane_acc_zero(), lane_acc_zero(), lane_acc_zero()};
    for (size_t i = 0; i < rows; i += 4 * LANE_WIDTH) {
        for (size_t k = i; k < i + 4 * LANE_WIDTH; k += 16) __builtin_prefetch(soon + k, 0, 3);
        for (int c = 0; c < 4; c++) s[c] = lane_acc_fold(s[c]);
        for (size_t k = i; k < i + 4 * LANE_WIDTH; k += LANE_WIDTH) {
            lane v = lane_load(column + k);
            for (size_t c = 0; c < 4; c++) s[c] = lane_acc_mul_add(s[c], v, lane_load(w + c * BLOCK + k));
        }
    }
    for (int c = 0; c < 4; c++) {
        uint32_t words[LANE_WIDTH];
        lane_store(words, lane_acc_reduce(s[c]));
        for (size_t i = 0; i < LANE_WIDTH; i++) sums[c] += words[i];
    }
}

/* A thread's memory: weights of each point, circle twiddles, sums[column][point][4] of 31-bit values, at most 2^24 of
 * them */
typedef struct sample_memory {
    uint32_t weights[MAX_POINTS][4 << LOG_BLOCK], twiddles[1 << LOG_BLOCK];
    uint64_t sums[MAX_COLUMNS][MAX_POINTS][4];
} sample_memory;

static void sample_block(sample_memory *t, const sampling *s, size_t block) {
    size_t rows = (size_t)1 << s->log_block;
    for (size_t p = 0; p < s->n_points; p++) find_weights(t->weights[p], t->twiddles, s, &s->points[p], block);
    for (size_t k = 0; k < s->n_cols; k++)
        for (size_t p = 0; p < s->n_points; p++) {
            const size_t ahead = k + AHEAD; /* behind the last column comes the next block of the first */
            const uint32_t *soon = s->cols[ahead % s->n_cols] + ((block + ahead / s->n_cols) << s->log_block);
            dot(t->sums[k][p], s->cols[k] + (block << s->log_block), t->weights[p], rows, soon);
        }
}

static void sample_columns(pr_device *dev, pr_qm31 *out, const sampling *s) {
    size_t n_blocks = (size_t)1 << (s->log_rows - s->log_block);
    int n_threads = pr_cpu_threads_for(dev, n_blocks);
    PR_ASSERT(sizeof(sample_memory) <= dev->thread_bytes);
#pragma omp parallel num_threads(n_threads)
    {
        sample_memory *t = pr_cpu_thread_memory(dev, (unsigned)omp_get_thread_num());
        for (size_t k = 0; k < s->n_cols; k++)
            for (size_t p = 0; p < MAX_POINTS; p++)
                for (size_t c = 0; c < 4; c++) t->sums[k][p][c] = 0;
#pragma omp for schedule(static)
        for (size_t block = 0; block < n_blocks; block++) sample_block(t, s, block);
    }
    for (size_t k = 0; k < s->n_cols; k++)
        for (size_t p = 0; p < s->n_points; p++)
            for (size_t c = 0; c < 4; c++) {
                uint64_t sum = 0;
                for (int t = 0; t < n_threads; t++)
                    sum += ((const sample_memory *)pr_cpu_thread_memory(dev, (unsigned)t))->sums[k][p][c];
                out[k * s->n_points + p].c[c] = pr_m31_reduce(sum);
            }
}

pr_status PR_LANE_NAME(pr_cpu_sample)(pr_device *dev, pr_qm31 *out, const pr_col *cols, size_t n, uint32_t log_blowup,
                                      const pr_secure_point *points, size_t n_points, pr_error *err) {
    (void)err;
    if (n == 0) return PR_OK;
    PR_ASSERT(n_points <= MAX_POINTS && cols[0].log_rows > log_blowup);
    sampling s = {.dev = dev, .n_points = n_points, .log_rows = cols[0].log_rows - log_blowup};
    s.log_domain = cols[0].log_rows;
    s.log_block = s.log_rows < LOG_BLOCK ? s.log_rows : LOG_BLOCK;
    for (size_t p = 0; p < n_points; p++) {
        s.points[p].m[0] = points[p].y;
        s.points[p].m[1] = points[p].x;
        for (unsigned k = 2; k < s.log_rows; k++) s.points[p].m[k] = pr_double_x_secure(s.points[p].m[k - 1]);
    }
    for (size_t first = 0; first < n; first += s.n_cols) {
        s.n_cols = n - first < MAX_COLUMNS ? n - first : MAX_COLUMNS;
        for (size_t k = 0; k < s.n_cols; k++) {
            PR_ASSERT(cols[first + k].log_rows == s.log_domain);
            s.cols[k] = pr_cpu_col(dev, cols[first + k]);
        }
        sample_columns(dev, out + first * n_points, &s);
    }
    return PR_OK;
}
