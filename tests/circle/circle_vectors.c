/* Known answers of points, domains, orders and vanishing polynomials: tests/vectors/primitives/circle.json. */
#include "circle/circle.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "../field/json_field.h"

static json_t *root;

static int setup(void **state) {
    (void)state;
    root = test_load("circle.json");
    return root ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    json_decref(root);
    return 0;
}

static void expect_point(pr_point got, const json_t *want) {
    expect_m31(got.x, json_array_get(want, 0));
    expect_m31(got.y, json_array_get(want, 1));
}

static pr_secure_point to_secure(const json_t *v) {
    return (pr_secure_point){to_qm31(get(v, "x")), to_qm31(get(v, "y"))};
}

static void expect_secure(pr_secure_point got, const json_t *want) {
    expect_qm31(got.x, get(want, "x"));
    expect_qm31(got.y, get(want, "y"));
}

static uint32_t get_index(const json_t *object, const char *key) { return pr_index(to_u64(get(object, key))); }

static void test_indices(void **state) {
    (void)state;
    size_t k;
    json_t *c;
    json_array_foreach(get_cases(root, "index_to_point"), k, c)
        expect_point(pr_point_from_index(get_index(c, "index")), get(c, "point"));
    json_array_foreach(get_cases(root, "index_ops"), k, c) {
        uint32_t a = get_index(c, "a"), b = get_index(c, "b");
        pr_point p = pr_point_from_index(a), q = pr_point_from_index(b);
        assert_int_equal(pr_index((uint64_t)a + b), get_size(c, "add"));
        assert_int_equal(pr_index((uint64_t)a - b), get_size(c, "sub"));
        assert_int_equal(pr_index(0 - (uint64_t)a), get_size(c, "neg_a"));
        assert_int_equal(pr_index((uint64_t)a * get_size(c, "n")), get_size(c, "a_times_n"));
        expect_point(pr_point_add(p, q), get(c, "point_add"));
        expect_m31(pr_double_x(p.x), get(c, "double_x_a"));
        expect_point(pr_point_negate(p), get(c, "conjugate_a"));
    }
}

static void test_domains(void **state) {
    (void)state;
    size_t k;
    json_t *c;
    json_array_foreach(get_cases(root, "canonic_cosets"), k, c) {
        unsigned n = (unsigned)get_size(c, "log_size");
        assert_int_equal(pr_coset_step_index(n), get_size(c, "step_index"));
        for (uint32_t i = 0; i < 1u << n; i++) {
            assert_int_equal(pr_domain_index(n, i), json_integer_value(json_array_get(get(c, "domain_indices"), i)));
            expect_point(pr_domain_point(n, pr_bitrev(i, n)), json_array_get(get(c, "domain_points"), i));
            uint32_t slot = pr_slot_of_row(n, i);
            assert_int_equal(slot, json_integer_value(json_array_get(get(c, "storage_index_of_coset_row"), i)));
            expect_point(pr_domain_point(n, slot), json_array_get(get(c, "coset_points"), i));
        }
    }
}

static void test_neighbours(void **state) {
    (void)state;
    size_t k;
    json_t *c;
    json_array_foreach(get_cases(root, "neighbour"), k, c) {
        unsigned n = (unsigned)get_size(c, "trace_log"), e = (unsigned)get_size(c, "eval_log");
        int64_t offset = json_integer_value(get(c, "offset"));
        for (uint32_t slot = 0; slot < 1u << e; slot++)
            assert_int_equal(pr_slot_shift(n, e - n, slot, offset),
                             json_integer_value(json_array_get(get(c, "map"), slot)));
    }
}

