/* Prefix sums in row order of columns in storage order. Compiled once per instruction set.
 *
 * Rows 2j and 2j + 1 lie in slots 2q and 2^n - 1 - 2q, q the n - 1 bits of j reversed. Split q into high bits (the low
 * bits of j) and m low bits: for fixed low bits, walking the high bits in reversed order walks RUN consecutive pairs of
 * rows. So a chunk of neighbouring low parts advances in step, each with a running total of its own:
 *
 *      slots   |  low parts ->  | low parts -> |  ...          pass 1: the total of each low part's run
 *      j = 0   |  a0  a1  a2 .. |              |               then: where each run starts (serial, 2^m sums)
 *      j = 1   |    (elsewhere) |  b0 b1 b2 .. |               pass 2: the same walk, storing running totals
 *
 * A chunk and its mirror image share slot blocks, so one thread takes both. */
#include <string.h>
#include "cpu/kernels/logup.h"
#include "cpu/workspace.h"
#include "field/lane.h"

#define CHUNK 128u
#define SERIAL_LOG_ROWS 11
#define PART_BITS PR_CPU_SCAN_PART_BITS

typedef struct scan {
    uint32_t *column;
    pr_m31 shift;
    unsigned log_rows, run_bits, part_bits; /* log_rows = 1 + run_bits + part_bits */
    uint32_t *starts;                       /* [1 << part_bits] */
} scan;

static void scan_serial(const scan *s) {
    pr_m31 sum = 0;
    for (uint32_t r = 0; r < 1u << s->log_rows; r++) {
        uint32_t *value = &s->column[pr_slot_of_row(s->log_rows, r)];
        sum = pr_m31_add(sum, pr_m31_sub(*value, s->shift));
        *value = sum;
    }
}

/* Where pair k of the runs of parts first .. first + CHUNK - 1 lies: the even row of part first + i in slot[2i] of the
 * first, its odd row in slot[-2i] of the second. */
static uint32_t *even_of(const scan *s, uint32_t first, uint32_t k) {
    return s->column + 2 * (((size_t)pr_bitrev(k, s->run_bits) << s->part_bits) + first);
}
static uint32_t *odd_of(const scan *s, const uint32_t *even) {
    return s->column + (((size_t)1 << s->log_rows) - 1 - (size_t)(even - s->column));
}

static void total_chunk(const scan *s, uint32_t first) {
    uint64_t totals[CHUNK] = {0};
    for (uint32_t k = 0; k < 1u << s->run_bits; k++) {
        const uint32_t *even = even_of(s, first, k), *odd = odd_of(s, even);
        for (uint32_t i = 0; i < CHUNK; i++) totals[i] += (uint64_t)even[2 * i] + *(odd - 2 * i);
    }
    pr_m31 shifts = pr_m31_mul(s->shift, pr_m31_reduce((uint64_t)2 << s->run_bits));
    for (uint32_t i = 0; i < CHUNK; i++) s->starts[first + i] = pr_m31_sub(pr_m31_reduce(totals[i]), shifts);
}

static void find_starts(const scan *s) {
    pr_m31 sum = 0;
    for (uint32_t j = 0; j < 1u << s->part_bits; j++) {
        uint32_t *start = &s->starts[pr_bitrev(j, s->part_bits)];
        pr_m31 total = *start;
        *start = sum;
        sum = pr_m31_add(sum, total);
    }
}

static void walk_chunk(const scan *s, uint32_t first) {
    uint32_t running[CHUNK];
    memcpy(running, s->starts + first, sizeof running);
    for (uint32_t k = 0; k < 1u << s->run_bits; k++) {
        uint32_t *even = even_of(s, first, k), *odd = odd_of(s, even);
        for (uint32_t i = 0; i < CHUNK; i++) {
            pr_m31 sum = pr_m31_add(running[i], pr_m31_sub(even[2 * i], s->shift));
            even[2 * i] = sum;
            running[i] = pr_m31_add(sum, pr_m31_sub(*(odd - 2 * i), s->shift));
            *(odd - 2 * i) = running[i];
        }
    }
}

void PR_LANE_NAME(pr_cpu_prefix_rows)(pr_device *dev, const pr_col cols[4], pr_qm31 shift) {
    scan s[4];
    unsigned n = cols[0].log_rows, run_bits = n > PART_BITS + 3 ? n - 1 - PART_BITS : 2;
    for (int c = 0; c < 4; c++) {
        s[c] = (scan){pr_cpu_col(dev, cols[c]), shift.c[c], n, run_bits, n - 1 - run_bits, NULL};
        s[c].starts = (uint32_t *)dev->shared + ((size_t)c << PART_BITS);
        if (n <= SERIAL_LOG_ROWS) scan_serial(&s[c]);
    }
    if (n <= SERIAL_LOG_ROWS) return;
    uint32_t n_chunks = (1u << s[0].part_bits) / CHUNK;
#pragma omp parallel num_threads(pr_cpu_threads_for(dev, 2 * n_chunks))
    {
#pragma omp for schedule(static)
        for (uint32_t t = 0; t < 4 * n_chunks; t++) total_chunk(&s[t / n_chunks], t % n_chunks * CHUNK);
#pragma omp for schedule(static)
        for (int c = 0; c < 4; c++) find_starts(&s[c]);
#pragma omp for schedule(static)
        for (uint32_t t = 0; t < 2 * n_chunks; t++) {
            const scan *one = &s[t / (n_chunks / 2)];
            uint32_t first = t % (n_chunks / 2) * CHUNK;
            walk_chunk(one, first);
            walk_chunk(one, (1u << one->part_bits) - CHUNK - first);
        }
    }
}
