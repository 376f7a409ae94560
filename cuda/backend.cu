/* The table of operations, and those that only move memory. */
#include "cuda/compose.cuh"
#include "cuda/debug.cuh"
#include "cuda/draw.cuh"
#include "cuda/derive.cuh"
#include "cuda/fold.cuh"
#include "cuda/fri.cuh"
#include "cuda/gather.cuh"
#include "cuda/grind.cuh"
#include "cuda/logup.cuh"
#include "cuda/merkle.cuh"
#include "cuda/meter.cuh"
#include "cuda/program.cuh"
#include "cuda/quotients.cuh"
#include "cuda/sample.cuh"
#include "cuda/scan.cuh"
#include "cuda/select.cuh"
#include "cuda/transform.cuh"
#include "cuda/twiddles.cuh"
#include "cuda/window.cuh"
#include "cuda/cuda_backend.h" /* behind those that make C headers fit for C++ */

namespace PR_GPU {

static bool is_available() { return !why_no_device(); }

/* ---- memory of a device ---- */

struct memory_plan { /* words */
    size_t near, window, scratch, scratch_words, end, twiddles;
    size_t table_bytes, fri_bytes, drawn_bytes;
};
static size_t round_up(size_t n, size_t unit) { return (n + unit - 1) / unit * unit; }
static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* The largest tables of one operation. */
static size_t most_table_bytes(const pr_device_needs *needs) {
    const size_t program = ((size_t)needs->max_insns + 1) * sizeof(wide_insn) + needs->max_slots * sizeof(uint32_t) +
                           needs->max_inputs * sizeof(program_input) + needs->max_values * sizeof(pr_qm31) +
                           16 * (size_t)needs->max_batches * sizeof(pr_col);
    const size_t relations = ((size_t)needs->max_lookup_values + 1) * needs->n_relations * sizeof(pr_qm31);
    const size_t columns = needs->max_columns * 2 * sizeof(pr_col);
    return round_up(larger(larger(program + relations, columns), quotient_table_bytes(needs)) + 1024, 1024);
}

static memory_plan plan_memory(const pr_device_needs *needs) {
    memory_plan p;
    p.twiddles = round_up(twiddle_words(needs->max_log_rows), 64);
    p.near = (needs->arena_bytes - needs->far_bytes) / sizeof(uint32_t);
    p.window = needs->window_bytes / sizeof(uint32_t);
    p.scratch = round_up(p.near + p.window, 64);
    p.scratch_words = larger(needs->n_lookup_components ? scan_words() : 64, spill_words(needs->max_slots));
    p.end = p.scratch + p.scratch_words;
    p.fri_bytes = fri_mirror_bytes(needs);
    p.drawn_bytes = drawn_bytes(needs);
    p.table_bytes = larger(least_table_bytes, most_table_bytes(needs));
    return p;
}

static size_t workspace_bytes(const pr_device_needs *needs) {
    const memory_plan p = plan_memory(needs);
    return (p.end - p.near + 2 * p.twiddles) * sizeof(uint32_t) + p.table_bytes + result_bytes + p.fri_bytes +
           p.drawn_bytes + graph_bytes;
}
/* Far columns are pinned themselves. */
static size_t staging_bytes(const pr_device_needs *needs) { return needs->far_bytes ? 0 : needs->mapped_bytes; }
static size_t pinned_bytes(const pr_device_needs *needs) {
    const memory_plan p = plan_memory(needs);
    return p.table_bytes + result_bytes + p.fri_bytes + p.drawn_bytes + staging_bytes(needs);
}
static size_t min_window_bytes(const pr_device_needs *needs) { return min_window_words(needs) * sizeof(uint32_t); }

/* Far columns, and what is known of them in the window. */
static pr_status open_far(device *dev, const pr_device_needs *needs, pr_error *err) {
    if (!needs->far_bytes) return PR_OK;
    PR_ASSERT(dev->window_words >= min_window_words(needs));
    dev->max_pieces = max_pieces(needs);
    dev->pieces = (window_piece *)std::calloc(dev->max_pieces, sizeof *dev->pieces);
    if (!dev->pieces) return pr_fail(err, PR_ERR_MEMORY, "no memory for a list of %zu columns", dev->max_pieces);
    PR_CUDA_TRY(cudaMallocHost((void **)&dev->far, needs->far_bytes), "pinned memory for columns");
    dev->far_words = needs->far_bytes / sizeof(uint32_t);
    return PR_OK;
}

static pr_status grow_staging(device *dev, size_t bytes, pr_error *err) {
    if (bytes <= dev->staging_bytes) return PR_OK;
    (void)cudaFreeHost(dev->staging);
    dev->staging = nullptr;
    dev->staging_bytes = 0;
    PR_CUDA_TRY(cudaMallocHost((void **)&dev->staging, bytes), "pinned memory for the trace");
    dev->staging_bytes = bytes;
    return PR_OK;
}

static pr_status open_device(device *dev, const pr_device_needs *needs, pr_error *err) {
    const memory_plan p = plan_memory(needs);
    char what[96];
    std::snprintf(what, sizeof what, "%.1f MiB of device memory for a proof", (double)p.end * 4 / 1048576);
    dev->near_words = p.near, dev->window_words = p.window, dev->scratch_words = p.scratch_words;
    dev->max_log_rows = needs->max_log_rows;
    open_debug(dev);
    PR_TRY(select_device(err));
    PR_TRY(open_grinding(dev, err));
    PR_TRY(open_queue(dev->stream, err));
    PR_CUDA_TRY(cudaMalloc((void **)&dev->memory, p.end * sizeof(uint32_t)), what);
    PR_TRY(create_tables(dev, &dev->tables, p.table_bytes, err));
    PR_TRY(create_mirror(&dev->results, result_bytes, err));
    PR_TRY(create_mirror(&dev->fri, p.fri_bytes, err));
    PR_TRY(create_mirror(&dev->drawn, p.drawn_bytes, err));
    dev->n_powers = needs->n_constraints, dev->n_sample_groups = needs->n_sample_groups;
    PR_CUDA_TRY(cudaEventCreateWithFlags(&dev->fri_end, cudaEventDisableTiming), "an event");
    PR_CUDA_TRY(cudaMalloc((void **)&dev->twiddle_memory, 2 * p.twiddles * sizeof(uint32_t)),
                "device memory for twiddles");
    uint32_t *line = dev->twiddle_memory, *inverse = line + p.twiddles;
    const size_t n = twiddle_words(needs->max_log_rows);
    dev->scratch = dev->memory + p.scratch;
    PR_TRY(open_far(dev, needs, err));
    PR_TRY(grow_staging(dev, staging_bytes(needs), err));
    dev->twiddles = twiddle_tables{read_only(view_of(line, n)), read_only(view_of(inverse, n))};
#ifdef PR_CUDA_EMULATED
    const emu::guard hold;
    for (const void *table : {(const void *)line, (const void *)dev->drawn.device})
        emu::region_of(emu::it().regions, table)->is_table = true;
#endif
    PR_TRY(twiddles_fill(dev, line, inverse, err));
    dev->stream.is_idle = true; /* nothing of the host's is read or written */
    return PR_OK;
}

static void destroy(device *dev) {
    if (dev->stream.handle) (void)cudaStreamSynchronize(dev->stream.handle);
    close_meter(dev);
    (void)cudaFreeHost(dev->staging);
    (void)cudaFreeHost(dev->far);
    std::free(dev->pieces);
    if (dev->fri_end) (void)cudaEventDestroy(dev->fri_end);
    clear_mirror(&dev->drawn);
    clear_mirror(&dev->fri);
    clear_mirror(&dev->results);
    clear_mirror(&dev->tables);
    (void)cudaFree(dev->twiddle_memory);
    (void)cudaFree(dev->memory);
    close_queue(dev->stream);
    std::free(dev);
}

constexpr uint32_t max_log_rows = 30;

static pr_status device_create(pr_device **out, const pr_device_needs *needs, pr_error *err) {
    if (needs->max_log_rows > max_log_rows)
        return pr_fail(err, PR_ERR_REFUSED, "domains of more than 2^%u rows: 2^%u", max_log_rows, needs->max_log_rows);
    device *dev = (device *)std::calloc(1, sizeof *dev);
    if (!dev) return pr_fail(err, PR_ERR_MEMORY, "a device needs %zu bytes", sizeof *dev);
    const pr_status status = open_device(dev, needs, err);
    if (status == PR_OK)
        *out = reinterpret_cast<pr_device *>(dev);
    else
        destroy(dev);
    return status;
}
static void device_destroy(pr_device *dev) {
    if (dev) destroy(of(dev));
}

/* ---- operations that move memory ---- */

static uint32_t *place(pr_device *dev, pr_col col) { return of(dev)->memory + col.offset; }

static pr_status synchronize(pr_device *dev, pr_error *err) {
    return wait_for_work(of(dev)->stream, "running kernels", err);
}
/* All that changes from proof to proof lies in memory: the columns, and tables, which begin anew. */
static pr_status begin(pr_device *handle, pr_error *err) {
    device *dev = of(handle);
    PR_TRY(begin_work(dev->stream, err));
    dev->tables.used = 0;
    return dev->far_words ? stop_listing(dev->stream, err) : PR_OK; /* blocks through a window: long, and waited for */
}
static void end(pr_device *dev) { end_work(of(dev)->stream); }
static pr_status upload(pr_device *dev, pr_col dst, const pr_m31 *src, pr_error *err) {
    if (is_far(of(dev), dst)) {
        PR_TRY(synchronize(dev, err));
        std::memcpy(far_column(of(dev), dst), src, bytes_of(dst));
        return PR_OK;
    }
    PR_TRY(send_work(of(dev)->stream, err));
    of(dev)->stream.is_idle = false; /* pageable memory may be read at once or, where the GPU sees it, later */
    return check(cudaMemcpyAsync(place(dev, dst), src, bytes_of(dst), cudaMemcpyHostToDevice, of(dev)->stream.handle),
                 "upload", err);
}
static pr_status download(pr_device *dev, pr_m31 *dst, pr_col src, pr_error *err) {
    if (is_far(of(dev), src)) {
        PR_TRY(synchronize(dev, err));
        std::memcpy(dst, far_column(of(dev), src), bytes_of(src));
        return PR_OK;
    }
    PR_TRY(send_work(of(dev)->stream, err));
    PR_CUDA_TRY(cudaMemcpyAsync(dst, place(dev, src), bytes_of(src), cudaMemcpyDeviceToHost, of(dev)->stream.handle),
                "download");
    return synchronize(dev, err);
}
static pr_status zero(pr_device *dev, const pr_col *cols, size_t n, pr_error *err) {
    if (are_far(of(dev), cols, n)) PR_TRY(synchronize(dev, err));
    for (size_t i = 0; i < n; i++) {
        if (is_far(of(dev), cols[i])) {
            std::memset(far_column(of(dev), cols[i]), 0, bytes_of(cols[i]));
            continue;
        }
        count_moved(of(dev), bytes_of(cols[i]) / sizeof(uint32_t));
        PR_CUDA_TRY(queue_set(of(dev)->stream, place(dev, cols[i]), 0, bytes_of(cols[i])), "zeros");
    }
    return PR_OK;
}

/* Pinned memory, one column behind another; the copies of the time before have to end first. Far columns themselves. */
static pr_status map_write(pr_device *handle, pr_m31 **host, const pr_col *cols, size_t n, pr_error *err) {
    device *dev = of(handle);
    if (!dev->stream.is_idle) PR_TRY(synchronize(handle, err));
    if (are_far(dev, cols, n)) {
        for (size_t i = 0; i < n; i++) host[i] = far_column(dev, cols[i]);
        return PR_OK;
    }
    PR_TRY(grow_staging(dev, views_bytes(cols, n), err));
    place_views(host, dev->staging, cols, n);
    return PR_OK;
}
static pr_status unmap_write(pr_device *dev, pr_m31 *const *host, const pr_col *cols, size_t n, pr_error *err) {
    if (are_far(of(dev), cols, n)) return PR_OK;
    return send_columns(of(dev), cols, host, n, err);
}

/* ---- the others ---- */

static pr_status transform_columns(device *dev, unsigned steps, const pr_col *dst, const pr_col *src, size_t n,
                                   unsigned log_parts, pr_error *err) {
    return (are_far(dev, dst, n) ? transform_through_window : transform)(dev, steps, dst, src, n, log_parts, err);
}

static pr_status op_rows_to_storage(pr_device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err) {
    if (are_far(of(dev), dst, n))
        PR_TRY(rows_through_window(of(dev), dst, src, n, err));
    else
        PR_TRY(rows_to_storage(of(dev), dst, src, n, err));
    return harm_if_due(of(dev), dst[0], err);
}
static pr_status op_derive(pr_device *dev, const pr_derive *args, pr_error *err) {
    PR_TRY(derive(of(dev), args, err));
    return harm_if_due(of(dev), args->out[0], err);
}
static pr_status op_extend(pr_device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err) {
    PR_TRY(transform_columns(of(dev), INVERSE | FORWARD, dst, src, n, 0, err));
    return harm_if_due(of(dev), dst[0], err);
}
static pr_status op_interpolate(pr_device *dev, const pr_col *cols, size_t n, uint32_t log_parts, pr_error *err) {
    PR_TRY(transform_columns(of(dev), INVERSE, cols, cols, n, log_parts, err));
    return harm_if_due(of(dev), cols[0], err);
}
static pr_status op_evaluate(pr_device *dev, const pr_col *dst, const pr_col *src, size_t n, pr_error *err) {
    PR_TRY(transform_columns(of(dev), FORWARD, dst, src, n, 0, err));
    return harm_if_due(of(dev), dst[0], err);
}
static pr_status op_merkle_commit(pr_device *dev, pr_hash *root, const pr_merkle *tree, const pr_col *cols, size_t n,
                                  pr_error *err) {
    return merkle_commit(of(dev), root, tree, cols, n, err);
}
static pr_status op_merkle_open(pr_device *dev, pr_hash *out, size_t *n_out, size_t capacity, const pr_merkle *tree,
                                const pr_col *cols, size_t n, const uint32_t *positions, size_t n_positions,
                                pr_error *err) {
    result_list results(of(dev));
    PR_TRY(merkle_open(of(dev), &results, out, n_out, capacity, tree, cols, n, positions, n_positions, err));
    return results.fetch(err);
}
static pr_status op_logup(pr_device *dev, const pr_logup *list, size_t n, pr_error *err) {
    PR_TRY(logup(of(dev), list, n, err));
    for (size_t k = 0; k < n; k++) PR_TRY(harm_if_due(of(dev), list[k].out[0], err));
    return PR_OK;
}
static pr_status op_compose(pr_device *dev, const pr_compose *list, size_t n, pr_error *err) {
    PR_TRY(compose(of(dev), list, n, err));
    for (size_t k = 0; k < n; k++) PR_TRY(harm_if_due(of(dev), list[k].out[0], err));
    return PR_OK;
}
static pr_status op_lift_add(pr_device *dev, const pr_col dst[4], const pr_col src[4], pr_error *err) {
    PR_TRY(lift_add(of(dev), dst, src, err));
    return harm_if_due(of(dev), dst[0], err);
}
static pr_status op_sample(pr_device *dev, pr_qm31 *out, const pr_col *cols, size_t n, uint32_t log_blowup,
                           const pr_secure_point *points, size_t n_points, pr_error *err) {
    return sample(of(dev), out, cols, n, log_blowup, points, n_points, err);
}
static pr_status op_draw_powers(pr_device *dev, const pr_hash *digest, const pr_merkle *tree, size_t n, pr_error *err) {
    return draw_powers(of(dev), digest, tree, n, err);
}
static pr_status op_draw_samples(pr_device *dev, pr_drawn *drawn, const pr_merkle *tree, uint32_t log_blowup,
                                 const pr_sampling *groups, size_t n, pr_error *err) {
    return draw_samples(of(dev), drawn, tree, log_blowup, groups, n, err);
}
static pr_status op_quotients(pr_device *dev, const pr_col dst[4], uint32_t log_blowup, const pr_quotient_group *groups,
                              size_t n, pr_error *err) {
    PR_TRY(quotients(of(dev), dst, log_blowup, groups, n, err));
    return harm_if_due(of(dev), dst[0], err);
}
static pr_status op_fold_circle(pr_device *dev, const pr_col dst[4], const pr_col src[4], pr_qm31 alpha,
                                pr_error *err) {
    PR_TRY(fold_circle(of(dev), dst, src, alpha, err));
    return harm_if_due(of(dev), dst[0], err);
}
static pr_status op_fold_line(pr_device *dev, const pr_col dst[4], const pr_col src[4], pr_qm31 alpha, pr_error *err) {
    PR_TRY(fold_line(of(dev), dst, src, alpha, err));
    return harm_if_due(of(dev), dst[0], err);
}
static pr_status op_fri(pr_device *dev, pr_fri_result *result, const pr_fri *args, pr_error *err) {
    return fri(of(dev), result, args, err);
}
static pr_status op_gather(pr_device *dev, pr_m31 *out, const pr_col *cols, size_t n, const uint32_t *positions,
                           size_t n_positions, uint32_t log_lifted, pr_error *err) {
    result_list results(of(dev));
    PR_TRY(gather(of(dev), &results, out, cols, n, positions, n_positions, log_lifted, err));
    return results.fetch(err);
}
/* All at once where there is room; columns that are far one tree after another. */
static pr_status op_open(pr_device *handle, pr_opening *list, size_t n, pr_error *err) {
    device *dev = of(handle);
    result_list results(dev);
    bool has_values, has_hashes;
    PR_TRY(stop_listing(dev->stream, err)); /* no two proofs open the same */
    PR_TRY(gather_near(dev, &results, &has_values, list, n, err));
    PR_TRY(open_near(dev, &results, &has_hashes, list, n, err));
    for (pr_opening *o = list; o < list + n; o++) {
        const bool far = o->n && is_far(dev, o->cols[0]);
        if (far || !has_values)
            PR_TRY(gather(dev, &results, o->values, o->cols, o->n, o->positions, o->n_positions, o->log_lifted, err));
        if (far || !has_hashes)
            PR_TRY(merkle_open(dev, &results, o->hashes, &o->n_hashes, o->max_hashes, o->tree, o->sorted, o->n,
                               o->leaves, o->n_leaves, err));
    }
    return results.fetch(err);
}
static pr_status op_grind(pr_device *dev, uint64_t *nonce, const pr_hash *prefix, uint32_t bits, pr_error *err) {
    return grind(of(dev), nonce, prefix, bits, err);
}

/* In the order of the contract. */
#define PR_GPU_TABLE(name, is_device)                                                                                  \
    {                                                                                                                  \
        name, is_available, &meter, is_device, min_window_bytes, workspace_bytes, pinned_bytes, device_create,         \
            device_destroy, begin, end, synchronize, upload, download, zero, map_write, unmap_write,                   \
            op_rows_to_storage, op_derive, op_extend, op_interpolate, op_evaluate, nullptr, op_merkle_commit,          \
            op_merkle_open, op_logup, op_compose, op_lift_add, op_sample, op_draw_powers, op_draw_samples,             \
            op_quotients, op_fold_circle, op_fold_line, op_fri, op_gather, op_open, op_grind                           \
    }
#ifdef PR_CUDA_EMULATED /* its memory is the host's, and no GPU computes */
static const pr_backend table = PR_GPU_TABLE("cuda-emu", false);
#else
static const pr_backend table = PR_GPU_TABLE("cuda", true);
#endif

} // namespace PR_GPU

