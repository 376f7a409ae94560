/* The first job of example.yaml is what the type says of itself; demo.yaml is a manifest of jobs there are. No
 * constraint or lookup of a type is gone; and columns that are said to be derived are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "air/evaluate.h"
#include "app/app.h"
#include "blake2s/job.h"
#include "file_hash/job.h"
#include "manifest/manifest.h"
#include "mlp_inference/job.h"
#include "plonk/job.h"
#include "poseidon2_merkle/job.h"
#include "sha256/job.h"
#include "state_machine/job.h"
#include "vm/job.h"
#include "wide_fibonacci/job.h"

static pr_manifest load(const char *file) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", PR_TEST_JOBS, file);
    pr_manifest m;
    pr_error err = {0};
    if (pr_manifest_load(&m, path, pr_job_types, NULL, &err) != PR_OK) fail_msg("%s", err.text);
    return m;
}

static void each_example(void **state) {
    (void)state;
    for (size_t k = 0; pr_job_types[k]; k++) {
        char file[128];
        snprintf(file, sizeof file, "%s/example.yaml", pr_job_types[k]->name);
        pr_manifest m = load(file);
        assert_true(m.n_jobs >= 1);
        assert_ptr_equal(m.jobs[0].type, pr_job_types[k]);
        assert_int_equal(m.jobs[0].params.n, pr_job_types[k]->n_example);
        for (size_t i = 0; i < pr_job_types[k]->n_example; i++) {
            const char *given = pr_params_get(pr_job_types[k], &m.jobs[0].params, pr_job_types[k]->example[i].name);
            assert_string_equal(given, pr_job_types[k]->example[i].value);
        }
        pr_manifest_clear(&m);
    }
}

static void the_demo(void **state) {
    (void)state;
    pr_manifest m = load("demo.yaml");
    assert_int_equal(m.n_jobs, 14);
    assert_non_null(pr_manifest_find(&m, "fib-3"));
    static const char *const shown[] = {"air", "blake2s", "file_hash", "mlp_inference", "vm"};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        size_t k = 0;
        while (k < m.n_jobs && strcmp(m.jobs[k].type->name, shown[i]) != 0) k++;
        assert_true(k < m.n_jobs);
    }
    for (size_t k = 0; k < m.n_jobs; k++) assert_string_equal(m.jobs[k].profile, "standard");
    pr_manifest_clear(&m);
}

/* The soundness suites go through the constraints there are, so they would not miss one. These digests would: of AIRs
 * that have every component, and the parts that only some statements have. Whoever changes an AIR on purpose changes
 * them, and the version of the job type. */
#define TEXT_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TEXT_57 "0123456789abcdef0123456789abcdef0123456789abcdef012345678"
#define FOUR_BLOCKS TEXT_64 TEXT_64 TEXT_64 TEXT_57 /* an odd length; behind it sha256 needs a fifth block */
static const struct {
    const pr_job_type *type;
    const char *air;
    pr_param params[4];
} airs[] = {
    {&pr_job_blake2s, "aa8a3f93b29177dd425a147cc5581e45d6c27f741f882108f2e911e07ca1977b", {{"text", FOUR_BLOCKS}}},
    {&pr_job_sha256, "9adbd450af827f0ca97721ad86d77679cf74471be2115bf63de65e6841c44615", {{"text", FOUR_BLOCKS}}},
    {&pr_job_file_hash, "b43e8bd9193bd0ec0b0ae06a70eb36fd36a3fec972f685dfbdbaa700d85487a2", {{"text", FOUR_BLOCKS}}},
    {&pr_job_poseidon2_merkle,
     "92a506c99867cae9693aa97343d676ef3b0b70be099e01ebdbcd644cec074945",
     {{"input", "3 1 4 1 5 9 2 6 5 3 5 8 9 7 9 3 2 3 8 4"}}},
    {&pr_job_state_machine,
     "fbf5fb188f1f3ede0b891454c9e1dca0e9a25c2245b16afd1aee6b24e946a984",
     {{"x_steps", "20"}, {"y_steps", "7"}}},
    {&pr_job_wide_fibonacci,
     "efd9a3393d5e086d686435d391be5caf827490575e98ae346cba62790ecd27ba",
     {{"log_rows", "4"}, {"columns", "5"}}},
    {&pr_job_plonk,
     "79de198489e6e74dbe4323a44b5701c65f8aea81655ce76d7d63cb706aebefcd",
     {{"circuit", "plonk/cubic.txt"}, {"values", "x=3 y=35"}}},
    {&pr_job_mlp_inference,
     "f5496f805cf59b9aec857306c0c4384920e663d065c1312048d3288dc6fd3e9b",
     {{"model", "mlp_inference/model.h5"}, {"images", "mlp_inference/digits.h5"}, {"count", "2"}}},
    {&pr_job_vm,
     "5a741152d9976e0486187166a253c0032b0667f84a36b65d6a11282043d7b69a",
     {{"code", "HALT"}, {"input", "1"}}},
    {&pr_job_vm,
     "bcf5aa6ec745038d87736f772f508f6f6258399fde39e70404a0a099033344f8",
     {{"code", "RELU r1, r2\nMATMUL r1, r1, r1, 1, 1, 1\nHASH r1, r1, 1\nHALT"}, {"input", "1"}}},
};

