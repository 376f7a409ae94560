/* The circle over p = 127, compiled with PR_P_BITS = 7 and the module's sources: all 128 points, all pairs, every
 * domain, slot, shift and transform size, against the definitions. */
#include "circle/transform.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

_Static_assert(PR_P == 127 && PR_CIRCLE_LOG_ORDER == 7, "compile with PR_P_BITS=7");
enum { ORDER = 128, MOST_LOG = 6 };

static bool same(pr_point p, pr_point q) { return p.x == q.x && p.y == q.y; }

static void test_group(void **state) {
    (void)state;
    assert_true(same(pr_point_from_index(ORDER / 4), (pr_point){0, PR_P - 1}));
    bool seen[PR_P][PR_P] = {{false}};
    for (uint32_t a = 0; a < ORDER; a++) {
        pr_point p = pr_point_from_index(a);
        assert_int_equal((p.x * p.x + p.y * p.y) % PR_P, 1);
        assert_false(seen[p.x][p.y]);
        seen[p.x][p.y] = true;
        assert_true(same(pr_point_negate(p), pr_point_from_index(pr_index(0 - (uint64_t)a))));
        assert_int_equal(pr_double_x(p.x), pr_point_from_index(pr_index(2 * a)).x);
        for (uint32_t b = 0; b < ORDER; b++)
            assert_true(same(pr_point_add(p, pr_point_from_index(b)), pr_point_from_index(pr_index(a + b))));
    }
}

static void test_domains(void **state) {
    (void)state;
    for (unsigned n = 1; n <= MOST_LOG; n++) {
        uint32_t first = 1u << (MOST_LOG - n), step = pr_coset_step_index(n);
        bool seen[ORDER] = {false};
        for (uint32_t r = 0; r < 1u << n; r++) {
            uint32_t slot = pr_slot_of_row(n, r), index = pr_domain_index_of_slot(n, slot);
            assert_int_equal(index, pr_index(first + r * step));
            assert_false(seen[index]);
            seen[index] = true;
            pr_point p = pr_domain_point(n, slot);
            assert_true(same(p, pr_point_from_index(index)));
            assert_int_equal(pr_vanishing(p.x, n), 0);
            /* neighbours in storage order are a point and its negative */
            assert_true(same(pr_domain_point(n, slot ^ 1), pr_point_negate(p)));
        }
    }
    /* and the vanishing polynomial vanishes nowhere else */
    for (unsigned n = 1; n <= MOST_LOG; n++) {
        unsigned zeros = 0;
        for (uint32_t k = 0; k < ORDER; k++) zeros += pr_vanishing(pr_point_from_index(k).x, n) == 0;
        assert_int_equal(zeros, 1u << n);
    }
}

/* A shift by rows moves the index by that many steps of the trace's coset, on whatever domain. */
static void test_shifts(void **state) {
    (void)state;
    for (unsigned n = 1; n <= MOST_LOG; n++)
        for (unsigned s = 0; n + s <= MOST_LOG; s++)
            for (uint32_t slot = 0; slot < 1u << (n + s); slot++)
                for (int64_t offset = -70; offset <= 70; offset++) {
                    uint64_t move = (uint64_t)offset * pr_coset_step_index(n);
                    uint32_t want = pr_index(pr_domain_index_of_slot(n + s, slot) + move);
                    uint32_t moved = pr_slot_shift(n, s, slot, offset);
                    assert_true(moved < 1u << (n + s));
                    assert_int_equal(pr_domain_index_of_slot(n + s, moved), want);
                }
    assert_int_equal(pr_slot_shift(0, 0, 0, 5), 0);
}

/* The first rows of a larger domain shift among themselves as a column extended once. */
static void test_prefix_shifts(void **state) {
    (void)state;
    for (unsigned n = 1; n <= 4; n++)
        for (unsigned b = 1; n + b <= MOST_LOG; b++)
            for (uint32_t slot = 0; slot < 2u << n; slot++)
                for (int64_t offset = -3; offset <= 3; offset++)
                    assert_int_equal(pr_slot_shift(n, b, slot, offset), pr_slot_shift(n, 1, slot, offset));
}

static void test_lift(void **state) {
    (void)state;
    for (unsigned l = 1; l <= MOST_LOG; l++)
        for (unsigned m = 1; m <= l; m++)
            for (uint32_t i = 0; i < 1u << l; i++) {
                uint32_t index = pr_domain_index_of_slot(l, i) << (l - m);
                assert_int_equal(pr_domain_index_of_slot(m, pr_slot_lift(m, l, i)), pr_index(index));
            }
}

/* The definition: sum of coefficients times products of y, x, pi(x), .. */
static pr_m31 by_definition(const pr_m31 *coeffs, unsigned n, pr_point p) {
    pr_m31 sum = 0;
    for (uint32_t j = 0; j < 1u << n; j++) {
        pr_m31 term = coeffs[j], x = p.x;
        for (unsigned k = 0; k < n; k++) {
            if (j >> k & 1) term = pr_m31_mul(term, k == 0 ? p.y : x);
            if (k > 0) x = pr_double_x(x);
        }
        sum = pr_m31_add(sum, term);
    }
    return sum;
}

