/* Quotients at the queried positions, protocol.md section 11.
 *
 * A term is a sample v = V0 + V1 u of a column f at a point q with q.y = Y0 + Y1 u. Conjugation negates u, so all of
 * a = conj(v) - v, c = conj(q.y) - q.y and b = v c - a q.y have the factor -2u, and the numerator is
 *     c f - (a y + b) = -2u * (Y1 (f - V0) - V1 (y - Y0)).
 * Terms at one point (a group) share q and D, so per group only sums of w f, w V0, w V1 are needed. Points are the one
 * drawn plus a fixed point each: two terms share a point exactly if those have the same index. */
#include "verify/internal.h"

#include <stdlib.h>
#include <string.h>

static uint32_t find_group(pr_verifier *v, uint32_t shift) {
    uint32_t g = 0;
    while (g < v->n_groups && v->group_shifts[g] != shift) g++;
    if (g == v->n_groups) v->group_shifts[v->n_groups++] = shift;
    return g;
}

static void add_term(pr_verifier *v, pr_verify_term term, uint64_t shift) {
    term.group = find_group(v, pr_index(shift));
    v->terms[v->n_terms++] = term;
}

pr_status pr_verify_plan_terms(pr_verifier *v, pr_error *err) {
    const pr_layout *layout = &v->layout;
    size_t most = 2 * (size_t)v->n_samples;
    v->terms = calloc(most, sizeof *v->terms);
    v->group_shifts = calloc(most, sizeof *v->group_shifts);
    if (!v->terms || !v->group_shifts) return pr_fail(err, PR_ERR_MEMORY, "verifier: out of memory");
    uint64_t step = pr_coset_step_index(layout->log_base), lifted_step = pr_coset_step_index(layout->log_lifted);
    for (uint32_t t = 0, sample = 0; t < layout->n_trees; t++)
        for (uint32_t i = 0; i < layout->trees[t].n_columns; i++) {
            const pr_layout_column *column = &layout->trees[t].columns[i];
            if (column->n_offsets == 2) /* periodicity: the second sample, one period of the column further */
                add_term(v, (pr_verify_term){t, i, sample + 1, 0},
                         (uint64_t)column->offsets[1] * step + (lifted_step << column->log_ext));
            for (uint32_t k = 0; k < column->n_offsets; k++)
                add_term(v, (pr_verify_term){t, i, sample++, 0}, (uint64_t)column->offsets[k] * step);
        }
    return PR_OK;
}

typedef struct group {
    pr_secure_point point;
    pr_qm31 v0, v1; /* sums of w V0, w V1 */
} group;

/* sums += w f at all queries, coordinate by coordinate; every addend is below 2^62, what is kept below 2^34. */
static void add_column(uint64_t *sums, pr_qm31 w, const pr_m31 *column, size_t n) {
    for (int k = 0; k < 4; k++) {
        uint64_t *sum = sums + (size_t)k * n, c = w.c[k];
        for (size_t q = 0; q < n; q++) sum[q] = (sum[q] & PR_P) + (sum[q] >> PR_P_BITS) + c * column[q];
    }
}

static group sum_group(pr_verify_run *r, uint32_t g) {
    const pr_verifier *v = r->v;
    size_t n = r->n_known;
    group out = {.point = pr_secure_point_add_point(r->point, pr_verify_point(v, v->group_shifts[g])),
                 .v0 = PR_QM31_ZERO,
                 .v1 = PR_QM31_ZERO};
    memset(r->sums, 0, 4 * n * sizeof *r->sums);
    for (uint32_t i = 0; i < v->n_terms; i++) {
        const pr_verify_term *term = &v->terms[i];
        if (term->group != g) continue;
        pr_qm31 w = r->powers[i], sample = r->samples[term->sample];
        out.v0 = pr_qm31_add(out.v0, pr_qm31_mul_cm31(w, pr_qm31_re(sample)));
        out.v1 = pr_qm31_add(out.v1, pr_qm31_mul_cm31(w, pr_qm31_im(sample)));
        add_column(r->sums, w, r->proof->queried_values[term->tree] + (size_t)term->column * n, n);
    }
    return out;
}

/* D = (Re q.x - x) Im q.y - (Re q.y - y) Im q.x */
static pr_cm31 denominator(const pr_secure_point *q, pr_point p) {
    pr_cm31 x = pr_cm31_sub(pr_qm31_re(q->x), (pr_cm31){p.x, 0}), y = pr_cm31_sub(pr_qm31_re(q->y), (pr_cm31){p.y, 0});
    return pr_cm31_sub(pr_cm31_mul(x, pr_qm31_im(q->y)), pr_cm31_mul(y, pr_qm31_im(q->x)));
}

static pr_verdict add_group(pr_verify_run *r, const group *g) {
    size_t n = r->n_known;
    pr_cm31 y0 = pr_qm31_re(g->point.y), y1 = pr_qm31_im(g->point.y);
    for (size_t q = 0; q < n; q++) {
        r->denominators[q] = denominator(&g->point, r->points[q]);
        if (pr_cm31_is_zero(r->denominators[q]))
            return PR_REJECT(r, PR_REJECTED_QUOTIENT_DENOMINATOR, "a sample point meets position %u", r->queries[q]);
    }
    pr_cm31_batch_inverse(r->inverse_denominators, r->denominators, n);
    for (size_t q = 0; q < n; q++) {
        pr_qm31 f = PR_QM31_ZERO;
        for (size_t k = 0; k < 4; k++) f.c[k] = pr_m31_reduce(r->sums[k * n + q]);
        pr_cm31 y = pr_cm31_sub((pr_cm31){r->points[q].y, 0}, y0);
        pr_qm31 numerator = pr_qm31_sub(pr_qm31_mul_cm31(pr_qm31_sub(f, g->v0), y1), pr_qm31_mul_cm31(g->v1, y));
        r->known[q] = pr_qm31_add(r->known[q], pr_qm31_mul_cm31(numerator, r->inverse_denominators[q]));
    }
    return PR_ACCEPTED;
}

pr_verdict pr_verify_quotients(pr_verify_run *r) {
    const pr_verifier *v = r->v;
    const pr_qm31 minus_two_u = {{0, 0, PR_P - 2, 0}};
    uint32_t log_size = r->layout->log_lifted;
    r->n_known = r->proof->n_queries;
    r->powers[0] = PR_QM31_ONE;
    for (uint32_t i = 1; i < v->n_terms; i++) r->powers[i] = pr_qm31_mul(r->powers[i - 1], r->quotient_coefficient);
    for (size_t q = 0; q < r->n_known; q++) {
        r->known[q] = PR_QM31_ZERO;
        r->points[q] = pr_verify_point(v, pr_domain_index_of_slot(log_size, r->queries[q]));
    }
    for (uint32_t k = 0; k < v->n_groups; k++) {
        group g = sum_group(r, k);
        PR_VERIFY_TRY(add_group(r, &g));
    }
    for (size_t q = 0; q < r->n_known; q++) r->known[q] = pr_qm31_mul(r->known[q], minus_two_u);
    return PR_ACCEPTED;
}
