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

/* Even rows fill the first half of the natural order forwards, odd rows the second half backwards: both are bit
 * reversals of 2^(n-1) rows, to even slots and to odd slots. */
static void permute(uint32_t *dst, const uint32_t *src, unsigned n) {
    for (uint32_t r = 0; r < 1u << n; r++) dst[pr_slot_of_row(n, r)] = src[r];
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