static void test_transforms(void **state) {
    (void)state;
    pr_twiddles tw;
    assert_int_equal(pr_twiddles_init(&tw, MOST_LOG, NULL), PR_OK);
    for (unsigned n = 0; n <= MOST_LOG; n++)
        for (unsigned parts = n == 0; n + parts <= MOST_LOG; parts++)
            for (uint32_t unit = 0; unit < 1u << n; unit++) {
                pr_m31 coeffs[1 << MOST_LOG] = {0}, values[1 << MOST_LOG];
                coeffs[unit] = 1; /* transforms are linear: the units are a basis */
                for (uint32_t s = 0; s < 1u << n; s++)
                    values[s] = by_definition(coeffs, n, pr_domain_point(n + parts, s));
                pr_transform_evaluate(coeffs, n, parts, &tw);
                assert_memory_equal(coeffs, values, sizeof *values << n);
                pr_transform_interpolate(values, n, parts, &tw);
                for (uint32_t j = 0; j < 1u << n; j++) assert_int_equal(values[j], j == unit);
            }
    pr_twiddles_clear(&tw);
}

static void test_extensions(void **state) {
    (void)state;
    for (unsigned l = 1; l <= MOST_LOG; l++) {
        pr_twiddles tw; /* each size of twiddles, too */
        assert_int_equal(pr_twiddles_init(&tw, l, NULL), PR_OK);
        for (unsigned n = 0; n <= l; n++)
            for (uint32_t unit = 0; unit < 1u << n; unit++) {
                pr_m31 coeffs[1 << MOST_LOG] = {0}, src[1 << MOST_LOG], dst[1 << MOST_LOG];
                coeffs[unit] = 1;
                src[0] = 1;
                for (uint32_t s = 0; n > 0 && s < 1u << n; s++)
                    src[s] = by_definition(coeffs, n, pr_domain_point(n, s));
                pr_transform_extend(dst, src, n, l, &tw);
                for (uint32_t s = 0; s < 1u << l; s++)
                    assert_int_equal(dst[s], by_definition(coeffs, n, pr_domain_point(l, s)));
            }
        pr_twiddles_clear(&tw);
    }
}

static void test_secure_evaluation(void **state) {
    (void)state;
    unsigned points = 0;
    for (uint32_t a = 0; a < PR_P * PR_P; a += 5) {
        pr_secure_point p;
        pr_qm31 t = {{a % PR_P, a / PR_P, (3 * a + 1) % PR_P, (a * a + 2) % PR_P}};
        if (!pr_secure_point_from_t(&p, t)) continue;
        points++;
        assert_true(pr_qm31_equal(pr_qm31_add(pr_qm31_square(p.x), pr_qm31_square(p.y)), PR_QM31_ONE));
        pr_secure_point twice = pr_secure_point_add(p, p);
        assert_true(pr_qm31_equal(twice.x, pr_double_x_secure(p.x)));
    }
    assert_true(points > 3000);
    /* on points of the base field the secure evaluation is the plain one */
    pr_m31 coeffs[1 << MOST_LOG];
    for (uint32_t j = 0; j < 1u << MOST_LOG; j++) coeffs[j] = (j * j + 3) % PR_P;
    for (uint32_t k = 0; k < ORDER; k++)
        for (unsigned n = 0; n <= MOST_LOG; n++) {
            pr_point q = pr_point_from_index(k);
            pr_secure_point p = {pr_qm31_from_m31(q.x), pr_qm31_from_m31(q.y)};
            pr_qm31 want = pr_qm31_from_m31(by_definition(coeffs, n, q));
            assert_true(pr_qm31_equal(pr_circle_evaluate_secure(coeffs, n, p), want));
        }
    pr_secure_point none;
    assert_false(pr_secure_point_from_t(&none, (pr_qm31){{0, 1, 0, 0}})); /* i^2 + 1 = 0 */
}

/* Interpolating what line folding leaves gives the folded coefficients. */
static void test_lines(void **state) {
    (void)state;
    pr_twiddles tw;
    assert_int_equal(pr_twiddles_init(&tw, MOST_LOG, NULL), PR_OK);
    pr_qm31 alpha = {{3, 5, 7, 11}};
    for (unsigned m = 0; m < MOST_LOG; m++) {
        pr_qm31 values[1 << MOST_LOG], coeffs[1 << MOST_LOG], folded[1 << MOST_LOG];
        for (uint32_t j = 0; j < 1u << m; j++) coeffs[j] = (pr_qm31){{j, (j * j) % PR_P, 1, (7 * j) % PR_P}};
        for (uint32_t s = 0; s < 1u << m; s++) values[s] = pr_line_evaluate(coeffs, m, pr_line_x(m, s));
        if (m > 0) {
            pr_fold_line(folded, values, m, alpha, &tw);
            pr_line_interpolate(folded, m - 1, &tw);
            for (uint32_t j = 0; j < 1u << (m - 1); j++) {
                pr_qm31 want = pr_qm31_add(coeffs[2 * j], pr_qm31_mul(alpha, coeffs[2 * j + 1]));
                assert_true(pr_qm31_equal(folded[j], pr_qm31_add(want, want)));
            }
        }
        pr_line_interpolate(values, m, &tw);
        for (uint32_t j = 0; j < 1u << m; j++) assert_true(pr_qm31_equal(values[j], coeffs[j]));
    }
    pr_twiddles_clear(&tw);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_group),      cmocka_unit_test(test_domains),
                                       cmocka_unit_test(test_shifts),     cmocka_unit_test(test_prefix_shifts),
                                       cmocka_unit_test(test_lift),       cmocka_unit_test(test_transforms),
                                       cmocka_unit_test(test_extensions), cmocka_unit_test(test_secure_evaluation),
                                       cmocka_unit_test(test_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
