/* Line polynomials and folds; declared in transform.h. The line domain of log size m is the x of slots 2s of the
 * canonic domain of log size m + 1, so line layer k there is the layer of distance 2^(k-1) here. */
#include "circle/transform.h"

pr_m31 pr_line_x(unsigned log_m, uint32_t slot) { return pr_domain_point(log_m + 1, 2 * slot).x; }

void pr_line_interpolate(pr_qm31 *values, unsigned log_m, const pr_twiddles *tw) {
    size_t n = (size_t)1 << log_m;
    for (unsigned k = 0; k < log_m; k++) {
        const pr_m31 *t = pr_twiddles_layer(tw, tw->line_inverse, log_m + 1, k + 1);
        size_t distance = (size_t)1 << k;
        for (size_t h = 0; h < n >> (k + 1); h++)
            for (size_t i = 2 * h * distance; i < (2 * h + 1) * distance; i++) {
                pr_qm31 u = values[i], v = values[i + distance];
                values[i] = pr_qm31_add(u, v);
                values[i + distance] = pr_qm31_mul_m31(pr_qm31_sub(u, v), t[h]);
            }
    }
    pr_m31 scale = log_m ? (pr_m31)1 << (PR_P_BITS - log_m) : 1;
    for (size_t i = 0; i < n; i++) values[i] = pr_qm31_mul_m31(values[i], scale);
}

/* factors[k]: of bit k in natural order. */
static void line_factors(pr_qm31 *factors, unsigned log_n, pr_qm31 x) {
    PR_ASSERT(log_n <= PR_CIRCLE_LOG_ORDER);
    for (unsigned k = 0; k < log_n; k++, x = pr_double_x_secure(x)) factors[k] = x;
}

static pr_qm31 evaluate_natural(const pr_qm31 *coeffs, unsigned log_n, const pr_qm31 *factors) {
    if (log_n == 0) return coeffs[0];
    pr_qm31 left = evaluate_natural(coeffs, log_n - 1, factors);
    pr_qm31 right = evaluate_natural(coeffs + ((size_t)1 << (log_n - 1)), log_n - 1, factors);
    return pr_qm31_add(left, pr_qm31_mul(right, factors[log_n - 1]));
}

/* Bit-reversed, the halves differ in the lowest bit. */
static pr_qm31 evaluate_reversed(const pr_qm31 *coeffs, unsigned log_n, const pr_qm31 *factors) {
    if (log_n == 0) return coeffs[0];
    pr_qm31 left = evaluate_reversed(coeffs, log_n - 1, factors + 1);
    pr_qm31 right = evaluate_reversed(coeffs + ((size_t)1 << (log_n - 1)), log_n - 1, factors + 1);
    return pr_qm31_add(left, pr_qm31_mul(right, factors[0]));
}

pr_qm31 pr_line_evaluate_secure(const pr_qm31 *coeffs, unsigned log_n, pr_qm31 x) {
    pr_qm31 factors[PR_CIRCLE_LOG_ORDER];
    line_factors(factors, log_n, x);
    return evaluate_natural(coeffs, log_n, factors);
}

pr_qm31 pr_line_evaluate(const pr_qm31 *coeffs, unsigned log_n, pr_m31 x) {
    return pr_line_evaluate_secure(coeffs, log_n, pr_qm31_from_m31(x));
}

pr_qm31 pr_line_evaluate_stored(const pr_qm31 *coeffs, unsigned log_n, pr_m31 x) {
    pr_qm31 factors[PR_CIRCLE_LOG_ORDER];
    line_factors(factors, log_n, pr_qm31_from_m31(x));
    return evaluate_reversed(coeffs, log_n, factors);
}

void pr_fold_circle(pr_qm31 *dst, const pr_qm31 *src, unsigned log_n, pr_qm31 alpha, const pr_twiddles *tw) {
    for (uint32_t i = 0; i < (uint32_t)1 << (log_n - 1); i++)
        dst[i] = pr_fold_pair(src[2 * i], src[2 * i + 1], pr_twiddles_circle_inverse(tw, log_n, i), alpha);
}

void pr_fold_line(pr_qm31 *dst, const pr_qm31 *src, unsigned log_m, pr_qm31 alpha, const pr_twiddles *tw) {
    const pr_m31 *inverse = pr_twiddles_layer(tw, tw->line_inverse, log_m + 1, 1);
    for (size_t i = 0; i < (size_t)1 << (log_m - 1); i++)
        dst[i] = pr_fold_pair(src[2 * i], src[2 * i + 1], inverse[i], alpha);
}
