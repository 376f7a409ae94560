/* Estimates against the plans that the prover really makes, for every job type and many sizes, and what is measured. */
#include "air/profile.h"
#include "blake2s/job.h"
#include "cpu/cpu_backend.h"
#ifdef PR_HAVE_CUDA_EMU
#include "cuda/cuda_backend.h"
#endif
#include "file_hash/job.h"
#include "job/estimate.h"
#include "job/job.h"
#include "mlp_inference/job.h"
#include "poseidon2_merkle/job.h"
#include "prove/prove.h"
#include "sha256/job.h"
#include "vm/job.h"
#include "wide_fibonacci/job.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <hdf5.h>

enum { MOST_PERCENT = 125 };

static pr_plan plan_on(const pr_backend *backend, const pr_job_type *type, const pr_params *params,
                       const pr_config *config, unsigned threads) {
    pr_job *job = NULL;
    pr_error e = {0};
    pr_plan plan;
    if (pr_job_create(&job, type, params, config, &e) != PR_OK) fail_msg("%s", e.text);
    const pr_prover_options options = {
        .backend = backend, .n_threads = threads, .air_digest = backend->is_device ? &job->air_digest : NULL};
    if (pr_prover_plan(&plan, &job->layout, &options, &e) != PR_OK) fail_msg("%s", e.text);
    pr_job_destroy(job);
    return plan;
}

static const pr_costs *costs(pr_isa isa) {
    static pr_costs all[PR_ISA_COUNT];
    all[isa] = pr_costs_built_in(isa);
    return &all[isa];
}

static pr_estimate estimate(const pr_job_type *type, const pr_params *params, const pr_config *config,
                            unsigned threads) {
    pr_estimate out;
    assert_int_equal(pr_estimate_job(&out, type, params, config, costs(PR_ISA_AVX2), threads, NULL, NULL), PR_OK);
    assert_true(out.known);
    return out;
}

static void expect_close(uint64_t predicted, uint64_t planned) {
    assert_true(predicted >= planned);
    assert_true(predicted <= planned * MOST_PERCENT / 100);
}

/* Of CUDA's own memory, and the pinned memory of the host; the emulation plans as a device. */
static void compare_cuda(const pr_job_type *type, const pr_params *params, const pr_config *config, unsigned threads,
                         const pr_estimate *e, uint64_t instance_bytes) {
#ifdef PR_HAVE_CUDA_EMU
    pr_backend cuda = pr_backend_cuda_emu;
    cuda.is_device = true;
    pr_plan plan = plan_on(&cuda, type, params, config, threads);
    print_message("  CUDA: planned %zu and %zu (%zu pinned)\n", plan.device_bytes, plan.total_bytes, plan.pinned_bytes);
    assert_true(e->device_host_bytes >= plan.total_bytes + instance_bytes);
    assert_true(e->device_bytes >= plan.device_bytes);
#else
    (void)type, (void)params, (void)config, (void)threads, (void)e, (void)instance_bytes;
#endif
}

/* Never below the plan, and not more than a quarter above it: on the processor, and where a backend has the columns in
 * a memory of its own. */
static void compare(const pr_job_type *type, const pr_params *params, const char *profile, unsigned threads) {
    pr_config config;
    pr_job_size size;
    assert_int_equal(pr_profile_config(&config, profile, NULL), PR_OK);
    assert_int_equal(type->size(&size, params, NULL), PR_OK);
    pr_backend device = *pr_cpu_best();
    device.is_device = true;
    pr_plan plan = plan_on(pr_cpu_best(), type, params, &config, threads);
    pr_plan apart = plan_on(&device, type, params, &config, threads);
    pr_estimate e = estimate(type, params, &config, threads);
    uint64_t planned = plan.total_bytes + size.instance_bytes, predicted = e.host_bytes;
    print_message("%s %s %s, %u threads: planned %llu, predicted %llu (%llu %%)\n", type->name, params->items[0].value,
                  profile, threads, (unsigned long long)planned, (unsigned long long)predicted,
                  (unsigned long long)(100 * predicted / planned));
    print_message("  on a device: planned %zu and %zu, predicted %llu and %llu\n", apart.device_bytes,
                  apart.total_bytes, (unsigned long long)e.device_bytes, (unsigned long long)e.device_host_bytes);
    expect_close(predicted, planned);
    assert_int_equal(plan.device_bytes, 0);
    assert_int_equal(apart.device_bytes, apart.arena_bytes + apart.workspace_bytes);
    assert_true(apart.total_bytes + apart.device_bytes >= plan.total_bytes); /* preprocessed columns stay there */
    assert_true(e.device_bytes >= apart.device_bytes);
    assert_true(e.device_host_bytes >= apart.total_bytes + size.instance_bytes);
    if (apart.device_bytes > 10u << 20) expect_close(e.device_bytes, apart.device_bytes);
    compare_cuda(type, params, &config, threads, &e, size.instance_bytes);
}

