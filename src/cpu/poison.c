/* The scalar operations on memory that is closed to everybody between them and holds no field element when fresh: host
 * code that keeps a pointer into it crashes, an operation that reads what nobody wrote gives wrong results. Columns
 * must lie inside the arena at multiples of 16 words. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cpu/cpu_backend.h"
#include "cpu/device.h"

#define SCALAR pr_backend_scalar
#define POISON 0xd5 /* bytes; as a word it is above p */

static void set_access(pr_device *dev, int protection) {
    PR_ASSERT(mprotect(dev->memory.base, dev->memory.bytes, protection) == 0);
}
static void open_memory(pr_device *dev) { set_access(dev, PROT_READ | PROT_WRITE); }
static pr_status close_memory(pr_device *dev, pr_status status) {
    set_access(dev, PROT_NONE);
    return status;
}
/* An operation with the memory open around it. */
#define GUARD(dev, call) (open_memory(dev), close_memory(dev, call))

static void check_cols(const pr_device *dev, const pr_col *cols, size_t n) {
    for (size_t i = 0; i < n; i++) {
        PR_ASSERT(cols[i].offset % (cols[i].log_rows < 4 ? (size_t)1 << cols[i].log_rows : 16) == 0);
        PR_ASSERT((cols[i].offset + ((size_t)1 << cols[i].log_rows)) * sizeof(uint32_t) <= dev->base_bytes);
    }
}

static bool is_available(void) { return true; }
static size_t workspace_bytes(const pr_device_needs *needs) { return SCALAR.workspace_bytes(needs); }

static pr_status device_create(pr_device **out, const pr_device_needs *needs, pr_error *err) {
    PR_TRY(SCALAR.device_create(out, needs, err));
    pr_device *dev = *out;
    memset(dev->base, POISON, dev->base_bytes);
    memset(dev->threads, POISON, dev->n_threads * dev->thread_bytes);
    memset(dev->shared, POISON, dev->shared_bytes);
    return close_memory(dev, PR_OK);
}
static void device_destroy(pr_device *dev) {
    if (dev) open_memory(dev); /* it may get another user */
    SCALAR.device_destroy(dev);
}

static pr_status synchronize(pr_device *dev, pr_error *err) { return GUARD(dev, SCALAR.synchronize(dev, err)); }
static pr_status upload(pr_device *dev, pr_col dst, const pr_m31 *src, pr_error *err) {
    check_cols(dev, &dst, 1);
    return GUARD(dev, SCALAR.upload(dev, dst, src, err));
}
static pr_status download(pr_device *dev, pr_m31 *dst, pr_col src, pr_error *err) {
    check_cols(dev, &src, 1);
    return GUARD(dev, SCALAR.download(dev, dst, src, err));
}
static pr_status zero(pr_device *dev, const pr_col *cols, size_t n, pr_error *err) {
    check_cols(dev, cols, n);
    return GUARD(dev, SCALAR.zero(dev, cols, n, err));
}

/* Host memory of its own for every column, until unmap_write. */
static pr_status map_write(pr_device *dev, pr_m31 **host, const pr_col *cols, size_t n, pr_error *err) {
    check_cols(dev, cols, n);
    for (size_t i = 0; i < n; i++) {
        const size_t bytes = sizeof(pr_m31) << cols[i].log_rows;
        host[i] = malloc(bytes);
        if (!host[i]) {
            while (i-- > 0) free(host[i]);
            return pr_fail(err, PR_ERR_MEMORY, "cannot allocate %zu bytes", bytes);
        }
        memset(host[i], POISON, bytes);
    }
    return PR_OK;
}
static pr_status unmap_write(pr_device *dev, pr_m31 *const *host, const pr_col *cols, size_t n, pr_error *err) {
    pr_status status = PR_OK;
    for (size_t i = 0; i < n; i++) {
        if (status == PR_OK) status = upload(dev, cols[i], host[i], err);
        free(host[i]);
    }
    return status;
}
static pr_status rows_to_storage(pr_device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err) {
    check_cols(dev, dst, n);
    check_cols(dev, src, n);
    return GUARD(dev, SCALAR.rows_to_storage(dev, dst, src, n, err));
}

