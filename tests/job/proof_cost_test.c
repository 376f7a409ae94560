/* What a proof is expected to weigh, against proofs: job types with and without lookups and tables, few and many
 * columns, small and large traces, few and many queries. And what verification is expected to cost. */
#include "air/profile.h"
#include "blake2s/job.h"
#include "cpu/cpu_backend.h"
#include "file_hash/job.h"
#include "job/estimate.h"
#include "job/job.h"
#include "poseidon2_merkle/job.h"
#include "prove/prove.h"
#include "state_machine/job.h"
#include "vm/job.h"
#include "wide_fibonacci/job.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

/* Percent off the real size. Queries are drawn, so how many are distinct is chance: of few, or on few rows, sizes
 * spread. */
enum { OFF_MANY_QUERIES = 6, OFF_FEW_QUERIES = 12, OFF_BY_SIZE = 8 };

static pr_job *create(const pr_job_type *type, const pr_params *params, const char *profile) {
    pr_job *job = NULL;
    pr_config config;
    pr_error e = {0};
    if (pr_profile_config(&config, profile, &e) != PR_OK) fail_msg("%s", e.text);
    config.pow_bits = 0; /* costs time and no bytes */
    if (pr_job_create(&job, type, params, &config, &e) != PR_OK) fail_msg("%s: %s", type->name, e.text);
    return job;
}

static size_t real_bytes(pr_job *job) {
    const pr_prover_options options = {.backend = pr_cpu_best(), .n_threads = 1};
    const pr_trace_source source = {job, pr_job_fills_storage(job), pr_job_fill_trace};
    pr_prover *prover = NULL;
    pr_proof proof = {0};
    pr_writer w;
    pr_error e = {0};
    pr_writer_init(&w);
    if (pr_prover_create(&prover, &job->layout, &options, &e) != PR_OK ||
        pr_prover_run(prover, &proof, &source, NULL, NULL, NULL, &e) != PR_OK)
        fail_msg("%s", e.text);
    assert_int_equal(pr_proof_encode(&w, &proof, &job->layout), PR_OK);
    size_t bytes = w.size;
    pr_writer_clear(&w);
    pr_proof_clear(&proof);
    pr_prover_destroy(prover);
    return bytes;
}

static double percent_off(uint64_t expected, size_t real) { return 100 * fabs((double)expected / (double)real - 1); }

static pr_proof_cost cost_of(const pr_proof_shape *shape) {
    const pr_verify_costs costs = pr_costs_built_in(PR_ISA_AVX2).verify;
    return pr_proof_cost_of(shape, &costs);
}

static void compare(const pr_job_type *type, const pr_params *params, const char *profile, double allowed) {
    pr_job *job = create(type, params, profile);
    pr_proof_shape shape = pr_proof_shape_of_layout(&job->layout);
    pr_job_size size;
    assert_int_equal(type->size(&size, params, NULL), PR_OK);
    pr_proof_shape rough = pr_proof_shape_of_size(&size, &job->statement.config);
    uint64_t expected = cost_of(&shape).bytes, by_size = cost_of(&rough).bytes;
    size_t real = real_bytes(job), bound = pr_proof_max_bytes(&job->layout);
    print_message("%s %s: %zu bytes, expected %llu (%.1f %% off), by size %llu, at most %zu\n", type->name, profile,
                  real, (unsigned long long)expected, percent_off(expected, real), (unsigned long long)by_size, bound);
    assert_true(percent_off(expected, real) <= allowed);
    assert_true(percent_off(by_size, real) <= allowed + OFF_BY_SIZE);
    assert_true(real <= bound && expected <= bound);
    assert_true(percent_off(bound, real) > allowed); /* the bound would not do */
    pr_job_destroy(job);
}

static void compare_profiles(const pr_job_type *type, size_t n, const pr_param *items) {
    const pr_params params = {".", n, items};
    compare(type, &params, "fast", OFF_FEW_QUERIES);
    compare(type, &params, "standard", OFF_MANY_QUERIES);
    compare(type, &params, "conservative", OFF_MANY_QUERIES);
}

static void test_columns(void **state) {
    (void)state;
    static const char *const shapes[][2] = {{"6", "3"}, {"10", "100"}, {"14", "8"}, {"11", "900"}};
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        const pr_param items[] = {{"log_rows", shapes[k][0]}, {"columns", shapes[k][1]}};
        compare_profiles(&pr_job_wide_fibonacci, 2, items);
    }
}

static void test_lookups(void **state) {
    (void)state;
    const pr_param walk[] = {{"x_steps", "2000"}, {"y_steps", "70"}};
    compare_profiles(&pr_job_state_machine, 2, walk);
    char values[6000] = "";
    for (size_t k = 0, at = 0; k < 1500; k++) at += (size_t)snprintf(values + at, sizeof values - at, "%zu ", k % 100);
    const pr_param list[] = {{"input", values}};
    compare_profiles(&pr_job_poseidon2_merkle, 1, list);
}

static void test_files(void **state) {
    (void)state;
    char path[] = "/tmp/proof_cost_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 5000), 0);
    close(fd);
    const pr_param items[] = {{"path", path}};
    const pr_params params = {".", 1, items};
    compare_profiles(&pr_job_file_hash, 1, items);
    compare(&pr_job_blake2s, &params, "standard", OFF_MANY_QUERIES);
    unlink(path);
}

/* What makes verification dearer, and what does not. */
static void test_verification(void **state) {
    (void)state;
    const pr_param items[] = {{"log_rows", "10"}, {"columns", "100"}};
    const pr_params params = {".", 2, items}, program = {".", pr_job_vm.n_example, pr_job_vm.example};
    pr_job *job = create(&pr_job_wide_fibonacci, &params, "standard"), *vm = create(&pr_job_vm, &program, "standard");
    pr_proof_shape plain = pr_proof_shape_of_layout(&job->layout), shape = plain;
    pr_proof_cost base = cost_of(&plain);
    assert_int_equal(plain.n_values, 0);
    assert_int_equal(base.root_ns, 0);
    shape.n_queries *= 2;
    assert_true(cost_of(&shape).verify_ns > base.verify_ns && cost_of(&shape).bytes > base.bytes * 3 / 2);
    shape = plain;
    shape.n_nodes += 10000;
    assert_int_equal(cost_of(&shape).bytes, base.bytes);
    assert_true(cost_of(&shape).verify_ns > base.verify_ns);
    assert_int_equal(pr_proof_cost_of(&plain, &(pr_verify_costs){.attempt_ns = 7}).verify_ns,
                     7); /* whatever it is of */
    /* tables of 2^16: most of the work is to know them again */
    pr_proof_shape tables = pr_proof_shape_of_layout(&vm->layout);
    pr_proof_cost dear = cost_of(&tables);
    assert_true(tables.n_values >= 4u << 16 && tables.root_steps >= 2 * tables.n_values);
    assert_true(dear.verify_ns > 4 * base.verify_ns && dear.root_ns > dear.verify_ns);
    pr_job_destroy(job);
    pr_job_destroy(vm);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_columns), cmocka_unit_test(test_lookups),
                                       cmocka_unit_test(test_files), cmocka_unit_test(test_verification)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
