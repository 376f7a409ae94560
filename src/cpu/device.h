/* A device on the host: one mapping that holds the arena of columns and trees, the twiddles, working memory shared by
 * the threads of an operation, and working memory of each thread. Everything is mapped at creation; operations allocate
 * nothing. One operation runs at a time, so working memory is reused by each. */
#ifndef PR_CPU_DEVICE_H
#define PR_CPU_DEVICE_H
#include <omp.h>
#include "backend/backend.h"
#include "base/arena.h"

#define PR_CPU_MAX_LOG_ROWS 30

struct pr_device {
    uint32_t *base; /* the arena of columns and trees */
    size_t base_bytes;
    unsigned n_threads;
    uint32_t max_log_rows;
    /* See pr_cpu_line_twiddles. */
    uint32_t *line[PR_CPU_MAX_LOG_ROWS + 1], *line_inverse[PR_CPU_MAX_LOG_ROWS + 1];
    unsigned char *shared; /* shared_bytes, for the operation that runs */
    size_t shared_bytes;
    unsigned char *threads; /* thread_bytes each */
    size_t thread_bytes;
    pr_arena memory; /* the mapping that all of this lies in */
    pr_arena_keep
        *keep; /* where that came from; its note is the log size of the largest domain with tables. NULL: none */
};

static inline uint32_t *pr_cpu_col(pr_device *dev, pr_col col) { return dev->base + col.offset; }
/* Working memory of thread t (omp_get_thread_num()) of an operation; aligned to 4096 bytes. */
static inline void *pr_cpu_thread_memory(pr_device *dev, unsigned t) { return dev->threads + t * dev->thread_bytes; }

/* x of the canonic domain of log size m >= 2, doubled as lane_mul_doubled wants it (2x, plain 32 bits): entry h is the
 * point in slot 4h, h < 2^(m-2). The other points of the four are (x, -y), (-x, -y), (-x, y) for slots 4h+1 .. 4h+3.
 * Line layer k >= 1 of the canonic domain of log size e reads table e - k + 1: block h its entry h. So does the first
 * 2^n rows of it, with the entries before 2^(n-k-1). For m >= 3, entry 2q+1 is the y of the point in slot 8q. */
static inline const uint32_t *pr_cpu_line_twiddles(const pr_device *dev, unsigned m) { return dev->line[m]; }
/* The inverses of these, doubled too. */
static inline const uint32_t *pr_cpu_line_inverses(const pr_device *dev, unsigned m) { return dev->line_inverse[m]; }

#define PR_CPU_NEGATE_DOUBLED 0xfffffffeu /* 2b ^ this is 2(p - b) mod 2p, for b > 0 */

/* Circle twiddle of pair h (slots 2h, 2h+1) from a table above of the domain's log size m: y (or 1/y) of the point in
 * slot 2h, doubled. In fours: y, -y, -x, x of the pair of entries (x, y). */
static inline uint32_t pr_cpu_circle_twiddle(const uint32_t *table, unsigned m, size_t h) {
    if (m == 1) return 2 * (PR_P - 1);                                  /* the first point is (0, -1) */
    if (m == 2) return h ? table[0] : table[0] ^ PR_CPU_NEGATE_DOUBLED; /* an eighth of the circle: y = -x */
    uint32_t v = table[h / 4 * 2 + ((h & 2) ? 0 : 1)];
    return (h & 3) == 1 || (h & 3) == 2 ? v ^ PR_CPU_NEGATE_DOUBLED : v;
}

/* Words that the tables take, and filling them (the pointers must be set). */
size_t pr_cpu_twiddle_words(uint32_t max_log_rows);
void pr_cpu_twiddles_fill(pr_device *dev);

/* Threads worth starting for n independent pieces. */
static inline int pr_cpu_threads_for(const pr_device *dev, size_t n) {
    return (int)(n < dev->n_threads ? (n ? n : 1) : dev->n_threads);
}

size_t pr_cpu_workspace_bytes(const pr_device_needs *needs);
pr_status pr_cpu_device_create(pr_device **out, const pr_device_needs *needs, pr_error *err);
void pr_cpu_device_destroy(pr_device *dev);
#endif
