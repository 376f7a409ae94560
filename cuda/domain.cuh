/* Points, orders and twiddles on the device: protocol.md sections 2 and 3. */
#ifndef PR_CUDA_DOMAIN_CUH
#define PR_CUDA_DOMAIN_CUH
#include "cuda/common.cuh"

namespace PR_GPU {

/* A twiddle t in tables: 2t, signed, with t in (-p/2, p/2). */
PR_DEVICE uint32_t double_twiddle(pr_m31 t) { return 2 * (t > PR_P / 2 ? t - PR_P : t); }
PR_DEVICE pr_m31 halve_twiddle(uint32_t doubled) {
    const uint32_t half = (uint32_t)((int32_t)doubled >> 1);
    return pr_m31_smaller(half + PR_P, half);
}
/* v t for v in [-p, p]. The halves of the doubled product are congruent to its parts below and above bit 31; what is
 * added, 0 mod p, leaves their sum in [-p, p]. */
PR_DEVICE pr_m31 mul_twiddle(uint32_t v, uint32_t doubled) {
    const int64_t product = (int64_t)(int32_t)v * (int32_t)doubled + (INT64_C(1) << 31) - (INT64_C(1) << 62);
    const uint32_t sum = (uint32_t)((uint64_t)product >> 32) + ((uint32_t)product >> 1);
    return pr_m31_smaller(sum + PR_P, sum);
}

/* x of the canonic domain of log size m >= 2, as double_twiddle() has it: entry h is the point in slot 4h, h < 2^(m-2),
 * and lies at word 2^(m-2) + h, so that tables of all sizes stand one behind another. Their inverses beside them. The
 * other points of the four are (x, -y), (-x, -y), (-x, y). For m >= 3, entry 2q + 1 is the y of the point in slot 8q.
 */
struct twiddle_tables {
    const_words line, inverse;
};
inline size_t twiddle_words(uint32_t max_log_rows) { return max_log_rows < 2 ? 1 : (size_t)1 << (max_log_rows - 1); }

PR_DEVICE pr_m31 line_entry(const const_words &table, unsigned m, size_t h) {
    return halve_twiddle(ld(table, ((size_t)1 << (m - 2)) + h));
}
/* y (or 1/y) of the point in slot 2h of the canonic domain of log size m >= 1. */
PR_DEVICE pr_m31 circle_entry(const const_words &table, unsigned m, size_t h) {
    if (m == 1) return PR_P - 1;                                                     /* the first point is (0, -1) */
    if (m == 2) return h ? line_entry(table, 2, 0) : PR_P - line_entry(table, 2, 0); /* an eighth of the circle */
    const pr_m31 v = line_entry(table, m, h / 4 * 2 + ((h & 2) ? 0 : 1));
    return (h & 3) == 1 || (h & 3) == 2 ? PR_P - v : v;
}
/* Twiddle of layer k, block h, on the canonic domain of log size e: the pair's first slot is h << (k + 1). */
PR_DEVICE pr_m31 layer_twiddle(const const_words &table, unsigned e, unsigned k, size_t h) {
    return k ? line_entry(table, e - k + 1, h) : circle_entry(table, e, h);
}
/* The point in a slot of the canonic domain of log size m >= 2. */
PR_DEVICE pr_point domain_point(const const_words &line, unsigned m, uint32_t slot) {
    const pr_m31 x = line_entry(line, m, slot >> 2), y = circle_entry(line, m, slot >> 1);
    return pr_point{slot & 2 ? PR_P - x : x, slot & 1 ? PR_P - y : y};
}

/* The lowest bits (0 .. 32) of v, reversed. */
PR_DEVICE uint32_t reverse_bits(uint32_t v, unsigned bits) { return bits ? __brev(v) >> (32 - bits) : 0; }
PR_DEVICE uint32_t slot_of_row(unsigned n, uint32_t r) {
    return reverse_bits(r & 1 ? (1u << n) - (r + 1) / 2 : r / 2, n);
}
PR_DEVICE uint32_t row_of_slot(unsigned n, uint32_t slot) {
    if (n == 0) return 0;
    const uint32_t natural = reverse_bits(slot, n), half = 1u << (n - 1);
    return natural < half ? 2 * natural : 2 * ((1u << n) - natural) - 1;
}
/* The slot that lies offset rows from this one: extension 0 on the trace domain; 1 among the first 2^(n+1) slots of an
 * extended column, where slot 2q + half moves q reversed, in the second half backwards. */
PR_DEVICE uint32_t moved_slot(unsigned n, unsigned extension, uint32_t slot, int32_t offset) {
    const uint32_t mask = (1u << n) - 1;
    if (extension == 0) return slot_of_row(n, (row_of_slot(n, slot) + (uint32_t)offset) & mask);
    const uint32_t j = reverse_bits(slot >> 1, n), by = (uint32_t)offset;
    return 2 * reverse_bits((slot & 1 ? j - by : j + by) & mask, n) + (slot & 1);
}

} // namespace PR_GPU
#endif
