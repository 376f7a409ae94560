#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "casefile/casefile.h"
#include "support.h"
#include "wide_fibonacci/job.h"

static const pr_job_type *const type = &pr_job_wide_fibonacci;

static pr_job_instance *create(const char *log_rows, const char *columns, const char *seed) {
    const pr_param items[] = {{"log_rows", log_rows}, {"columns", columns}, {"seed", seed}};
    pr_params params = {.base_dir = ".", .n = 3, .items = items};
    pr_error err = {0};
    pr_job_instance *job = NULL;
    if (pr_instance_create(&job, type, &params, &err) != PR_OK) fail_msg("%s", err.text);
    return job;
}

/* The AIR of a golden case is ours: same columns, and each constraint has the same value everywhere we look. */
static void same_constraints_as(const char *file, const char *log_rows, const char *columns) {
    char path[512];
    snprintf(path, sizeof path, "%s/cases/%s.json", PR_TEST_VECTORS, file);
    pr_case golden;
    pr_error err = {0};
    if (pr_case_load(&golden, path, &err) != PR_OK) fail_msg("%s", err.text);
    pr_job_instance *job = create(log_rows, columns, "7");
    const pr_air *air = type->air(job);
    const pr_air_component *ours = &air->components[0], *theirs = &golden.air->components[0];
    assert_int_equal(air->n_components, golden.air->n_components);
    assert_int_equal(ours->n_columns, theirs->n_columns);
    assert_int_equal(ours->n_constraints, theirs->n_constraints);
    for (uint32_t k = 0; k < ours->n_columns; k++) {
        assert_int_equal(ours->columns[k].n_offsets, 1);
        assert_int_equal(ours->columns[k].offsets[0], 0);
    }
    rows t = rows_create(ours->n_columns, ours->log_size);
    uint64_t random = 1;
    for (uint32_t k = 0; k < t.n_columns; k++)
        for (uint32_t r = 0; r < 1u << t.log_rows; r++) t.columns[k][r] = random_m31(&random);
    pr_m31 *mine = calloc(ours->n_constraints, sizeof *mine), *his = calloc(ours->n_constraints, sizeof *his);
    for (uint32_t r = 0; r < 16; r++) {
        evaluate_row(mine, air, &t, r);
        evaluate_row(his, golden.air, &t, r);
        assert_memory_equal(mine, his, ours->n_constraints * sizeof *mine);
    }
    free(mine);
    free(his);
    rows_destroy(&t);
    pr_instance_destroy(type, job);
    pr_case_clear(&golden);
}

static void golden_constraints(void **state) {
    (void)state;
    same_constraints_as("wide_fibonacci_l4_c4", "4", "4");
    same_constraints_as("wide_fibonacci_l6_c10", "6", "10");
    same_constraints_as("wide_fibonacci_l7_c20_fold2", "7", "20");
}

static void trace_follows_the_definition(void **state) {
    (void)state;
    static const struct {
        const char *log_rows, *columns, *seed;
    } sizes[] = {{"4", "3", "0"}, {"5", "17", "7"}, {"11", "100", "2147483646"}, {"12", "5", "2147481000"}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        pr_job_instance *job = create(sizes[s].log_rows, sizes[s].columns, sizes[s].seed);
        rows t = trace_in_rows(type, job, 2), stored = trace_from_storage(type, job, 2);
        uint64_t seed = strtoull(sizes[s].seed, NULL, 10);
        for (uint32_t r = 0; r < 1u << t.log_rows; r++) {
            uint64_t a = 1, b = (seed + r) % PR_P;
            for (uint32_t k = 0; k < t.n_columns; k++) {
                assert_int_equal(t.columns[k][r], a);
                uint64_t next = (a * a % PR_P + b * b % PR_P) % PR_P;
                a = b, b = next;
            }
        }
        assert_rows_equal(&t, &stored);
        uint32_t row = 0, first = 0;
        assert_int_equal(count_failures(type->air(job), &t, &row, &first), 0);
        rows_destroy(&t);
        rows_destroy(&stored);
        pr_instance_destroy(type, job);
    }
}

