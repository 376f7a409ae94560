#include "cpu/device.h"

/* Tables of 2^(m-2) words for m = 2 .. max, each rounded to a cache line, and their inverses. */
size_t pr_cpu_twiddle_words(uint32_t max_log_rows) {
    size_t words = 0;
    for (uint32_t m = 2; m <= max_log_rows; m++) words += 2 * (((size_t)1 << (m - 2)) + 16);
    return words;
}

/* x of slot 4h is x of the half coset's point bitrev(h) of its first half. The points are walked in natural order
 * within short runs so that threads can start anywhere. */
static void fill_largest(uint32_t *table, unsigned m) {
    const unsigned bits = m - 2, log_run = bits < 10 ? bits : 10;
    const uint32_t start = 1u << (30 - m);
    const pr_point step = pr_point_from_index(pr_index((uint64_t)1 << (32 - m)));
    for (uint32_t run = 0; run < 1u << (bits - log_run); run++) {
        uint32_t first = run << log_run;
        pr_point p = pr_point_from_index(pr_index(start + ((uint64_t)first << (32 - m))));
        for (uint32_t j = first; j < first + (1u << log_run); j++) {
            table[pr_bitrev(j, bits)] = p.x;
            p = pr_point_add(p, step);
        }
    }
}

/* The x of the domain half as large: pi of every other entry. */
static void fill_from_larger(uint32_t *table, const uint32_t *larger, unsigned m) {
    for (size_t h = 0; h < (size_t)1 << (m - 2); h++) table[h] = pr_double_x(larger[2 * h]);
}

static void double_all(uint32_t *table, size_t n) {
    for (size_t i = 0; i < n; i++) table[i] *= 2;
}

void pr_cpu_twiddles_fill(pr_device *dev) {
    unsigned max = dev->max_log_rows;
    if (max < 2) return;
    fill_largest(dev->line[max], max);
    for (unsigned m = max - 1; m >= 2; m--) fill_from_larger(dev->line[m], dev->line[m + 1], m);
    for (unsigned m = 2; m <= max; m++) {
        size_t n = (size_t)1 << (m - 2);
        pr_m31_batch_inverse(dev->line_inverse[m], dev->line[m], n);
        double_all(dev->line[m], n);
        double_all(dev->line_inverse[m], n);
    }
}
