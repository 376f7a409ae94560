/* The first job of example.yaml is what the type says of itself; demo.yaml is a manifest of jobs there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "air/job.h"
#include "blake2s/job.h"
#include "data_pipeline/job.h"
#include "file_hash/job.h"
#include "generic_compute/job.h"
#include "manifest/manifest.h"
#include "mlp_inference/job.h"
#include "plonk/job.h"
#include "poseidon2_merkle/job.h"
#include "sha256/job.h"
#include "state_machine/job.h"
#include "vm/job.h"
#include "wide_fibonacci/job.h"

static const pr_job_type *const types[] = {&pr_job_air,
                                           &pr_job_blake2s,
                                           &pr_job_data_pipeline,
                                           &pr_job_file_hash,
                                           &pr_job_generic_compute,
                                           &pr_job_mlp_inference,
                                           &pr_job_plonk,
                                           &pr_job_poseidon2_merkle,
                                           &pr_job_sha256,
                                           &pr_job_state_machine,
                                           &pr_job_vm,
                                           &pr_job_wide_fibonacci,
                                           NULL};

static pr_manifest load(const char *file) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", PR_TEST_JOBS, file);
    pr_manifest m;
    pr_error err = {0};
    if (pr_manifest_load(&m, path, types, NULL, &err) != PR_OK) fail_msg("%s", err.text);
    return m;
}

static void each_example(void **state) {
    (void)state;
    for (size_t k = 0; types[k]; k++) {
        char file[128];
        snprintf(file, sizeof file, "%s/example.yaml", types[k]->name);
        pr_manifest m = load(file);
        assert_true(m.n_jobs >= 1);
        assert_ptr_equal(m.jobs[0].type, types[k]);
        assert_int_equal(m.jobs[0].params.n, types[k]->n_example);
        for (size_t i = 0; i < types[k]->n_example; i++) {
            const char *given = pr_params_get(types[k], &m.jobs[0].params, types[k]->example[i].name);
            assert_string_equal(given, types[k]->example[i].value);
        }
        pr_manifest_clear(&m);
    }
}

static void the_demo(void **state) {
    (void)state;
    pr_manifest m = load("demo.yaml");
    assert_int_equal(m.n_jobs, 14);
    assert_non_null(pr_manifest_find(&m, "fib-3"));
    for (size_t k = 0; k < m.n_jobs; k++) assert_string_equal(m.jobs[k].profile, "standard");
    pr_manifest_clear(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_example), cmocka_unit_test(the_demo)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
