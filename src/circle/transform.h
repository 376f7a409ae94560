/* Transforms between values in storage order and coefficients, folds and evaluations: one word at a time, for the
 * verifier and as the reference that kernels are compared with. protocol.md sections 3 and 12.
 *
 * Coefficient j of a circle polynomial, bits j0 j1 j2 .., belongs to y^j0 * x^j1 * pi(x)^j2 * pi(pi(x))^j3 ..; of a
 * line polynomial to x^j0 * pi(x)^j1 ... Natural order unless said otherwise. Sizes are log2.
 *
 * Thread rule: twiddles are only read after their init; everything else works on the caller's arrays.
 *
 *   pr_twiddles tw;
 *   PR_TRY(pr_twiddles_init(&tw, 12, err));
 *   pr_transform_extend(dst, src, 10, 12, &tw);
 *   pr_twiddles_clear(&tw);
 */
#ifndef PR_CIRCLE_TRANSFORM_H
#define PR_CIRCLE_TRANSFORM_H
#include "circle/circle.h"

/* The twiddles of the canonic domain of log_size; they serve every smaller one too.
 * Line layer k = 1 .. log_size - 1 has 2^(log_size - 1 - k) entries: entry h is pi^(k-1) of the x in slot h * 2^(k+1).
 * Layers lie one after another from layer 1 on; one padding entry 1 follows. Each line layer k of a domain is line
 * layer k + 1 of the domain twice as large. The circle layer's y follow from line layer 1, in fours; log sizes 1 and 2
 * are too small for that and have their own. */
typedef struct pr_twiddles {
    unsigned log_size;
    pr_m31 *line, *line_inverse; /* [2^(log_size - 1)], owned */
    pr_m31 small[3];             /* circle layer of log size 1: [0]; of log size 2: [1], [2] */
    pr_m31 small_inverse[3];
} pr_twiddles;

/* 1 <= log_size <= 30; 2^(log_size + 2) bytes. PR_ERR_MEMORY. */
PR_MUST_CHECK pr_status pr_twiddles_init(pr_twiddles *tw, unsigned log_size, pr_error *err);
void pr_twiddles_clear(pr_twiddles *tw);
/* Line layer k of the canonic domain of log_domain <= log_size, forward or inverse: 2^(log_domain - 1 - k) entries. */
const pr_m31 *pr_twiddles_layer(const pr_twiddles *tw, const pr_m31 *line, unsigned log_domain, unsigned k);
/* 1 / y of the point in slot 2h of the canonic domain of log_domain. */
pr_m31 pr_twiddles_circle_inverse(const pr_twiddles *tw, unsigned log_domain, uint32_t h);
pr_m31 pr_twiddles_circle(const pr_twiddles *tw, unsigned log_domain, uint32_t h);

/* Values at the first 2^log_n rows of the canonic domain of log_n + log_parts (log_parts = 0: all of it) to
 * coefficients, in place. tw of that domain's log size or more. log_n = 0: a constant, nothing changes. */
void pr_transform_interpolate(pr_m31 *values, unsigned log_n, unsigned log_parts, const pr_twiddles *tw);
/* Back: 2^log_n coefficients to values, in place. */
void pr_transform_evaluate(pr_m31 *values, unsigned log_n, unsigned log_parts, const pr_twiddles *tw);
/* Values on the canonic domain of log_src (0: a constant) to values on that of log_dst >= log_src. dst has room for
 * 2^log_dst and may start where src does. */
void pr_transform_extend(pr_m31 *dst, const pr_m31 *src, unsigned log_src, unsigned log_dst, const pr_twiddles *tw);

/* Circle polynomial of 2^log_n coefficients at a point. O(2^log_n). */
pr_qm31 pr_circle_evaluate_secure(const pr_m31 *coeffs, unsigned log_n, pr_secure_point point);

/* x of storage slot of the line domain of log_m: indices 2^(29-m) + j * 2^(31-m), bit-reversed. */
pr_m31 pr_line_x(unsigned log_m, uint32_t slot);
/* Values on the line domain of log_m to coefficients, in place. tw of log size > log_m. */
void pr_line_interpolate(pr_qm31 *values, unsigned log_m, const pr_twiddles *tw);
/* Line polynomial of 2^log_n coefficients at x. The stored form takes them bit-reversed, as proofs hold them. */
pr_qm31 pr_line_evaluate_secure(const pr_qm31 *coeffs, unsigned log_n, pr_qm31 x);
pr_qm31 pr_line_evaluate(const pr_qm31 *coeffs, unsigned log_n, pr_m31 x);
pr_qm31 pr_line_evaluate_stored(const pr_qm31 *coeffs, unsigned log_n, pr_m31 x);

/* One pair of a fold: u + v + alpha * (u - v) * inverse, the inverse of the first point's y (circle) or x (line). */
static inline pr_qm31 pr_fold_pair(pr_qm31 u, pr_qm31 v, pr_m31 inverse, pr_qm31 alpha) {
    return pr_qm31_add(pr_qm31_add(u, v), pr_qm31_mul(alpha, pr_qm31_mul_m31(pr_qm31_sub(u, v), inverse)));
}
/* Values on the canonic domain of log_n to half as many on the line domain of log_n - 1. dst may be src. */
void pr_fold_circle(pr_qm31 *dst, const pr_qm31 *src, unsigned log_n, pr_qm31 alpha, const pr_twiddles *tw);
/* Values on the line domain of log_m to half as many on that of log_m - 1. dst may be src. tw of log size > log_m. */
void pr_fold_line(pr_qm31 *dst, const pr_qm31 *src, unsigned log_m, pr_qm31 alpha, const pr_twiddles *tw);
#endif
