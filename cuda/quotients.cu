/* A row a thread, all columns of all sample points in one pass; then the four coordinates are extended. */
#include "cuda/quotients.cuh"
#include "cuda/transform.cuh"
#include "cuda/window.cuh"

namespace PR_GPU {

struct alignas(16) quotient_term { /* read as two vectors */
    pr_col column;
    pr_qm31 coeff;
};
/* D = constant - x q_im_y + y q_im_x, protocol.md section 11, expanded. */
struct quotient_point {
    pr_cm31 constant, im_x, im_y;
    pr_qm31 a, b;
    uint64_t first, n; /* of its terms */
};
struct quotient_view {
    words arena;
    span<const quotient_point> points;
    span<const quotient_term> terms;
    const_words line;
    secure_column out;
    uint32_t n_points, log_lifted;
    uint32_t first, log_block; /* rows at hand, and what their columns are lifted to */
};

PR_DEVICE void add_term(product_sum &sum, const quotient_view &v, uint64_t k, uint32_t row) {
    const quotient_term t = ld(v.terms, k);
    add_product(sum, ld(column(v.arena, t.column), pr_slot_lift(t.column.log_rows, v.log_block, row)), t.coeff);
}
PR_DEVICE pr_qm31 sum_of_terms(const quotient_view &v, const quotient_point &q, uint32_t row) {
    product_sum sum = {{0, 0, 0, 0}};
    const uint64_t end = q.first + q.n;
    uint64_t k = q.first;
    for (; k + 3 <= end; k += 3) {
        fold(sum);
#pragma unroll
        for (uint64_t j = 0; j < 3; j++) add_term(sum, v, k + j, row);
    }
    fold(sum);
    for (; k < end; k++) add_term(sum, v, k, row);
    return reduce(sum);
}

PR_DEVICE pr_qm31 quotient_of_point(const quotient_view &v, const quotient_point &q, pr_point at, uint32_t row) {
    const pr_qm31 line = pr_qm31_add(pr_qm31_mul_m31(q.a, at.y), q.b);
    const pr_qm31 numerator = pr_qm31_sub(sum_of_terms(v, q, row), line);
    const pr_cm31 moved = pr_cm31_sub(pr_cm31_mul_m31(q.im_x, at.y), pr_cm31_mul_m31(q.im_y, at.x));
    return pr_qm31_mul_cm31(numerator, pr_cm31_inverse(pr_cm31_add(q.constant, moved)));
}

__global__ void __launch_bounds__(block_threads) quotients_kernel(quotient_view v, uint32_t rows) {
    for (size_t i = thread_number(); i < rows; i += thread_count()) {
        const uint32_t slot = v.first + (uint32_t)i;
        const pr_point at = domain_point(v.line, v.log_lifted, slot);
        pr_qm31 sum = zero_qm31();
        for (uint32_t k = 0; k < v.n_points; k++)
            sum = pr_qm31_add(sum, quotient_of_point(v, ld(v.points, k), at, (uint32_t)i));
        st_secure(v.out, slot, sum);
    }
}

static quotient_point point_of(const pr_quotient_group *g, size_t first) {
    const pr_cm31 im_x = pr_qm31_im(g->point.x), im_y = pr_qm31_im(g->point.y);
    const pr_cm31 constant =
        pr_cm31_sub(pr_cm31_mul(pr_qm31_re(g->point.x), im_y), pr_cm31_mul(pr_qm31_re(g->point.y), im_x));
    return quotient_point{constant, im_x, im_y, g->a, g->b, first, g->n};
}

size_t quotient_table_bytes(const pr_device_needs *needs) {
    return needs->n_quotient_terms * (sizeof(quotient_term) + sizeof(quotient_point));
}

static size_t count_terms(const pr_quotient_group *groups, size_t n) {
    size_t n_terms = 0;
    for (size_t g = 0; g < n; g++) n_terms += groups[g].n;
    return n_terms;
}

/* Terms of all groups, one behind another, and their points. */
static pr_status put_groups(quotient_view *v, table_writer *w, window *in, const pr_quotient_group *groups, size_t n,
                            pr_error *err) {
    const size_t n_terms = count_terms(groups, n);
    size_t at = 0;
    quotient_term *terms;
    quotient_point *points;
    PR_TRY(w->begin(table_size<quotient_term>(n_terms) + table_size<quotient_point>(n), err));
    v->terms = w->take(&terms, n_terms);
    v->points = w->take(&points, n);
    for (size_t g = 0; g < n; g++) {
        points[g] = point_of(&groups[g], at);
        for (size_t k = 0; k < groups[g].n; k++, at++) {
            const pr_col col = groups[g].cols[k];
            PR_ASSERT(col.log_rows >= 1 && col.log_rows <= v->log_lifted);
            terms[at].coeff = groups[g].coeffs[k];
            PR_TRY(in->lifted_piece(&terms[at].column, col, v->log_lifted, v->first, v->log_block, err));
        }
    }
    return w->send(err);
}

static bool groups_are_far(const device *dev, const pr_quotient_group *groups, size_t n) {
    bool far = false;
    for (size_t g = 0; g < n; g++) far |= are_far(dev, groups[g].cols, groups[g].n);
    return far;
}

/* The rows that determine the quotients, a block at a time where columns are far. */
static pr_status quotient_rows(device *dev, quotient_view v, const pr_quotient_group *groups, size_t n,
                               uint32_t log_rows, pr_error *err) {
    const bool far = groups_are_far(dev, groups, n);
    const size_t n_terms = count_terms(groups, n), n_columns = n_terms < dev->max_pieces ? n_terms : dev->max_pieces;
    const uint32_t log_block = block_log_rows(dev, far, n_columns, log_rows);
    v.log_block = far ? log_block : v.log_lifted;
    for (size_t first = 0; first < (size_t)1 << log_rows; first += (size_t)1 << log_block) {
        const uint32_t rows = 1u << log_block;
        window in(dev);
        table_writer w(dev);
        v.first = (uint32_t)first;
        PR_TRY(put_groups(&v, &w, &in, groups, n, err));
        count_moved(dev, rows * (n_terms + 4));
        PR_CUDA_TRY(PR_LAUNCH(quotients_kernel, blocks_for(rows), block_threads, 0, dev->stream, v, rows), "quotients");
    }
    return PR_OK;
}

pr_status quotients(device *dev, const pr_col dst[4], uint32_t log_blowup, const pr_quotient_group *groups, size_t n,
                    pr_error *err) {
    const uint32_t log_lifted = dst[0].log_rows, log_rows = log_lifted - log_blowup;
    quotient_view v = {};
    pr_col prefix[4];
    PR_ASSERT(log_lifted > log_blowup && log_blowup >= 1 && log_lifted <= dev->max_log_rows);
    v.arena = arena(dev);
    v.line = dev->twiddles.line;
    v.n_points = (uint32_t)n;
    v.log_lifted = log_lifted;
    for (int c = 0; c < 4; c++) prefix[c] = pr_col{dst[c].offset, log_rows};
    v.out = secure(dev, prefix);
    PR_TRY(quotient_rows(dev, v, groups, n, log_rows, err));
    PR_TRY(transform(dev, INVERSE, prefix, prefix, 4, log_blowup, err));
    return transform(dev, FORWARD, dst, prefix, 4, 0, err);
}

} // namespace PR_GPU
