/* The scalar operations on memory of its own that is closed outside of an operation: host code that reaches behind the
 * contract stops at once, and what an operation reads before anything wrote it is no field element. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "cpu/cpu_backend.h"
#include "cpu/device.h"

#define POISON 0xfbadbeefu /* above p */

static pr_status set_open(pr_device *dev, int protection, pr_error *err) {
    if (!dev->base_bytes || mprotect(dev->base, dev->base_bytes, protection) == 0) return PR_OK;
    return pr_fail(err, PR_ERR_BACKEND, "poison: cannot change the protection of device memory");
}

/* Runs call with the memory open and closes it again. */
#define OPENED(call)                                                                                                   \
    do {                                                                                                               \
        pr_error closing;                                                                                              \
        PR_TRY(set_open(dev, PROT_READ | PROT_WRITE, err));                                                            \
        pr_status status_ = (call);                                                                                    \
        pr_status closed_ = set_open(dev, PROT_NONE, &closing);                                                        \
        return status_ == PR_OK ? closed_ : status_;                                                                   \
    } while (0)

static size_t mapped_bytes(const pr_device_needs *needs) { return (needs->arena_bytes + 4095) & ~(size_t)4095; }

static bool is_available(void) { return true; }

static size_t workspace_bytes(const pr_device_needs *needs) {
    return pr_cpu_workspace_bytes(needs) + mapped_bytes(needs); /* the views that map_write hands out */
}

