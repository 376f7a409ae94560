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

#define NO_PART SIZE_MAX

enum { INVERSE = 1, FORWARD = 2 };

typedef struct transform {
    unsigned n, n_low, n_top, log_tile;
    unsigned log_src_domain, log_dst_domain;
    unsigned steps; /* INVERSE, FORWARD or both */
    layers inverse, forward;
    size_t src_part;  /* which 2^n slots of their domain the values before are */
    size_t skip_part; /* the part that is left out, or NO_PART */
} transform;

/* 2^n coefficients, the domains of the values before and after. */
static transform plan(const pr_device *dev, unsigned steps, unsigned n, unsigned log_src_domain,
                      unsigned log_dst_domain) {
    transform t = {.n = n,
                   .steps = steps,
                   .log_src_domain = log_src_domain,
                   .log_dst_domain = log_dst_domain,
                   .skip_part = NO_PART};
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
    inverse_block(dst + at, src + at, t->n_low, t->inverse, at + (t->src_part << t->n));
}
static void low_forward(const transform *t, uint32_t *dst, size_t block) {
    if (block >> t->n_top == t->skip_part) return;
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
        inverse_units(tile, tile, from, t->log_tile, t->n_top, t->inverse, t->n_low, t->src_part << t->n_top);
        halve(tile.at, tile.at, words, t->n);
        from = tile;
    }
    for (size_t r = 0; t->steps == INVERSE && r < n_blocks(t); r++)
        memcpy(to.at + r * to.apart, tile.at + r * width, width * sizeof *dst);
    for (size_t part = n_parts(t); t->steps & FORWARD && part-- > 0;)
        if (part != t->skip_part)
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
static void tiny_inverse(uint32_t *p, unsigned n, layers l, size_t slot) {
    for (unsigned k = 0; k < n; k++)
        for (size_t i = 0; i < (size_t)1 << n; i++)
            if (!(i >> k & 1)) {
                uint32_t u = p[i], v = p[i | (size_t)1 << k];
                p[i] = pr_m31_add(u, v);
                p[i | (size_t)1 << k] = pr_m31_mul(pr_m31_sub(u, v), twiddle_at(l, k, (slot + i) >> (k + 1)) / 2);
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
        tiny_inverse(coeffs, t->n, t->inverse, t->src_part << t->n);
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

typedef struct batch {
    unsigned steps, log_parts;
    const pr_col *dst, *src;
    size_t n;
    size_t n_first; /* from this column on values are the second part of their domain; each leaves its own part out */
} batch;

/* Columns of a call differ in size perhaps: log_src, log_dst and log_parts give each one's domains. */
static transform plan_column(const pr_device *dev, const batch *b, size_t i) {
    const pr_col dst = b->dst[i], src = b->src[i];
    PR_ASSERT(dst.log_rows >= src.log_rows);
    transform t = plan(dev, b->steps, src.log_rows, src.log_rows + b->log_parts,
                       b->steps & FORWARD ? dst.log_rows : src.log_rows);
    if (b->n_first) t.skip_part = t.src_part = i >= b->n_first;
    return t;
}

static void run(pr_device *dev, const batch *b) {
    if (b->n >= dev->n_threads) {
#pragma omp parallel for num_threads((int)dev->n_threads) schedule(dynamic, 1) if (dev->n_threads > 1)
        for (size_t i = 0; i < b->n; i++) {
            transform t = plan_column(dev, b, i);
            whole_column(&t, pr_cpu_col(dev, b->dst[i]), pr_cpu_col(dev, b->src[i]),
                         pr_cpu_thread_memory(dev, (unsigned)omp_get_thread_num()));
        }
        return;
    }
    for (size_t i = 0; i < b->n; i++) {
        transform t = plan_column(dev, b, i);
        uint32_t *to = pr_cpu_col(dev, b->dst[i]), *from = pr_cpu_col(dev, b->src[i]);
        if (t.n_top == 0) {
            whole_column(&t, to, from, pr_cpu_thread_memory(dev, 0));
            continue;
        }
#pragma omp parallel num_threads((int)dev->n_threads)
        shared_column(&t, to, from, pr_cpu_thread_memory(dev, (unsigned)omp_get_thread_num()));
    }
}

/* low = (x + y) / 2, high = (x - y) t / 2, t given doubled. low may be x, and high y. */
static void combine(uint32_t *low, uint32_t *high, const uint32_t *x, const uint32_t *y, size_t rows, uint32_t t2) {
    size_t i = 0;
    for (; i + LANE_WIDTH <= rows; i += LANE_WIDTH) {
        const lane u = lane_load(x + i), v = lane_load(y + i);
        lane_store(low + i, lane_halve(lane_add(u, v), 1));
        lane_store(high + i, lane_halve(lane_mul_broadcast(lane_sub(u, v), lane_set1(t2)), 1));
    }
    for (; i < rows; i++) {
        const pr_m31 half = (pr_m31)1 << (PR_P_BITS - 1), u = x[i], v = y[i];
        low[i] = pr_m31_mul(pr_m31_add(u, v), half);
        high[i] = pr_m31_mul(pr_m31_mul(pr_m31_sub(u, v), t2 / 2), half);
    }
}

#define CHUNK ((size_t)4096) /* rows that a thread combines at a time */

/* The values src are two parts of their domain, of coefficients A and B; the last layer of the inverse would make L =
 * (A + B) / 2 and H = (A - B) / 2t of them, and values of these are the same of values of A and B. One part of either
 * is what src holds, and all others take half of the transforms that L and H would. */
pr_status PR_LANE_NAME(pr_cpu_halve)(pr_device *dev, const pr_col dst[8], const pr_col src[4], pr_error *err) {
    (void)err;
    const unsigned n = src[0].log_rows - 1, e = dst[0].log_rows;
    const size_t rows = (size_t)1 << n, chunk = rows < CHUNK ? rows : CHUNK;
    PR_ASSERT(n >= 1 && e > n);
    pr_col parts[8];
    for (size_t k = 0; k < 8; k++) parts[k] = (pr_col){src[k % 4].offset + (k / 4 << n), n};
    run(dev, &(batch){INVERSE | FORWARD, e - n, dst, parts, 8, 4});
    const uint32_t t2 = layer_twiddles((layers){dev->line_inverse, e}, n)[0];
#pragma omp parallel for collapse(2) num_threads(pr_cpu_threads_for(dev, ((size_t)4 << e) / CHUNK))                    \
    schedule(static) if (rows > CHUNK)
    for (size_t c = 0; c < 4; c++)
        for (size_t at = 0; at < (size_t)1 << e; at += chunk) {
            uint32_t *low = pr_cpu_col(dev, dst[c]) + at, *high = pr_cpu_col(dev, dst[4 + c]) + at;
            const uint32_t *known = pr_cpu_col(dev, src[c]) + at;
            combine(low, high, at >> n == 0 ? known : low, at >> n == 1 ? known : high, chunk, t2);
        }
    return PR_OK;
}

pr_status PR_LANE_NAME(pr_cpu_extend)(pr_device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err) {
    (void)err;
    run(dev, &(batch){INVERSE | FORWARD, 0, dst, src, n, 0});
    return PR_OK;
}

pr_status PR_LANE_NAME(pr_cpu_interpolate)(pr_device *dev, const pr_col *cols, size_t n, uint32_t log_parts,
                                           pr_error *err) {
    (void)err;
    run(dev, &(batch){INVERSE, log_parts, cols, cols, n, 0});
    return PR_OK;
}

pr_status PR_LANE_NAME(pr_cpu_evaluate)(pr_device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err) {
    (void)err;
    run(dev, &(batch){FORWARD, 0, dst, src, n, 0});
    return PR_OK;
}