/* The prefix of a domain's slots is the subdomain that the vectors describe by its half coset. */
static void test_split(void **state) {
    (void)state;
    size_t k;
    json_t *c;
    json_array_foreach(get_cases(root, "split"), k, c) {
        unsigned n = (unsigned)get_size(c, "log_size"), sub = (unsigned)get_size(c, "sub_log_size");
        uint64_t first = get_size(c, "sub_half_coset_initial_index"), step = get_size(c, "sub_half_coset_step_index");
        for (uint32_t slot = 0; sub > 0 && slot < 1u << sub; slot++) {
            uint32_t natural = pr_bitrev(slot, sub), half = 1u << (sub - 1);
            uint64_t index = first + step * (natural % half);
            assert_int_equal(pr_domain_index_of_slot(n, slot), pr_index(natural < half ? index : 0 - index));
        }
    }
}

static void test_secure_points(void **state) {
    (void)state;
    size_t k, i;
    json_t *c, *m;
    json_array_foreach(get_cases(root, "secure_points"), k, c) {
        pr_secure_point p, sum;
        assert_true(pr_secure_point_from_t(&p, to_qm31(get(c, "t"))));
        expect_secure(p, get(c, "point"));
        json_array_foreach(get_cases(c, "repeated_double"), i, m)
            expect_secure(pr_secure_point_double(p, (unsigned)i + 1), m);
        sum = p;
        for (i = 2; i < 4; i++) sum = pr_secure_point_add(sum, p);
        json_array_foreach(get_cases(c, "mul_signed"), i, m) if (json_integer_value(get(m, "n")) == 3)
            expect_secure(sum, get(m, "point"));
        json_array_foreach(get_cases(c, "mask"), i, m) {
            uint64_t index = (uint64_t)json_integer_value(get(m, "offset")) * pr_coset_step_index(5);
            expect_secure(pr_secure_point_add_point(p, pr_point_from_index(pr_index(index))), get(m, "point"));
        }
        expect_qm31(pr_qm31_conj(p.x), get(get(c, "complex_conjugate"), "x"));
    }
}

static void test_vanishing(void **state) {
    (void)state;
    size_t k;
    json_t *c;
    json_array_foreach(get_cases(root, "coset_vanishing_on_domain"), k, c) {
        unsigned n = (unsigned)get_size(c, "trace_log"), e = (unsigned)get_size(c, "eval_log");
        unsigned whole = strcmp(json_string_value(get(c, "domain")), "canonic") == 0 ? e : e + 1;
        for (uint32_t slot = 0; slot < 1u << e; slot++) {
            pr_m31 v = pr_vanishing(pr_domain_point(whole, slot).x, n);
            expect_m31(v, json_array_get(get(c, "values"), slot));
            expect_m31(pr_m31_inverse(v), json_array_get(get(c, "inverse_by_block"), slot >> n));
        }
    }
    json_array_foreach(get_cases(root, "coset_vanishing_at_point"), k, c) {
        pr_secure_point p = to_secure(get(c, "point"));
        expect_qm31(pr_vanishing_secure(p.x, (unsigned)get_size(c, "log_size")), get(c, "value"));
    }
}

static void test_tree_slots(void **state) {
    (void)state;
    json_t *channel = test_load("channel.json"), *c;
    size_t k, i, n_checked = 0;
    json_array_foreach(get_cases(channel, "preprocessed_positions"), k, c) {
        const json_t *in = get(c, "positions"), *out = get(c, "out");
        unsigned lifted = (unsigned)get_size(c, "max_log_size"), height = (unsigned)get_size(c, "pp_max_log_size");
        for (i = 0; i < json_array_size(out); i++, n_checked++)
            assert_int_equal(pr_slot_in_tree(height, lifted, (uint32_t)to_u64(json_array_get(in, i))),
                             to_u64(json_array_get(out, i)));
    }
    assert_true(n_checked > 20);
    json_decref(channel);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_indices),       cmocka_unit_test(test_domains),
                                       cmocka_unit_test(test_neighbours),    cmocka_unit_test(test_split),
                                       cmocka_unit_test(test_secure_points), cmocka_unit_test(test_vanishing),
                                       cmocka_unit_test(test_tree_slots)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
