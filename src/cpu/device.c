#include "cpu/device.h"

#include <stdlib.h>
#include "base/cpu.h"
#include "cpu/cpu_backend.h"
#include "cpu/workspace.h"

#define HUGE_PAGE ((size_t)2 << 20)

static size_t round_up(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

static pr_device_needs with_threads(const pr_device_needs *needs) {
    pr_device_needs r = *needs;
    if (r.n_threads == 0) r.n_threads = pr_cpu_count();
    return r;
}

size_t pr_cpu_workspace_bytes(const pr_device_needs *needs) {
    pr_device_needs known = with_threads(needs);
    size_t twiddles = round_up(pr_cpu_twiddle_words(known.max_log_rows) * sizeof(uint32_t), 4096);
    return twiddles + pr_cpu_shared_bytes(&known) + known.n_threads * pr_cpu_thread_bytes(&known) + HUGE_PAGE;
}

static void place_twiddles(pr_device *dev) {
    for (unsigned m = 2; m <= dev->max_log_rows; m++) {
        size_t bytes = sizeof(uint32_t) << (m - 2);
        dev->line[m] = pr_arena_alloc(&dev->memory, bytes, 64);
        dev->line_inverse[m] = pr_arena_alloc(&dev->memory, bytes, 64);
        PR_ASSERT(dev->line[m] && dev->line_inverse[m]);
    }
}

/* The tables come first, the smaller before the larger, so that another device finds them where they were. */
static void place(pr_device *dev, const pr_device_needs *needs) {
    place_twiddles(dev);
    dev->base_bytes = needs->arena_bytes;
    dev->base = pr_arena_alloc(&dev->memory, dev->base_bytes, 4096);
    dev->thread_bytes = pr_cpu_thread_bytes(needs);
    dev->threads = pr_arena_alloc(&dev->memory, dev->n_threads * dev->thread_bytes, 4096);
    dev->shared_bytes = pr_cpu_shared_bytes(needs);
    dev->shared = pr_arena_alloc(&dev->memory, dev->shared_bytes, 4096);
    PR_ASSERT(dev->base && dev->threads && dev->shared);
}

pr_status pr_cpu_device_create(pr_device **out, const pr_device_needs *needs, pr_error *err) {
    pr_device_needs known = with_threads(needs);
    if (known.max_log_rows > PR_CPU_MAX_LOG_ROWS)
        return pr_fail(err, PR_ERR_REFUSED, "domains of more than 2^%d rows: 2^%u", PR_CPU_MAX_LOG_ROWS,
                       known.max_log_rows);
    pr_device *dev = calloc(1, sizeof *dev);
    if (!dev) return pr_fail(err, PR_ERR_MEMORY, "a device needs %zu bytes", sizeof *dev);
    dev->n_threads = known.n_threads;
    dev->max_log_rows = known.max_log_rows;
    dev->keep = known.memory;
    pr_status status =
        pr_arena_take(&dev->memory, dev->keep, known.arena_bytes + 4096 + pr_cpu_workspace_bytes(&known), err);
    if (status != PR_OK) {
        free(dev);
        return status;
    }
    place(dev, &known);
    if (!dev->keep || dev->keep->note < dev->max_log_rows) pr_cpu_twiddles_fill(dev);
    *out = dev;
    return PR_OK;
}

void pr_cpu_device_destroy(pr_device *dev) {
    if (!dev) return;
    pr_arena_give(&dev->memory, dev->keep, dev->max_log_rows);
    free(dev);
}

const pr_backend *pr_cpu_best(void) {
    if (pr_backend_avx512.available()) return &pr_backend_avx512;
    if (pr_backend_avx2.available()) return &pr_backend_avx2;
    return &pr_backend_scalar;
}
