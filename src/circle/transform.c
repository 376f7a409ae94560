#include "circle/transform.h"
#include <string.h>

/* (u, v) -> (u + v, (u - v) t) */
static inline void inverse_butterfly(pr_m31 *u, pr_m31 *v, pr_m31 t) {
    pr_m31 a = *u, b = *v;
    *u = pr_m31_add(a, b);
    *v = pr_m31_mul(pr_m31_sub(a, b), t);
}

/* (u, v) -> (u + t v, u - t v) */
static inline void butterfly(pr_m31 *u, pr_m31 *v, pr_m31 t) {
    pr_m31 a = *u, b = pr_m31_mul(*v, t);
    *u = pr_m31_add(a, b);
    *v = pr_m31_sub(a, b);
}

/* Log of the domain whose twiddles a transform takes; only the first part of each layer is used. */
static unsigned domain_log(unsigned log_n, unsigned log_parts, const pr_twiddles *tw) {
    PR_ASSERT(log_n + log_parts <= tw->log_size);
    return log_n + log_parts;
}

void pr_transform_interpolate(pr_m31 *values, unsigned log_n, unsigned log_parts, const pr_twiddles *tw) {
    if (log_n == 0) return;
    unsigned domain = domain_log(log_n, log_parts, tw);
    uint32_t n = (uint32_t)1 << log_n;
    for (uint32_t h = 0; h < n / 2; h++)
        inverse_butterfly(values + 2 * h, values + 2 * h + 1, pr_twiddles_circle_inverse(tw, domain, h));
    for (unsigned k = 1; k < log_n; k++) {
        const pr_m31 *t = pr_twiddles_layer(tw, tw->line_inverse, domain, k);
        uint32_t distance = (uint32_t)1 << k;
        for (uint32_t h = 0; h < n >> (k + 1); h++) {
            pr_m31 *block = values + (size_t)h * 2 * distance;
            for (uint32_t i = 0; i < distance; i++) inverse_butterfly(block + i, block + distance + i, t[h]);
        }
    }
    pr_m31 scale = (pr_m31)1 << (PR_P_BITS - log_n); /* 2^-log_n, for 2^PR_P_BITS = 1 */
    for (uint32_t i = 0; i < n; i++) values[i] = pr_m31_mul(values[i], scale);
}

/* Layers top - 1 .. 0 over 2^log_n values: those above have been done, or have only zeros to add. */
static void evaluate_layers(pr_m31 *values, unsigned log_n, unsigned top, unsigned domain, const pr_twiddles *tw) {
    uint32_t n = (uint32_t)1 << log_n;
    for (unsigned k = top; k-- > 1;) {
        const pr_m31 *t = pr_twiddles_layer(tw, tw->line, domain, k);
        uint32_t distance = (uint32_t)1 << k;
        for (uint32_t h = 0; h < n >> (k + 1); h++) {
            pr_m31 *block = values + (size_t)h * 2 * distance;
            for (uint32_t i = 0; i < distance; i++) butterfly(block + i, block + distance + i, t[h]);
        }
    }
    if (top == 0) return;
    for (uint32_t h = 0; h < n / 2; h++)
        butterfly(values + 2 * h, values + 2 * h + 1, pr_twiddles_circle(tw, domain, h));
}

void pr_transform_evaluate(pr_m31 *values, unsigned log_n, unsigned log_parts, const pr_twiddles *tw) {
    evaluate_layers(values, log_n, log_n, domain_log(log_n, log_parts, tw), tw);
}

void pr_transform_extend(pr_m31 *dst, const pr_m31 *src, unsigned log_src, unsigned log_dst, const pr_twiddles *tw) {
    PR_ASSERT(log_src <= log_dst && log_dst <= tw->log_size);
    size_t n = (size_t)1 << log_src;
    memmove(dst, src, n * sizeof *dst);
    pr_transform_interpolate(dst, log_src, 0, tw);
    /* A layer above log_src meets v = 0 and just copies u. */
    for (size_t at = n; at < (size_t)1 << log_dst; at *= 2) memcpy(dst + at, dst, at * sizeof *dst);
    evaluate_layers(dst, log_dst, log_src, log_dst, tw);
}

enum { LOW_BITS = 6 };

/* Products of the first `bits` factors: table[j] = product of factors[k] over the bits k of j. */
static void basis_table(pr_qm31 *table, const pr_qm31 *factors, unsigned bits) {
    table[0] = PR_QM31_ONE;
    for (unsigned k = 0; k < bits; k++)
        for (size_t j = 0; j < (size_t)1 << k; j++) table[((size_t)1 << k) + j] = pr_qm31_mul(table[j], factors[k]);
}

static pr_qm31 evaluate_tree(const pr_m31 *coeffs, unsigned log_n, unsigned low, const pr_qm31 *factors,
                             const pr_qm31 *table) {
    if (log_n > low) {
        size_t half = (size_t)1 << (log_n - 1);
        pr_qm31 left = evaluate_tree(coeffs, log_n - 1, low, factors, table);
        pr_qm31 right = evaluate_tree(coeffs + half, log_n - 1, low, factors, table);
        return pr_qm31_add(left, pr_qm31_mul(right, factors[log_n - 1]));
    }
    pr_qm31 sum = PR_QM31_ZERO;
    for (size_t j = 0; j < (size_t)1 << low; j++) sum = pr_qm31_add(sum, pr_qm31_mul_m31(table[j], coeffs[j]));
    return sum;
}

pr_qm31 pr_circle_evaluate_secure(const pr_m31 *coeffs, unsigned log_n, pr_secure_point point) {
    PR_ASSERT(log_n <= PR_CIRCLE_LOG_ORDER);
    pr_qm31 factors[PR_CIRCLE_LOG_ORDER + 1], table[1 << LOW_BITS];
    factors[0] = point.y;
    if (log_n > 1) factors[1] = point.x;
    for (unsigned k = 2; k < log_n; k++) factors[k] = pr_double_x_secure(factors[k - 1]);
    unsigned low = log_n < LOW_BITS ? log_n : LOW_BITS;
    basis_table(table, factors, low);
    return evaluate_tree(coeffs, log_n, low, factors, table);
}
