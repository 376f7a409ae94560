/* Known answers of p3-mersenne-31: tests/vectors/primitives/poseidon2.json. */
#include "poseidon2/poseidon2.h"
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static json_t *root;

static size_t load(pr_m31 *out, size_t room, const json_t *array) {
    size_t n = json_array_size(array);
    assert_true(n <= room);
    for (size_t k = 0; k < n; k++) out[k] = (pr_m31)json_integer_value(json_array_get(array, k));
    return n;
}

static int setup(void **state) {
    (void)state;
    root = json_load_file(PR_TEST_VECTORS "/primitives/poseidon2.json", 0, NULL);
    return root ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    json_decref(root);
    return 0;
}

static void test_constants(void **state) {
    (void)state;
    pr_m31 row[16];
    for (size_t k = 0; k < 4; k++) {
        assert_int_equal(load(row, 16, json_array_get(json_object_get(root, "external_initial"), k)), 16);
        assert_memory_equal(row, pr_poseidon2_external_initial[k], sizeof row);
        assert_int_equal(load(row, 16, json_array_get(json_object_get(root, "external_final"), k)), 16);
        assert_memory_equal(row, pr_poseidon2_external_final[k], sizeof row);
    }
    assert_int_equal(load(row, 16, json_object_get(root, "internal")), 14);
    assert_memory_equal(row, pr_poseidon2_internal, sizeof pr_poseidon2_internal);
    assert_int_equal(load(row, 16, json_object_get(root, "internal_shifts")), 15);
    for (int k = 0; k < 15; k++) assert_int_equal(row[k], pr_poseidon2_internal_shifts[k]);
}

/* The matrices as written in the header, entry by entry. */
static void test_matrices(void **state) {
    (void)state;
    static const pr_m31 m4[4][4] = {{2, 3, 1, 1}, {1, 2, 3, 1}, {1, 1, 2, 3}, {3, 1, 1, 2}};
    for (size_t column = 0; column < 16; column++) {
        pr_m31 external[16] = {0}, internal[16] = {0};
        external[column] = internal[column] = 1;
        pr_poseidon2_external_matrix(external);
        pr_poseidon2_internal_matrix(internal);
        for (size_t row = 0; row < 16; row++) {
            pr_m31 entry = m4[row % 4][column % 4];
            assert_int_equal(external[row], row / 4 == column / 4 ? 2 * entry : entry);
            pr_m31 diagonal = row == 0 ? PR_P - 2 : 1u << pr_poseidon2_internal_shifts[row - 1];
            assert_int_equal(internal[row], row == column ? diagonal + 1 : 1);
        }
    }
}

static void test_permutation(void **state) {
    (void)state;
    json_t *cases = json_object_get(root, "permutation");
    assert_true(json_array_size(cases) >= 20);
    for (size_t k = 0; k < json_array_size(cases); k++) {
        pr_m31 x[16], want[16];
        assert_int_equal(load(x, 16, json_object_get(json_array_get(cases, k), "in")), 16);
        assert_int_equal(load(want, 16, json_object_get(json_array_get(cases, k), "out")), 16);
        pr_poseidon2_permute(x);
        assert_memory_equal(x, want, sizeof x);
    }
}

static void test_sponge(void **state) {
    (void)state;
    json_t *cases = json_object_get(root, "sponge");
    assert_true(json_array_size(cases) >= 5);
    for (size_t k = 0; k < json_array_size(cases); k++) {
        pr_m31 in[1024], out[8], want[8];
        size_t n = load(in, 1024, json_object_get(json_array_get(cases, k), "in"));
        assert_int_equal(load(want, 8, json_object_get(json_array_get(cases, k), "out")), 8);
        pr_poseidon2_sponge(out, in, n);
        assert_memory_equal(out, want, sizeof out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_constants), cmocka_unit_test(test_matrices),
                                       cmocka_unit_test(test_permutation), cmocka_unit_test(test_sponge)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
