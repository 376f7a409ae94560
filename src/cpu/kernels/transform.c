/* Transforms of whole columns. A column of 2^n words is n_low layers on blocks that lie together and fit the first
 * cache, and n_top layers across 2^n_top blocks:
 *
 *   low pass inverse   each block: layers 0 .. n_low - 1
 *   top pass           each tile (a few words of every block, copied to the thread's memory): the other layers inverse,
 *                      times 2^-n, and, for each part of the extension, the same layers forward
 *   low pass forward   each block of each part
 *
 * so that values become an extension in three passes over memory. The parts of an extension by b logs are its 2^b
 * runs of 2^n slots: its first b layers only copy the coefficients to each, for they meet zeros. */
#include <string.h>

#include "cpu/kernels/layers.h"
#include "cpu/ops.h"

#define LOG_BLOCK 12
#define LOG_TILE 5 /* words of a tile's row: two cache lines */

enum { INVERSE = 1, FORWARD = 2 };

typedef struct transform {
    unsigned n, n_low, n_top, log_tile;
    unsigned log_src_domain, log_dst_domain;
    unsigned steps; /* INVERSE, FORWARD or both */
    layers inverse, forward;
} transform;

/* 2^n coefficients, the domains of the values before and after. */
static transform plan(const pr_device *dev, unsigned steps, unsigned n, unsigned log_src_domain,
                      unsigned log_dst_domain) {
    transform t = {.n = n, .steps = steps, .log_src_domain = log_src_domain, .log_dst_domain = log_dst_domain};
    PR_ASSERT(log_src_domain <= dev->max_log_rows && log_dst_domain <= dev->max_log_rows);
    t.n_low = n <= LOG_BLOCK + 1 ? n : LOG_BLOCK;
    t.n_top = n - t.n_low;
    t.log_tile = LOG_TILE < t.n_low ? LOG_TILE : t.n_low;
    t.inverse = (layers){dev->line_inverse, log_src_domain};
    t.forward = (layers){dev->line, log_dst_domain};
    return t;
}

static size_t n_parts(const transform *t) { return t->steps & FORWARD ? (size_t)1 << (t->log_dst_domain - t->n) : 1; }
static size_t n_blocks(const transform *t) { return (size_t)1 << t->n_top; }
static size_t n_tiles(const transform *t) { return (size_t)1 << (t->n_low - t->log_tile); }

static void low_inverse(const transform *t, uint32_t *dst, const uint32_t *src, size_t block) {
    const size_t at = block << t->n_low;
    inverse_block(dst + at, src + at, t->n_low, t->inverse, at);
}
static void low_forward(const transform *t, uint32_t *dst, size_t block) {
    const size_t at = block << t->n_low;
    forward_block(dst + at, t->n_low, t->forward, at);
}

/* dst = src / 2^n; dst may be src. */
static void halve(uint32_t *dst, const uint32_t *src, size_t words, unsigned n) {
    for (size_t j = 0; j < words; j += LANE_WIDTH) lane_store(dst + j, lane_halve(lane_load(src + j), n));
}

/* The top layers across the blocks; memory: room for two tiles. dst may be src. */
static void top_pass(const transform *t, uint32_t *dst, const uint32_t *src, size_t index, uint32_t *memory) {
    const size_t at = index << t->log_tile, width = (size_t)1 << t->log_tile, words = width << t->n_top;
    const units tile = {memory, width}, copy = {memory + words, width}, to = {dst + at, (size_t)1 << t->n_low};
    units from = {(uint32_t *)(uintptr_t)(src + at), (size_t)1 << t->n_low}; /* only read */
    if (t->steps & INVERSE) {
        inverse_units(tile, tile, from, t->log_tile, t->n_top, t->inverse, t->n_low, 0);
        halve(tile.at, tile.at, words, t->n);
        from = tile;
    }
    for (size_t r = 0; t->steps == INVERSE && r < n_blocks(t); r++)
        memcpy(to.at + r * to.apart, tile.at + r * width, width * sizeof *dst);
    for (size_t part = n_parts(t); t->steps & FORWARD && part-- > 0;)
        forward_units((units){to.at + (part << t->n), to.apart}, copy, from, t->log_tile, t->n_top, t->forward,
                      t->n_low, part << t->n_top);
}

/* A column of one block. */
static void single_block(const transform *t, uint32_t *dst, const uint32_t *src) {
    const size_t words = (size_t)1 << t->n;
    if (t->steps & INVERSE)
        halve(dst, src, words, t->n);
    else
        memmove(dst, src, words * sizeof *dst);
    for (size_t part = 1; part < n_parts(t); part++) memcpy(dst + part * words, dst, words * sizeof *dst);
}

