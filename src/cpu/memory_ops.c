/* Operations that only move words. */
#include "cpu/ops.h"

#include <string.h>

static size_t col_bytes(pr_col col) { return sizeof(uint32_t) << col.log_rows; }

pr_status pr_cpu_synchronize(pr_device *dev, pr_error *err) {
    (void)dev, (void)err;
    return PR_OK;
}

pr_status pr_cpu_upload(pr_device *dev, pr_col dst, const pr_m31 *src, pr_error *err) {
    (void)err;
    memcpy(pr_cpu_col(dev, dst), src, col_bytes(dst));
    return PR_OK;
}

pr_status pr_cpu_download(pr_device *dev, pr_m31 *dst, pr_col src, pr_error *err) {
    (void)err;
    memcpy(dst, pr_cpu_col(dev, src), col_bytes(src));
    return PR_OK;
}

pr_status pr_cpu_zero(pr_device *dev, const pr_col *cols, size_t n, pr_error *err) {
    (void)err;
#pragma omp parallel for num_threads(pr_cpu_threads_for(dev, n)) schedule(static)
    for (size_t i = 0; i < n; i++) memset(pr_cpu_col(dev, cols[i]), 0, col_bytes(cols[i]));
    return PR_OK;
}

pr_status pr_cpu_map_write(pr_device *dev, pr_m31 **host, const pr_col *cols, size_t n, pr_error *err) {
    (void)err;
    for (size_t i = 0; i < n; i++) host[i] = pr_cpu_col(dev, cols[i]);
    return PR_OK;
}

pr_status pr_cpu_unmap_write(pr_device *dev, pr_m31 *const *host, const pr_col *cols, size_t n, pr_error *err) {
    (void)dev, (void)host, (void)cols, (void)n, (void)err;
    return PR_OK;
}

/* Rows in pairs: pair a = rows 2a and 2a + 1, of which there are 2^h, h = n - 1. Row 2a has natural index a and goes to
 * slot 2 rev(a), rev reversing h bits; row 2a + 1 has the complement of a and goes to slot 2 rev(~a) + 1. So the pair
 * of slots R is made of the even row of pair rev(R) and the odd row of pair ~rev(R).
 *
 * Blocked: the bits of a pair's number are high | middle | low, high and low LOG_RUN bits each. Pairs of one middle are
 * runs that lie together, and go to runs that lie together, of the reversed middle; odd rows come from the complement.
 */
#define LOG_RUN 5
#define RUN (1u << LOG_RUN)

typedef struct row_pair {
    uint32_t even, odd;
} row_pair;

static void permute_small(row_pair *dst, const row_pair *src, unsigned h) {
    const uint32_t last = (1u << h) - 1;
    for (uint32_t r = 0; r <= last; r++) {
        uint32_t a = pr_bitrev(r, h);
        dst[r] = (row_pair){src[a].even, src[last - a].odd};
    }
}

static void read_runs(row_pair tile[RUN][RUN], const row_pair *src, unsigned h, uint32_t middle) {
    for (size_t high = 0; high < RUN; high++)
        memcpy(tile[high], src + (high << (h - LOG_RUN)) + ((size_t)middle << LOG_RUN), sizeof tile[high]);
}

/* The runs of slots whose pairs have this middle: evens from tile, odds from its complement's. */
static void write_runs(row_pair *dst, row_pair (*tile)[RUN], row_pair (*complement)[RUN], unsigned h, uint32_t middle,
                       const uint8_t reversed[RUN]) {
    row_pair *out = dst + ((size_t)pr_bitrev(middle, h - 2 * LOG_RUN) << LOG_RUN);
    for (uint32_t low = 0; low < RUN; low++) {
        row_pair *run = out + ((size_t)reversed[low] << (h - LOG_RUN));
        for (uint32_t k = 0; k < RUN; k++) {
            uint32_t high = reversed[k];
            run[k] = (row_pair){tile[high][low].even, complement[RUN - 1 - high][RUN - 1 - low].odd};
        }
    }
}

static void permute(uint32_t *dst_words, const uint32_t *src_words, unsigned n) {
    if (n == 0) {
        dst_words[0] = src_words[0];
        return;
    }
    const unsigned h = n - 1;
    row_pair *dst = (row_pair *)dst_words;
    const row_pair *src = (const row_pair *)src_words;
    if (h <= 2 * LOG_RUN) {
        permute_small(dst, src, h);
        return;
    }
    uint8_t reversed[RUN];
    for (uint32_t k = 0; k < RUN; k++) reversed[k] = (uint8_t)pr_bitrev(k, LOG_RUN);
    const uint32_t last = (1u << (h - 2 * LOG_RUN)) - 1;
    row_pair one[RUN][RUN], other[RUN][RUN];
    for (uint32_t middle = 0; middle <= last / 2; middle++) {
        read_runs(one, src, h, middle);
        read_runs(other, src, h, last - middle);
        write_runs(dst, one, other, h, middle, reversed);
        write_runs(dst, other, one, h, last - middle, reversed);
    }
}

pr_status pr_cpu_rows_to_storage(pr_device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err) {
    (void)err;
#pragma omp parallel for num_threads(pr_cpu_threads_for(dev, n)) schedule(dynamic, 1)
    for (size_t i = 0; i < n; i++) {
        PR_ASSERT(dst[i].log_rows == src[i].log_rows);
        permute(pr_cpu_col(dev, dst[i]), pr_cpu_col(dev, src[i]), src[i].log_rows);
    }
    return PR_OK;
}

pr_status pr_cpu_gather(pr_device *dev, pr_m31 *out, const pr_col *cols, size_t n, const uint32_t *positions,
                        size_t n_positions, uint32_t log_lifted, pr_error *err) {
    (void)err;
    for (size_t i = 0; i < n; i++) {
        const uint32_t *col = pr_cpu_col(dev, cols[i]);
        for (size_t k = 0; k < n_positions; k++)
            out[i * n_positions + k] = col[pr_slot_lift(cols[i].log_rows, log_lifted, positions[k])];
    }
    return PR_OK;
}