static void *map(size_t bytes) {
    void *p = mmap(NULL, bytes ? bytes : 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void device_destroy(pr_device *dev) {
    if (!dev) return;
    if (dev->base) munmap(dev->base, dev->base_bytes ? dev->base_bytes : 4096);
    if (dev->staging) munmap(dev->staging, dev->base_bytes ? dev->base_bytes : 4096);
    pr_cpu_device_destroy(dev);
}

static pr_status device_create(pr_device **out, const pr_device_needs *needs, pr_error *err) {
    pr_device *dev = NULL;
    pr_device_needs rest = *needs;
    rest.arena_bytes = 0;
    PR_TRY(pr_cpu_device_create(&dev, &rest, err));
    dev->is_separate = true;
    dev->base_bytes = mapped_bytes(needs);
    dev->base = map(dev->base_bytes);
    dev->staging = map(dev->base_bytes);
    if (!dev->base || !dev->staging) {
        device_destroy(dev);
        return pr_fail(err, PR_ERR_MEMORY, "poison: no memory for a device of %zu bytes", dev->base_bytes);
    }
    for (size_t i = 0; i < dev->base_bytes / sizeof(uint32_t); i++) dev->base[i] = POISON;
    pr_status status = set_open(dev, PROT_NONE, err);
    if (status == PR_OK) *out = dev;
    else device_destroy(dev);
    return status;
}

static pr_status upload(pr_device *dev, pr_col dst, const pr_m31 *src, pr_error *err) {
    OPENED(pr_backend_scalar.upload(dev, dst, src, err));
}
static pr_status download(pr_device *dev, pr_m31 *dst, pr_col src, pr_error *err) {
    OPENED(pr_backend_scalar.download(dev, dst, src, err));
}
static pr_status zero(pr_device *dev, const pr_col *cols, size_t n, pr_error *err) {
    OPENED(pr_backend_scalar.zero(dev, cols, n, err));
}

static pr_status map_write(pr_device *dev, pr_m31 **host, const pr_col *cols, size_t n, pr_error *err) {
    (void)err;
    for (size_t i = 0; i < n; i++) {
        host[i] = dev->staging + cols[i].offset;
        for (size_t k = 0; k < (size_t)1 << cols[i].log_rows; k++) host[i][k] = POISON;
    }
    return PR_OK;
}

static pr_status copy_views(pr_device *dev, pr_m31 *const *host, const pr_col *cols, size_t n) {
    for (size_t i = 0; i < n; i++) memcpy(pr_cpu_col(dev, cols[i]), host[i], sizeof(pr_m31) << cols[i].log_rows);
    return PR_OK;
}
static pr_status unmap_write(pr_device *dev, pr_m31 *const *host, const pr_col *cols, size_t n, pr_error *err) {
    OPENED(copy_views(dev, host, cols, n));
}

static pr_status rows_to_storage(pr_device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err) {
    OPENED(pr_backend_scalar.rows_to_storage(dev, dst, src, n, err));
}
static pr_status extend(pr_device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err) {
    OPENED(pr_backend_scalar.extend(dev, dst, src, n, err));
}
static pr_status interpolate(pr_device *dev, const pr_col *cols, size_t n, uint32_t log_parts, pr_error *err) {
    OPENED(pr_backend_scalar.interpolate(dev, cols, n, log_parts, err));
}
static pr_status evaluate(pr_device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err) {
    OPENED(pr_backend_scalar.evaluate(dev, dst, src, n, err));
}
static pr_status merkle_commit(pr_device *dev, pr_hash *root, const pr_merkle *tree, const pr_col *cols, size_t n,
                               pr_error *err) {
    OPENED(pr_backend_scalar.merkle_commit(dev, root, tree, cols, n, err));
}
static pr_status merkle_open(pr_device *dev, pr_hash *out, size_t *n_out, size_t capacity, const pr_merkle *tree,
                             const pr_col *cols, size_t n, const uint32_t *positions, size_t n_positions,
                             pr_error *err) {
    OPENED(pr_backend_scalar.merkle_open(dev, out, n_out, capacity, tree, cols, n, positions, n_positions, err));
}
static pr_status logup(pr_device *dev, pr_qm31 *claimed_sum, const pr_logup *args, pr_error *err) {
    OPENED(pr_backend_scalar.logup(dev, claimed_sum, args, err));
}
static pr_status compose(pr_device *dev, const pr_compose *args, pr_error *err) {
    OPENED(pr_backend_scalar.compose(dev, args, err));
}
static pr_status lift_add(pr_device *dev, const pr_col dst[4], const pr_col src[4], pr_error *err) {
    OPENED(pr_backend_scalar.lift_add(dev, dst, src, err));
}
static pr_status sample(pr_device *dev, pr_qm31 *out, const pr_col *cols, size_t n, uint32_t log_blowup,
                        const pr_secure_point *points, size_t n_points, pr_error *err) {
    OPENED(pr_backend_scalar.sample(dev, out, cols, n, log_blowup, points, n_points, err));
}
static pr_status quotients(pr_device *dev, const pr_col dst[4], uint32_t log_blowup, const pr_quotient_group *groups,
                           size_t n, pr_error *err) {
    OPENED(pr_backend_scalar.quotients(dev, dst, log_blowup, groups, n, err));
}
static pr_status fold_circle(pr_device *dev, const pr_col dst[4], const pr_col src[4], pr_qm31 alpha, pr_error *err) {
    OPENED(pr_backend_scalar.fold_circle(dev, dst, src, alpha, err));
}
static pr_status fold_line(pr_device *dev, const pr_col dst[4], const pr_col src[4], pr_qm31 alpha, pr_error *err) {
    OPENED(pr_backend_scalar.fold_line(dev, dst, src, alpha, err));
}
static pr_status gather(pr_device *dev, pr_m31 *out, const pr_col *cols, size_t n, const uint32_t *positions,
                        size_t n_positions, uint32_t log_lifted, pr_error *err) {
    OPENED(pr_backend_scalar.gather(dev, out, cols, n, positions, n_positions, log_lifted, err));
}
static pr_status synchronize(pr_device *dev, pr_error *err) { return pr_backend_scalar.synchronize(dev, err); }
static pr_status grind(pr_device *dev, uint64_t *nonce, const pr_hash *prefix, uint32_t bits, pr_error *err) {
    return pr_backend_scalar.grind(dev, nonce, prefix, bits, err);
}

const pr_backend pr_backend_poison = {
    .name = "poison",
    .available = is_available,
    .workspace_bytes = workspace_bytes,
    .device_create = device_create,
    .device_destroy = device_destroy,
    .synchronize = synchronize,
    .upload = upload,
    .download = download,
    .zero = zero,
    .map_write = map_write,
    .unmap_write = unmap_write,
    .rows_to_storage = rows_to_storage,
    .extend = extend,
    .interpolate = interpolate,
    .evaluate = evaluate,
    .merkle_commit = merkle_commit,
    .merkle_open = merkle_open,
    .logup = logup,
    .compose = compose,
    .lift_add = lift_add,
    .sample = sample,
    .quotients = quotients,
    .fold_circle = fold_circle,
    .fold_line = fold_line,
    .gather = gather,
    .grind = grind,
};