/* Each constraint alone notices some change, so all are needed; the first two columns are the prover's. */
static void a_changed_cell_is_noticed(void **state) {
    (void)state;
    uint64_t random = test_seed();
    pr_job_instance *job = create("5", "20", "7");
    rows t = trace_in_rows(type, job, 1);
    assert_int_equal(type->air(job)->components[0].n_constraints, t.n_columns - 2);
    for (uint32_t k = 0; k < t.n_columns; k++) {
        uint32_t row = (uint32_t)next_random(&random) % 32, first = 0;
        pr_m31 kept = t.columns[k][row];
        /* the cell's negative has the same square: only the constraint that makes the cell can notice */
        t.columns[k][row] = pr_m31_neg(kept);
        uint32_t failures = count_failures_in_row(type->air(job), &t, row, &first);
        assert_int_equal(failures, k >= 2 ? 1 : 0);
        if (k >= 2) assert_int_equal(first, k - 2);
        t.columns[k][row] = pr_m31_add(kept, 1);
        assert_true(count_failures_in_row(type->air(job), &t, row, &first) > 0);
        t.columns[k][row] = kept;
    }
    rows_destroy(&t);
    pr_instance_destroy(type, job);
}

static void public_data_is_enough(void **state) {
    (void)state;
    pr_job_instance *job = create("6", "9", "5"), *again = remake_from_public(type, job);
    pr_writer w = public_of(type, job);
    pr_instance_destroy(type, again);
    for (size_t size = 0; size < w.size; size++)
        assert_int_equal(pr_instance_create_public(&again, type, NULL, w.data, size, NULL), PR_ERR_MALFORMED);
    for (size_t word = 0; word < 3; word++) { /* each word out of range */
        uint8_t bad[12];
        memcpy(bad, w.data, sizeof bad);
        memset(bad + 4 * word, 0xff, 4);
        assert_int_equal(pr_instance_create_public(&again, type, NULL, bad, sizeof bad, NULL), PR_ERR_MALFORMED);
    }
    pr_writer_clear(&w);
    pr_instance_destroy(type, job);
}

static void parameters_out_of_range(void **state) {
    (void)state;
    static const struct {
        pr_param item;
        size_t index;
    } bad[] = {{{"log_rows", "3"}, 0},   {{"log_rows", "25"}, 0},     {{"columns", "2"}, 1},
               {{"columns", "1025"}, 1}, {{"seed", "2147483647"}, 1}, {{"colour", "red"}, 1}};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        pr_param items[2] = {{"log_rows", "10"}, bad[k].item};
        pr_params params = {.base_dir = ".", .n = 2, .items = items};
        if (bad[k].index == 0) items[0] = bad[k].item, params.n = 1;
        pr_error err = {0};
        size_t index = 99;
        assert_int_equal(pr_params_check(type, &params, &index, &err), PR_ERR_USAGE);
        assert_int_equal(index, bad[k].index);
        assert_non_null(strstr(err.text, bad[k].item.name));
    }
}

static void the_example_works(void **state) {
    (void)state;
    pr_params params = {.base_dir = ".", .n = type->n_example, .items = type->example};
    pr_job_instance *job = NULL;
    assert_int_equal(pr_params_check(type, &params, NULL, NULL), PR_OK);
    assert_int_equal(pr_instance_create(&job, type, &params, NULL), PR_OK);
    assert_int_equal(type->air(job)->components[0].log_size, 10);
    pr_instance_destroy(type, job);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_constraints),        cmocka_unit_test(trace_follows_the_definition),
        cmocka_unit_test(a_changed_cell_is_noticed), cmocka_unit_test(public_data_is_enough),
        cmocka_unit_test(parameters_out_of_range),   cmocka_unit_test(the_example_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