static void test_wide_fibonacci(void **state) {
    static const char *const rows[] = {"4", "8", "12", "16", "20"}, *const columns[] = {"3", "20", "100", "1000"};
    (void)state;
    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < 4; k++) {
            const pr_param items[] = {{"log_rows", rows[i]}, {"columns", columns[k]}};
            const pr_params params = {NULL, 2, items};
            compare(&pr_job_wide_fibonacci, &params, "standard", 1);
            compare(&pr_job_wide_fibonacci, &params, "fast", 4);
        }
}

static void write_file(char path[64], size_t bytes) {
    snprintf(path, 64, "%s", "/tmp/estimate_XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
    close(fd);
}

static void test_file_hash(void **state) {
    static const size_t sizes[] = {0, 1000, 30000, 1000000};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        char path[64];
        write_file(path, sizes[i]);
        const pr_param items[] = {{"path", path}};
        const pr_params params = {NULL, 1, items};
        compare(&pr_job_file_hash, &params, "standard", 1);
        compare(&pr_job_file_hash, &params, "conservative", 2);
        unlink(path);
    }
}

/* Lookups read most of what they are made of. */
static void test_digests(void **state) {
    static const size_t sizes[] = {0, 3000, 100000};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char path[64];
        write_file(path, sizes[i]);
        const pr_param items[] = {{"path", path}};
        const pr_params params = {NULL, 1, items};
        compare(&pr_job_blake2s, &params, "standard", 1);
        compare(&pr_job_sha256, &params, "conservative", 2);
        unlink(path);
    }
}

/* Numbers in HDF5 files, compressed or not, of one byte or eight, beside others or alone: the dataset's header says how
 * many there are. */
static void write_datasets(const char *path) {
    static const hsize_t table[2] = {3000, 4}, chunk[2] = {500, 2}, all[1] = {12000};
    static uint64_t numbers[12000];
    for (size_t k = 0; k < 12000; k++) numbers[k] = k * k % 251;
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), list = H5Pcreate(H5P_DATASET_CREATE);
    const hid_t flat = H5Screate_simple(1, all, NULL), square = H5Screate_simple(2, table, NULL);
    assert_true(H5Pset_chunk(list, 2, chunk) >= 0 && H5Pset_deflate(list, 9) >= 0);
    const hid_t sets[] = {
        H5Dcreate2(file, "bytes", H5T_STD_U8LE, flat, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
        H5Dcreate2(file, "words", H5T_STD_U32LE, flat, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
        H5Dcreate2(file, "table", H5T_STD_I64BE, square, H5P_DEFAULT, list, H5P_DEFAULT),
    };
    for (size_t k = 0; k < sizeof sets / sizeof *sets; k++) {
        assert_true(H5Dwrite(sets[k], H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers) >= 0);
        H5Dclose(sets[k]);
    }
    H5Sclose(flat);
    H5Sclose(square);
    H5Pclose(list);
    H5Fclose(file);
}

static void test_datasets(void **state) {
    static const char *const names[] = {"bytes", "words", "table"};
    (void)state;
    char path[64];
    write_file(path, 0);
    write_datasets(path);
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        const pr_param items[] = {{"data", path}, {"dataset", names[k]}, {"column", "0"}};
        const pr_params all = {NULL, 2, items}, column = {NULL, 3, items};
        compare(&pr_job_poseidon2_merkle, &all, "standard", 1);
        compare(&pr_job_poseidon2_merkle, &column, "standard", 2);
        compare(&pr_job_file_hash, &all, "standard", 1);
        compare(&pr_job_blake2s, &column, "standard", 1);
    }
    unlink(path);
}

/* A dataset that is not there, of another kind or too large: its job fails when it is tried, with the same reason. */
static void test_unfit_datasets(void **state) {
    static const struct {
        const pr_job_type *type;
        const char *file, *dataset, *column, *text;
    } bad[] = {
        {&pr_job_poseidon2_merkle, NULL, "none", "0", ": dataset 'none': there is none"},
        {&pr_job_poseidon2_merkle, NULL, "table", "4", ": dataset 'table': no column 4; it has 4"},
        {&pr_job_poseidon2_merkle, "/none.h5", "x", "0", "/none.h5: cannot open: No such file or directory"},
        {&pr_job_poseidon2_merkle, "/dev/null", "x", "0", "/dev/null: not a regular file"},
        {&pr_job_sha256, NULL, "none", "0", ": dataset 'none': there is none"},
        {&pr_job_vm, NULL, "none", "0", ": dataset 'none': there is none"},
    };
    (void)state;
    pr_config config;
    char path[64];
    write_file(path, 0);
    write_datasets(path);
    assert_int_equal(pr_profile_config(&config, "standard", NULL), PR_OK);
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        const pr_param items[] = {{"data", bad[k].file ? bad[k].file : path},
                                  {"dataset", bad[k].dataset},
                                  {"column", bad[k].column},
                                  {"code", "HALT\n"}};
        const pr_params params = {NULL, bad[k].type == &pr_job_vm ? 4 : 3, items};
        pr_job_size size;
        pr_estimate e;
        pr_error err = {0};
        assert_int_equal(bad[k].type->size(&size, &params, &err), PR_ERR_INPUT);
        if (!strstr(err.text, bad[k].text)) fail_msg("%s; expected: %s", err.text, bad[k].text);
        assert_int_equal(pr_estimate_job(&e, bad[k].type, &params, &config, costs(PR_ISA_AVX2), 1, NULL, NULL), PR_OK);
        assert_false(e.known);
    }
    unlink(path);
}

