#include "cuda/draw.cuh"
#include "cuda/channel.cuh"

namespace PR_GPU {

/* Words of what was drawn; behind these the powers, then the factors of each group. The host writes the digest. */
enum drawn_word { DRAWN_DIGEST = 0, DRAWN_ROOTS = 8, DRAWN_END = DRAWN_ROOTS + 2 * 8 };
constexpr unsigned draw_threads = 128;

static size_t power_words(size_t n) { return 4 * n; }
size_t drawn_bytes(const pr_device_needs *needs) {
    return sizeof(uint32_t) *
           (DRAWN_END + power_words(needs->n_constraints) + 4 * factors_each * needs->n_sample_groups);
}

static uint32_t *drawn_at(const device *dev, size_t word) { return (uint32_t *)(void *)dev->drawn.device + word; }
static span<pr_qm31> elements_at(const device *dev, size_t word, size_t n) {
    return view_of((pr_qm31 *)(void *)drawn_at(dev, word), n);
}
span<const pr_qm31> drawn_powers(const device *dev, size_t first, size_t n) {
    PR_ASSERT(first + n <= dev->n_powers);
    return read_only(elements_at(dev, DRAWN_END + power_words(first), n));
}
static size_t factors_word(const device *dev) { return DRAWN_END + power_words(dev->n_powers); }
span<const pr_qm31> drawn_factors(const device *dev, size_t group) {
    return read_only(elements_at(dev, factors_word(dev) + 4 * factors_each * group, factors_each));
}

/* One thread: root number which goes into the channel. */
PR_DEVICE pr_qm31 draw_behind(const words &drawn, const const_words &root, uint32_t which) {
    uint32_t digest[8], r[8];
#pragma unroll
    for (uint32_t k = 0; k < 8; k++) digest[k] = ld(drawn, DRAWN_DIGEST + k), r[k] = ld(root, k);
    channel_mix_root(digest, r);
#pragma unroll
    for (uint32_t k = 0; k < 8; k++) {
        st(drawn, DRAWN_DIGEST + k, digest[k]);
        st(drawn, DRAWN_ROOTS + 8 * which + k, r[k]);
    }
    return channel_draw_felt(digest);
}

PR_DEVICE pr_qm31 power_of(const pr_qm31 &base, size_t exponent) {
    pr_qm31 product = PR_QM31_ONE, square = base;
    for (; exponent; exponent >>= 1, square = pr_qm31_square(square))
        if (exponent & 1) product = pr_qm31_mul(product, square);
    return product;
}

/* One thread draws, all of the block take every so manieth power. */
__global__ void __launch_bounds__(draw_threads)
    draw_powers_kernel(words drawn, const_words root, span<pr_qm31> powers, uint32_t n) {
    PR_SHARED(pr_qm31, coefficient, 1);
    if (threadIdx.x == 0) st(coefficient, 0, draw_behind(drawn, root, 0));
    __syncthreads();
    const pr_qm31 c = ld(coefficient, 0), step = power_of(c, draw_threads);
    pr_qm31 power = power_of(c, threadIdx.x);
    for (uint32_t k = threadIdx.x; k < n; k += draw_threads, power = pr_qm31_mul(power, step))
        st(powers, n - 1 - k, power);
}

struct drawn_group {
    pr_point shift; /* added to the point */
    uint32_t n_doublings, log_rows;
};

/* protocol.md section 2: x = (1 - t^2) / (1 + t^2), y = 2t / (1 + t^2), moved and doubled; then y, x, pi(x), ... */
PR_DEVICE void write_factors(const span<pr_qm31> &out, const pr_qm31 &t, const drawn_group &g) {
    const pr_qm31 square = pr_qm31_square(t), inverse = pr_qm31_inverse(pr_qm31_add(PR_QM31_ONE, square));
    const pr_qm31 x = pr_qm31_mul(pr_qm31_sub(PR_QM31_ONE, square), inverse),
                  y = pr_qm31_mul(pr_qm31_add(t, t), inverse);
    pr_qm31 moved_x = pr_qm31_sub(pr_qm31_mul_m31(x, g.shift.x), pr_qm31_mul_m31(y, g.shift.y)),
            moved_y = pr_qm31_add(pr_qm31_mul_m31(x, g.shift.y), pr_qm31_mul_m31(y, g.shift.x));
    for (uint32_t k = 0; k < g.n_doublings; k++) {
        moved_y = pr_qm31_mul(pr_qm31_add(moved_x, moved_x), moved_y);
        moved_x = pr_double_x_secure(moved_x);
    }
    st(out, 0, moved_y);
    for (uint32_t k = 1; k < (g.log_rows < 2 ? 2 : g.log_rows); k++, moved_x = pr_double_x_secure(moved_x))
        st(out, k, moved_x);
}

__global__ void __launch_bounds__(draw_threads) draw_point_kernel(words drawn, const_words root, span<pr_qm31> factors,
                                                                  span<const drawn_group> groups, uint32_t n) {
    PR_SHARED(pr_qm31, drawn_t, 1);
    if (threadIdx.x == 0) st(drawn_t, 0, draw_behind(drawn, root, 1));
    __syncthreads();
    for (uint32_t k = threadIdx.x; k < n; k += draw_threads)
        write_factors(sub(factors, k * factors_each, factors_each), ld(drawn_t, 0), ld(groups, k));
}

static const_words root_of(const device *dev, const pr_merkle *tree) {
    return read_only(view_of(dev->memory + pr_merkle_node_offset(tree, 0, 0), 8));
}

pr_status draw_powers(device *dev, const pr_hash *digest, const pr_merkle *tree, size_t n, pr_error *err) {
    const words drawn = view_of(drawn_at(dev, 0), DRAWN_END);
    PR_ASSERT(n <= dev->n_powers);
    std::memcpy(dev->drawn.host, digest->bytes, sizeof *digest);
    PR_CUDA_TRY(queue_copy(dev->stream, dev->drawn.device, dev->drawn.host, sizeof *digest, cudaMemcpyHostToDevice),
                "sending the channel");
    count_moved(dev, 8); /* the root; what is drawn is as tables are */
    return check(PR_LAUNCH(draw_powers_kernel, 1, draw_threads, 0, dev->stream, drawn, root_of(dev, tree),
                           elements_at(dev, DRAWN_END, n), (uint32_t)n),
                 "drawing a coefficient", err);
}

pr_status draw_point(device *dev, const pr_merkle *tree, const pr_sampling *groups, size_t n, uint32_t log_blowup,
                     pr_error *err) {
    const words drawn = view_of(drawn_at(dev, 0), DRAWN_END);
    table_writer w(dev);
    drawn_group *list;
    PR_ASSERT(n <= dev->n_sample_groups);
    PR_TRY(w.begin(table_size<drawn_group>(n), err));
    const span<const drawn_group> table = w.take(&list, n);
    for (size_t k = 0; k < n; k++)
        list[k] = drawn_group{pr_point_from_index(groups[k].shift), groups[k].n_doublings,
                              groups[k].cols[0].log_rows - log_blowup};
    PR_TRY(w.send(err));
    count_moved(dev, 8);
    return check(PR_LAUNCH(draw_point_kernel, 1, draw_threads, 0, dev->stream, drawn, root_of(dev, tree),
                           elements_at(dev, factors_word(dev), n * factors_each), table, (uint32_t)n),
                 "drawing a point", err);
}

pr_status fetch_drawn(device *dev, pr_error *err) {
    return check(queue_copy(dev->stream, dev->drawn.host, dev->drawn.device, DRAWN_END * sizeof(uint32_t),
                            cudaMemcpyDeviceToHost),
                 "fetching the channel", err);
}
void read_drawn(const device *dev, pr_drawn *out) {
    const uint32_t *from = (const uint32_t *)(const void *)dev->drawn.host;
    std::memcpy(&out->digest, from + DRAWN_DIGEST, sizeof out->digest);
    std::memcpy(out->roots, from + DRAWN_ROOTS, sizeof out->roots);
}

} // namespace PR_GPU