static void no_constraint_is_gone(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof airs / sizeof *airs; k++) {
        pr_params params = {.base_dir = PR_TEST_JOBS, .items = airs[k].params};
        pr_job_instance *job = NULL;
        pr_error err = {0};
        char hex[2 * sizeof(pr_hash) + 1];
        while (airs[k].params[params.n].name) params.n++;
        if (pr_instance_create(&job, airs[k].type, &params, &err) != PR_OK) fail_msg("%s", err.text);
        pr_hash digest = pr_air_digest(airs[k].type->air(job));
        pr_hex_encode(hex, digest.bytes, sizeof digest.bytes);
        print_message("%s\n", airs[k].type->name);
        assert_string_equal(hex, airs[k].air);
        pr_instance_destroy(airs[k].type, job);
    }
}

/* ---- derived columns: what their constraints say is what the trace has, and given ones need them not ---- */

static void fill(const pr_job_type *type, const pr_job_instance *job, uint32_t component, pr_m31 **columns) {
    pr_error err = {0};
    if (type->trace(job, component, columns, PR_JOB_ROW_ORDER, 1, &err) != PR_OK) fail_msg("%s", err.text);
}

static pr_m31 input_at(const pr_air *air, const pr_input *in, pr_m31 *const *columns, uint32_t n_rows, uint32_t row) {
    if (in->is_preprocessed) return air->preprocessed[in->column].values[row];
    return columns[in->column][(row + n_rows + (uint32_t)in->offset) % n_rows];
}

static void compare_derived(const pr_air *air, const pr_air_component *c, pr_m31 *const *given, pr_m31 *const *full) {
    pr_program program;
    pr_evaluation e;
    const uint32_t n_rows = 1u << c->log_size, n_given = c->n_columns - c->n_derived;
    assert_int_equal(pr_program_lower(&program, c, PR_PROGRAM_DERIVE, NULL), PR_OK);
    assert_int_equal(pr_evaluation_init(&e, &program, NULL), PR_OK);
    for (uint32_t row = 0; row < n_rows; row++) {
        for (uint32_t k = 0; k < program.n_inputs; k++)
            e.inputs[k] = input_at(air, &program.inputs[k], given, n_rows, row);
        pr_evaluation_run(&e);
        for (uint32_t k = 0; k < c->n_derived; k++)
            if (e.constraints[k] != full[n_given + k][row])
                fail_msg("component %s, row %u: column %u", c->name, row, n_given + k);
    }
    pr_evaluation_clear(&e);
    pr_program_clear(&program);
}

static void derive_component(const pr_job_type *type, const pr_job_instance *job, uint32_t component) {
    const pr_air *air = type->air(job);
    const pr_air_component *c = &air->components[component];
    const size_t n_given = c->n_columns - c->n_derived, n_cells = (size_t)c->n_columns << c->log_size;
    pr_m31 *cells = test_calloc(2 * n_cells, sizeof *cells);
    pr_m31 **full = test_calloc(c->n_columns, sizeof *full), **given = test_calloc(c->n_columns, sizeof *given);
    for (size_t k = 0; k < c->n_columns; k++) {
        full[k] = cells + (k << c->log_size);
        given[k] = k < n_given ? full[k] + n_cells : NULL;
    }
    fill(type, job, component, full);
    fill(type, job, component, given);
    assert_memory_equal(cells, cells + n_cells, (n_given << c->log_size) * sizeof *cells);
    compare_derived(air, c, given, full);
    print_message("%s: %zu of %u columns are given\n", c->name, n_given, c->n_columns);
    test_free(given);
    test_free(full);
    test_free(cells);
}

static void derived_columns(void **state) {
    (void)state;
    unsigned n = 0;
    for (size_t k = 0; k < sizeof airs / sizeof *airs; k++) {
        pr_params params = {.base_dir = PR_TEST_JOBS, .items = airs[k].params};
        pr_job_instance *job = NULL;
        while (airs[k].params[params.n].name) params.n++;
        assert_int_equal(pr_instance_create(&job, airs[k].type, &params, NULL), PR_OK);
        const pr_air *air = airs[k].type->air(job);
        for (uint32_t c = 0; c < air->n_components; c++) {
            if (!air->components[c].n_derived) continue;
            derive_component(airs[k].type, job, c);
            n++;
        }
        pr_instance_destroy(airs[k].type, job);
    }
    assert_int_equal(n, 4); /* file_hash, poseidon2_merkle, wide_fibonacci, HASH of the vm */
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_example), cmocka_unit_test(the_demo),
                                       cmocka_unit_test(no_constraint_is_gone), cmocka_unit_test(derived_columns)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
