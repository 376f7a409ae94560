/* A row a thread, all columns of all sample points in one pass; then the four coordinates are extended. */
#include "cuda/quotients.cuh"
#include "cuda/transform.cuh"

namespace PR_GPU {

struct quotient_term {
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
};

PR_DEVICE pr_qm31 sum_of_terms(const quotient_view &v, const quotient_point &q, uint32_t slot) {
    product_sum sum = {{0, 0, 0, 0}};
    for (uint64_t k = 0; k < q.n; k++) {
        const quotient_term t = ld(v.terms, q.first + k);
        const uint32_t at =
            t.column.log_rows == v.log_lifted ? slot : pr_slot_lift(t.column.log_rows, v.log_lifted, slot);
        fold(sum);
        add_product(sum, ld(column(v.arena, t.column), at), t.coeff);
    }
    return reduce(sum);
}

PR_DEVICE pr_qm31 quotient_of_point(const quotient_view &v, const quotient_point &q, pr_point at, uint32_t slot) {
    const pr_qm31 line = pr_qm31_add(pr_qm31_mul_m31(q.a, at.y), q.b);
    const pr_qm31 numerator = pr_qm31_sub(sum_of_terms(v, q, slot), line);
    const pr_cm31 moved = pr_cm31_sub(pr_cm31_mul_m31(q.im_x, at.y), pr_cm31_mul_m31(q.im_y, at.x));
    return pr_qm31_mul_cm31(numerator, pr_cm31_inverse(pr_cm31_add(q.constant, moved)));
}

__global__ void __launch_bounds__(block_threads) quotients_kernel(quotient_view v, uint32_t rows) {
    for (size_t i = thread_number(); i < rows; i += thread_count()) {
        const uint32_t slot = (uint32_t)i;
        const pr_point at = domain_point(v.line, v.log_lifted, slot);
        pr_qm31 sum = zero_qm31();
        for (uint32_t k = 0; k < v.n_points; k++)
            sum = pr_qm31_add(sum, quotient_of_point(v, ld(v.points, k), at, slot));
        st_secure(v.out, i, sum);
    }
}

static quotient_point point_of(const pr_quotient_group *g, size_t first) {
    const pr_cm31 im_x = pr_qm31_im(g->point.x), im_y = pr_qm31_im(g->point.y);
    const pr_cm31 constant =
        pr_cm31_sub(pr_cm31_mul(pr_qm31_re(g->point.x), im_y), pr_cm31_mul(pr_qm31_re(g->point.y), im_x));
    return quotient_point{constant, im_x, im_y, g->a, g->b, first, g->n};
}

/* Terms of all groups, one behind another, and their points. */
static pr_status put_groups(quotient_view *v, table_writer *w, const pr_quotient_group *groups, size_t n,
                            pr_error *err) {
    size_t n_terms = 0, at = 0;
    quotient_term *terms;
    quotient_point *points;
    for (size_t g = 0; g < n; g++) n_terms += groups[g].n;
    PR_TRY(w->begin(table_size<quotient_term>(n_terms) + table_size<quotient_point>(n), err));
    v->terms = w->take(&terms, n_terms);
    v->points = w->take(&points, n);
    for (size_t g = 0; g < n; g++) {
        points[g] = point_of(&groups[g], at);
        for (size_t k = 0; k < groups[g].n; k++) {
            PR_ASSERT(groups[g].cols[k].log_rows >= 1 && groups[g].cols[k].log_rows <= v->log_lifted);
            terms[at++] = quotient_term{groups[g].cols[k], groups[g].coeffs[k]};
        }
    }
    return w->send(err);
}

pr_status quotients(device *dev, const pr_col dst[4], uint32_t log_blowup, const pr_quotient_group *groups, size_t n,
                    pr_error *err) {
    const uint32_t log_lifted = dst[0].log_rows, rows = 1u << (log_lifted - log_blowup);
    quotient_view v = {};
    table_writer w(dev);
    pr_col prefix[4];
    PR_ASSERT(log_lifted > log_blowup && log_blowup >= 1 && log_lifted <= dev->max_log_rows);
    v.arena = arena(dev);
    v.line = dev->twiddles.line;
    v.n_points = (uint32_t)n;
    v.log_lifted = log_lifted;
    for (int c = 0; c < 4; c++) prefix[c] = pr_col{dst[c].offset, log_lifted - log_blowup};
    v.out = secure(dev, prefix);
    PR_TRY(put_groups(&v, &w, groups, n, err));
    PR_CUDA_TRY(PR_LAUNCH(quotients_kernel, blocks_for(rows), block_threads, 0, dev->stream, v, rows), "quotients");
    PR_TRY(transform(dev, INVERSE, prefix, prefix, 4, log_blowup, err));
    return transform(dev, FORWARD, dst, prefix, 4, 0, err);
}

} // namespace PR_GPU