/* A network as it is, whatever stands beside its weights in the file. */
static void test_network(void **state) {
    static const pr_param files[] = {{"model", "model.h5"}, {"images", "digits.h5"}, {"count", "60"}};
    static const pr_params params = {PR_TEST_JOBS "/mlp_inference", 3, files};
    (void)state;
    pr_config config;
    pr_job *job = NULL;
    pr_job_size size;
    assert_int_equal(pr_profile_config(&config, "standard", NULL), PR_OK);
    assert_int_equal(pr_job_create(&job, &pr_job_mlp_inference, &params, &config, NULL), PR_OK);
    const pr_job_size is = pr_job_size_of_layout(&job->layout);
    assert_int_equal(pr_job_mlp_inference.size(&size, &params, NULL), PR_OK);
    assert_int_equal(size.cells, is.cells);
    assert_int_equal(size.n_columns, is.n_columns);
    assert_int_equal(size.n_values, is.n_values);
    assert_int_equal(size.log_rows, is.log_rows);
    assert_int_equal(size.n_trees, is.n_trees);
    pr_job_destroy(job);
    compare(&pr_job_mlp_inference, &params, "standard", 1);
}

/* Nothing is read: a file of 300 MB costs no more than one of none. */
static void test_size_reads_nothing(void **state) {
    (void)state;
    char path[64];
    write_file(path, 300000000);
    const pr_param items[] = {{"path", path}};
    const pr_params params = {NULL, 1, items};
    pr_config config;
    assert_int_equal(pr_profile_config(&config, "standard", NULL), PR_OK);
    pr_estimate large = estimate(&pr_job_file_hash, &params, &config, 1);
    assert_int_equal(large.cells, UINT64_C(295) << 24);
    unlink(path);
    pr_estimate missing;
    assert_int_equal(pr_estimate_job(&missing, &pr_job_file_hash, &params, &config, costs(PR_ISA_AVX2), 1, NULL, NULL),
                     PR_OK);
    assert_false(missing.known);
    assert_true(missing.host_bytes < 10u << 20);
    const pr_params none = {NULL, 0, items};
    assert_int_equal(pr_estimate_job(&missing, &pr_job_file_hash, &none, &config, costs(PR_ISA_AVX2), 1, NULL, NULL),
                     PR_ERR_USAGE);
}

/* More of anything takes longer; threads and wider registers less. */
static void test_time_is_monotonic(void **state) {
    (void)state;
    pr_config config;
    assert_int_equal(pr_profile_config(&config, "standard", NULL), PR_OK);
    const pr_job_size small = {.log_rows = 16, .n_trees = 1, .cells = 100 << 16};
    const pr_job_size large = {.log_rows = 18, .n_trees = 1, .cells = 100 << 18};
    uint64_t ns = pr_estimate_size(&small, &config, costs(PR_ISA_AVX2), 1).expected_ns;
    uint64_t ns_large = pr_estimate_size(&large, &config, costs(PR_ISA_AVX2), 1).expected_ns;
    assert_true(ns_large > 3 * ns && ns_large < 5 * ns);
    assert_true(pr_estimate_size(&small, &config, costs(PR_ISA_AVX2), 2).expected_ns < ns);
    assert_true(pr_estimate_size(&small, &config, costs(PR_ISA_AVX512), 1).expected_ns < ns);
    assert_true(pr_estimate_size(&small, &config, costs(PR_ISA_SCALAR), 1).expected_ns > 2 * ns);
    config.log_blowup++;
    assert_true(pr_estimate_size(&small, &config, costs(PR_ISA_AVX2), 1).expected_ns > ns);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_wide_fibonacci),
                                       cmocka_unit_test(test_file_hash),
                                       cmocka_unit_test(test_digests),
                                       cmocka_unit_test(test_datasets),
                                       cmocka_unit_test(test_unfit_datasets),
                                       cmocka_unit_test(test_network),
                                       cmocka_unit_test(test_size_reads_nothing),
                                       cmocka_unit_test(test_time_is_monotonic)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