/* Too small for lanes: layer by layer, word by word. */
static uint32_t twiddle_at(layers l, unsigned k, size_t block) {
    return k ? layer_twiddles(l, k)[block] : pr_cpu_circle_twiddle(l.tables[l.e], l.e, block);
}
static void tiny_inverse(uint32_t *p, unsigned n, layers l) {
    for (unsigned k = 0; k < n; k++)
        for (size_t i = 0; i < (size_t)1 << n; i++)
            if (!(i >> k & 1)) {
                uint32_t u = p[i], v = p[i | (size_t)1 << k];
                p[i] = pr_m31_add(u, v);
                p[i | (size_t)1 << k] = pr_m31_mul(pr_m31_sub(u, v), twiddle_at(l, k, i >> (k + 1)) / 2);
            }
}
static void tiny_forward(uint32_t *p, unsigned n, layers l, size_t slot) {
    for (unsigned k = n; k-- > 0;)
        for (size_t i = 0; i < (size_t)1 << n; i++)
            if (!(i >> k & 1)) {
                uint32_t u = p[i], v = pr_m31_mul(p[i | (size_t)1 << k], twiddle_at(l, k, (slot + i) >> (k + 1)) / 2);
                p[i] = pr_m31_add(u, v);
                p[i | (size_t)1 << k] = pr_m31_sub(u, v);
            }
}
static void tiny(const transform *t, uint32_t *dst, const uint32_t *src) {
    uint32_t coeffs[1 << MIN_LOG];
    const size_t words = (size_t)1 << t->n;
    memcpy(coeffs, src, words * sizeof *coeffs);
    if (t->steps & INVERSE) {
        tiny_inverse(coeffs, t->n, t->inverse);
        for (size_t i = 0; i < words; i++) coeffs[i] = pr_m31_mul(coeffs[i], (pr_m31)1 << (PR_P_BITS - t->n));
    }
    for (size_t part = 0; part < n_parts(t); part++) {
        memcpy(dst + part * words, coeffs, words * sizeof *coeffs);
        if (t->steps & FORWARD) tiny_forward(dst + part * words, t->n, t->forward, part * words);
    }
}

static void whole_column(const transform *t, uint32_t *dst, const uint32_t *src, uint32_t *memory) {
    if (t->n < MIN_LOG) {
        tiny(t, dst, src);
        return;
    }
    const uint32_t *coeffs = src;
    if (t->steps & INVERSE) {
        for (size_t i = 0; i < n_blocks(t); i++) low_inverse(t, dst, src, i);
        coeffs = dst;
    }
    if (t->n_top == 0) single_block(t, dst, coeffs);
    for (size_t i = 0; t->n_top && i < n_tiles(t); i++) top_pass(t, dst, coeffs, i, memory);
    if (t->steps & FORWARD)
        for (size_t i = 0; i < n_parts(t) * n_blocks(t); i++) low_forward(t, dst, i);
}

/* All threads on one column; called by each of them. */
static void shared_column(const transform *t, uint32_t *dst, const uint32_t *src, uint32_t *memory) {
    const uint32_t *coeffs = src;
    if (t->steps & INVERSE) {
#pragma omp for schedule(static)
        for (size_t i = 0; i < n_blocks(t); i++) low_inverse(t, dst, src, i);
        coeffs = dst;
    }
#pragma omp for schedule(static)
    for (size_t i = 0; i < n_tiles(t); i++) top_pass(t, dst, coeffs, i, memory);
    if (t->steps & FORWARD) {
#pragma omp for schedule(static)
        for (size_t i = 0; i < n_parts(t) * n_blocks(t); i++) low_forward(t, dst, i);
    }
}

/* Columns of a call differ in size perhaps: log_src, log_dst and log_parts give each one's domains. */
static transform plan_column(const pr_device *dev, unsigned steps, pr_col dst, pr_col src, unsigned log_parts) {
    PR_ASSERT(dst.log_rows >= src.log_rows);
    return plan(dev, steps, src.log_rows, src.log_rows + log_parts, steps & FORWARD ? dst.log_rows : src.log_rows);
}

static void run(pr_device *dev, unsigned steps, const pr_col *dst, const pr_col *src, size_t n, unsigned log_parts) {
    if (n >= dev->n_threads) {
#pragma omp parallel for num_threads((int)dev->n_threads) schedule(dynamic, 1) if (dev->n_threads > 1)
        for (size_t i = 0; i < n; i++) {
            transform t = plan_column(dev, steps, dst[i], src[i], log_parts);
            whole_column(&t, pr_cpu_col(dev, dst[i]), pr_cpu_col(dev, src[i]),
                         pr_cpu_thread_memory(dev, (unsigned)omp_get_thread_num()));
        }
        return;
    }
    for (size_t i = 0; i < n; i++) {
        transform t = plan_column(dev, steps, dst[i], src[i], log_parts);
        uint32_t *to = pr_cpu_col(dev, dst[i]), *from = pr_cpu_col(dev, src[i]);
        if (t.n_top == 0) {
            whole_column(&t, to, from, pr_cpu_thread_memory(dev, 0));
            continue;
        }
#pragma omp parallel num_threads((int)dev->n_threads)
        shared_column(&t, to, from, pr_cpu_thread_memory(dev, (unsigned)omp_get_thread_num()));
    }
}

pr_status PR_LANE_NAME(pr_cpu_extend)(pr_device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err) {
    (void)err;
    run(dev, INVERSE | FORWARD, dst, src, n, 0);
    return PR_OK;
}

pr_status PR_LANE_NAME(pr_cpu_interpolate)(pr_device *dev, const pr_col *cols, size_t n, uint32_t log_parts,
                                           pr_error *err) {
    (void)err;
    run(dev, INVERSE, cols, cols, n, log_parts);
    return PR_OK;
}

pr_status PR_LANE_NAME(pr_cpu_evaluate)(pr_device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err) {
    (void)err;
    run(dev, FORWARD, dst, src, n, 0);
    return PR_OK;
}