#ifdef PR_CUDA_EMULATED
const pr_backend pr_backend_cuda_emu = PR_GPU::table;

pr_cuda_counts pr_cuda_emu_counts(void) {
    PR_GPU::send_open_queue();
    const emu::guard hold;
    emu::drain_all();
    const emu::counters &c = emu::it().count;
    return pr_cuda_counts{c.launches,
                          c.read_bytes,
                          c.written_bytes,
                          c.table_bytes,
                          c.copied_to_device_bytes,
                          c.copied_to_host_bytes,
                          c.synchronizations,
                          c.graph_launches,
                          emu::it().peak_bytes,
                          emu::it().peak_pinned_bytes};
}
void pr_cuda_emu_inject(const pr_cuda_faults *faults) {
    const emu::guard hold;
    emu::it().fail_allocation = faults->fail_allocation;
    emu::it().fail_launch = faults->fail_launch;
    emu::it().limit_bytes = faults->limit_bytes ? faults->limit_bytes : SIZE_MAX;
}
void pr_cuda_emu_watch(bool watches) {
    const emu::guard hold;
    emu::drain_all();
    emu::the_order().is_watched = watches;
}
void pr_cuda_emu_make_devices(const char *const *bus_ids, const char *const *uuids, size_t n) {
    const emu::guard hold;
    emu::devices() = emu::device_list();
    emu::selected_device() = -1;
    for (size_t i = 0; i < n; i++) emu::devices().all.push_back(emu::made_up_device{bus_ids[i], uuids[i]});
}
int pr_cuda_emu_selected_device(unsigned *n_calls) {
    const emu::guard hold;
    *n_calls = emu::devices().n_calls;
    return emu::selected_device();
}
void pr_cuda_emu_reset(void) { emu::reset(); }
size_t pr_cuda_emu_held_graphs(void) {
    const emu::guard hold;
    return emu::graphs().size();
}
size_t pr_cuda_emu_held_bytes(void) {
    const emu::guard hold;
    return emu::it().used_bytes + emu::it().pinned_bytes;
}
#else
const pr_backend pr_backend_cuda = PR_GPU::table;
#endif