static pr_status extend(pr_device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err) {
    check_cols(dev, dst, n);
    check_cols(dev, src, n);
    return GUARD(dev, SCALAR.extend(dev, dst, src, n, err));
}
static pr_status interpolate(pr_device *dev, const pr_col *cols, size_t n, uint32_t log_parts, pr_error *err) {
    check_cols(dev, cols, n);
    return GUARD(dev, SCALAR.interpolate(dev, cols, n, log_parts, err));
}
static pr_status evaluate(pr_device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err) {
    check_cols(dev, dst, n);
    check_cols(dev, src, n);
    return GUARD(dev, SCALAR.evaluate(dev, dst, src, n, err));
}

static pr_status merkle_commit(pr_device *dev, pr_hash *root, const pr_merkle *tree, const pr_col *cols, size_t n,
                               pr_error *err) {
    check_cols(dev, cols, n);
    return GUARD(dev, SCALAR.merkle_commit(dev, root, tree, cols, n, err));
}
static pr_status merkle_open(pr_device *dev, pr_hash *out, size_t *n_out, size_t capacity, const pr_merkle *tree,
                             const pr_col *cols, size_t n, const uint32_t *positions, size_t n_positions,
                             pr_error *err) {
    check_cols(dev, cols, n);
    return GUARD(dev, SCALAR.merkle_open(dev, out, n_out, capacity, tree, cols, n, positions, n_positions, err));
}

static pr_status logup(pr_device *dev, const pr_logup *list, size_t n, pr_error *err) {
    for (const pr_logup *args = list; args < list + n; args++) {
        check_cols(dev, args->inputs, args->program->n_inputs);
        check_cols(dev, args->out, 4 * (size_t)args->program->n_batches);
    }
    return GUARD(dev, SCALAR.logup(dev, list, n, err));
}
static pr_status compose(pr_device *dev, const pr_compose *list, size_t n, pr_error *err) {
    for (const pr_compose *args = list; args < list + n; args++) {
        check_cols(dev, args->inputs, args->program->n_inputs);
        check_cols(dev, args->interaction, 4 * (size_t)args->program->n_batches);
        check_cols(dev, args->out, 4);
    }
    return GUARD(dev, SCALAR.compose(dev, list, n, err));
}
static pr_status lift_add(pr_device *dev, const pr_col dst[4], const pr_col src[4], pr_error *err) {
    check_cols(dev, dst, 4);
    check_cols(dev, src, 4);
    return GUARD(dev, SCALAR.lift_add(dev, dst, src, err));
}
static pr_status sample(pr_device *dev, pr_qm31 *out, const pr_col *cols, size_t n, uint32_t log_blowup,
                        const pr_secure_point *points, size_t n_points, pr_error *err) {
    check_cols(dev, cols, n);
    return GUARD(dev, SCALAR.sample(dev, out, cols, n, log_blowup, points, n_points, err));
}
static pr_status quotients(pr_device *dev, const pr_col dst[4], uint32_t log_blowup, const pr_quotient_group *groups,
                           size_t n, pr_error *err) {
    check_cols(dev, dst, 4);
    for (size_t i = 0; i < n; i++) check_cols(dev, groups[i].cols, groups[i].n);
    return GUARD(dev, SCALAR.quotients(dev, dst, log_blowup, groups, n, err));
}
static pr_status fold_circle(pr_device *dev, const pr_col dst[4], const pr_col src[4], pr_qm31 alpha, pr_error *err) {
    check_cols(dev, dst, 4);
    check_cols(dev, src, 4);
    return GUARD(dev, SCALAR.fold_circle(dev, dst, src, alpha, err));
}
static pr_status fold_line(pr_device *dev, const pr_col dst[4], const pr_col src[4], pr_qm31 alpha, pr_error *err) {
    check_cols(dev, dst, 4);
    check_cols(dev, src, 4);
    return GUARD(dev, SCALAR.fold_line(dev, dst, src, alpha, err));
}
static pr_status gather(pr_device *dev, pr_m31 *out, const pr_col *cols, size_t n, const uint32_t *positions,
                        size_t n_positions, uint32_t log_lifted, pr_error *err) {
    check_cols(dev, cols, n);
    return GUARD(dev, SCALAR.gather(dev, out, cols, n, positions, n_positions, log_lifted, err));
}
static pr_status grind(pr_device *dev, uint64_t *nonce, const pr_hash *prefix, uint32_t bits, pr_error *err) {
    return GUARD(dev, SCALAR.grind(dev, nonce, prefix, bits, err));
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
