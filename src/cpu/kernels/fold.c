/* Folds of FRI (protocol.md section 12) and the sum of a column and a smaller one's lift (section 8). */
#include "circle/transform.h"
#include "field/lane_qm31.h"
#include "cpu/ops.h"

#define CHUNK ((size_t)4096) /* rows that a thread takes at a time */

typedef struct columns {
    uint32_t *c[4];
} columns;

static columns columns_of(pr_device *dev, const pr_col cols[4]) {
    return (columns){
        {pr_cpu_col(dev, cols[0]), pr_cpu_col(dev, cols[1]), pr_cpu_col(dev, cols[2]), pr_cpu_col(dev, cols[3])}};
}

static inline void fold_lane(const columns *dst, const columns *src, size_t h, lane inverse, lane_qm31_factor alpha) {
    lane_qm31 sum, difference;
    for (int k = 0; k < 4; k++) {
        lane u, v;
        lane_deinterleave(&u, &v, lane_load(src->c[k] + 2 * h), lane_load(src->c[k] + 2 * h + LANE_WIDTH));
        sum.c[k] = lane_add(u, v);
        difference.c[k] = lane_mul_doubled(lane_sub(u, v), inverse);
    }
    lane_qm31 r = lane_qm31_add(sum, lane_qm31_mul_factor(difference, alpha));
    for (int k = 0; k < 4; k++) lane_store(dst->c[k] + h, r.c[k]);
}

static void fold_word(const columns *dst, const columns *src, size_t h, uint32_t inverse, pr_qm31 alpha) {
    pr_qm31 u, v;
    for (int k = 0; k < 4; k++) u.c[k] = src->c[k][2 * h], v.c[k] = src->c[k][2 * h + 1];
    u = pr_fold_pair(u, v, inverse, alpha);
    for (int k = 0; k < 4; k++) dst->c[k][h] = u.c[k];
}

#if LANE_WIDTH == 1
#define CIRCLE_INVERSES(table, m, h) pr_cpu_circle_twiddle(table, m, h)
#else
#define CIRCLE_INVERSES(table, m, h) lane_load_quarters((table) + (h) / 2)
#endif

pr_status PR_LANE_NAME(pr_cpu_fold_circle)(pr_device *dev, const pr_col dst[4], const pr_col src[4], pr_qm31 alpha,
                                           pr_error *err) {
    (void)err;
    const unsigned m = src[0].log_rows;
    PR_ASSERT(m >= 1 && dst[0].log_rows == m - 1 && m <= dev->max_log_rows);
    const size_t n = (size_t)1 << (m - 1);
    const uint32_t *table = pr_cpu_line_inverses(dev, m);
    const columns to = columns_of(dev, dst), from = columns_of(dev, src);
    const lane_qm31_factor factor = lane_qm31_factor_of(lane_qm31_set1(alpha));
    if (n < LANE_WIDTH) {
        for (size_t h = 0; h < n; h++) fold_word(&to, &from, h, pr_cpu_circle_twiddle(table, m, h) / 2, alpha);
        return PR_OK;
    }
#pragma omp parallel for num_threads(pr_cpu_threads_for(dev, n / CHUNK)) schedule(static) if (n > CHUNK)
    for (size_t h = 0; h < n; h += LANE_WIDTH) fold_lane(&to, &from, h, CIRCLE_INVERSES(table, m, h), factor);
    return PR_OK;
}

pr_status PR_LANE_NAME(pr_cpu_fold_line)(pr_device *dev, const pr_col dst[4], const pr_col src[4], pr_qm31 alpha,
                                         pr_error *err) {
    (void)err;
    const unsigned m = src[0].log_rows;
    PR_ASSERT(m >= 1 && dst[0].log_rows == m - 1 && m + 1 <= dev->max_log_rows);
    const size_t n = (size_t)1 << (m - 1);
    const uint32_t *table = pr_cpu_line_inverses(dev, m + 1);
    const columns to = columns_of(dev, dst), from = columns_of(dev, src);
    const lane_qm31_factor factor = lane_qm31_factor_of(lane_qm31_set1(alpha));
    if (n < LANE_WIDTH) {
        for (size_t h = 0; h < n; h++) fold_word(&to, &from, h, table[h] / 2, alpha);
        return PR_OK;
    }
#pragma omp parallel for num_threads(pr_cpu_threads_for(dev, n / CHUNK)) schedule(static) if (n > CHUNK)
    for (size_t h = 0; h < n; h += LANE_WIDTH) fold_lane(&to, &from, h, lane_load(table + h), factor);
    return PR_OK;
}

static void add_column(uint32_t *dst, const uint32_t *src, unsigned log_dst, unsigned log_src, size_t first,
                       size_t last) {
    if ((size_t)1 << log_dst < LANE_WIDTH) {
        for (size_t i = first; i < last; i++)
            dst[i] = pr_m31_add(dst[i], src[pr_slot_lift(log_src, log_dst, (uint32_t)i)]);
        return;
    }
    for (size_t i = first; i < last; i += LANE_WIDTH)
        lane_store(dst + i, lane_add(lane_load(dst + i), lane_load_lifted(src, log_dst - log_src, i)));
}

pr_status PR_LANE_NAME(pr_cpu_lift_add)(pr_device *dev, const pr_col dst[4], const pr_col src[4], pr_error *err) {
    (void)err;
    const unsigned log_dst = dst[0].log_rows, log_src = src[0].log_rows;
    PR_ASSERT(log_src >= 1 && log_src <= log_dst);
    const size_t n = (size_t)1 << log_dst, chunk = n < CHUNK ? n : CHUNK;
#pragma omp parallel for collapse(2) num_threads(pr_cpu_threads_for(dev, 4 * (n / CHUNK)))                             \
    schedule(static) if (n > CHUNK)
    for (int k = 0; k < 4; k++)
        for (size_t i = 0; i < n; i += chunk)
            add_column(pr_cpu_col(dev, dst[k]), pr_cpu_col(dev, src[k]), log_dst, log_src, i, i + chunk);
    return PR_OK;
}
