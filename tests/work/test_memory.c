/* What an attempt takes of a machine's memory, against what is said of it beforehand: the scheduler hands a job out by
 * the estimate of its size, and `plan` tells it. Each attempt is a process of its own, warm from a small one, whose
 * peak is what the kernel says. */
#include "cpu/cpu_backend.h"
#include "job/estimate.h"
#include "work/work.h"
#include "mlp_inference/job.h"
#include "poseidon2_merkle/job.h"
#include "vm/job.h"
#include "wide_fibonacci/job.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "../dataset.h"

enum { THREADS = 1, ERROR_PERCENT = 15, BESIDES = 4 << 20 };
static const pr_job_type *const types[] = {&pr_job_wide_fibonacci, &pr_job_mlp_inference, &pr_job_poseidon2_merkle,
                                           &pr_job_vm, NULL};
static char folder[] = "/tmp/work-memory-XXXXXX";

static uint64_t status_bytes(const char *key) {
    char line[256];
    unsigned long long kib = 0;
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, key, strlen(key)) == 0) kib = strtoull(line + strlen(key) + 1, NULL, 10);
    if (f) fclose(f);
    return 1024 * kib;
}

typedef struct told {
    uint64_t peak, predicted;
} told;

static bool prove(told *out, const pr_manifest *m, size_t k) {
    const pr_work work = {.backend = pr_cpu_best(), .threads = THREADS, .host = "here", .manifest_digest = &m->digest};
    pr_record record;
    pr_error err = {0};
    pr_status status = pr_work_prove(&record, &work, &m->jobs[k], &err);
    if (status != PR_OK) fprintf(stderr, "%s\n", err.text);
    out->predicted = record.row.predicted_bytes;
    pr_record_clear(&record);
    return status == PR_OK;
}

/* Job 1 of the manifest, after job 0. */
static told measure(const pr_manifest *m) {
    told out = {0, 0};
    int ends[2], code = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        told t = {0, 0};
        bool good = prove(&t, m, 0);
        uint64_t before = status_bytes("VmRSS:");
        good = good && prove(&t, m, 1);
        t.peak = status_bytes("VmHWM:") - before;
        _exit(good && write(ends[1], &t, sizeof t) == sizeof t ? 0 : 1);
    }
    assert_true(child > 0);
    close(ends[1]);
    assert_int_equal(read(ends[0], &out, sizeof out), sizeof out);
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_int_equal(code, 0);
    close(ends[0]);
    return out;
}

static bool stops_early; /* then only what is planned when the job is at hand can be right */

static void expect_close(uint64_t said, uint64_t real, uint64_t besides) {
    uint64_t most = real * ERROR_PERCENT / 100 + besides;
    assert_true(said + most >= real);
    assert_true(said <= real + most);
}

static void compare(const char *job) {
    pr_manifest m;
    pr_estimate e;
    char text[1024];
    pr_error err = {0};
    const pr_costs costs = pr_costs_built_in(PR_ISA_AVX2);
    snprintf(text, sizeof text, "version: 1\nname: m\njobs:\n- {id: warm, type: %s}\n- {id: job, type: %s}\n",
             "wide_fibonacci, params: {log_rows: 5, columns: 4}", job);
    if (pr_manifest_parse(&m, text, strlen(text), "m.yaml", folder, types, NULL, &err) != PR_OK)
        fail_msg("%s", err.text);
    assert_int_equal(
        pr_estimate_job(&e, m.jobs[1].type, &m.jobs[1].params, &m.jobs[1].config, &costs, THREADS, NULL, NULL), PR_OK);
    told t = measure(&m);
    print_message("%s: peak %.1f MB, planned %.1f (%.0f %%), estimated %.1f (%.0f %%)\n", job, (double)t.peak / 1e6,
                  (double)t.predicted / 1e6, 100.0 * (double)t.predicted / (double)t.peak, (double)e.host_bytes / 1e6,
                  100.0 * (double)e.host_bytes / (double)t.peak);
    expect_close(t.predicted, t.peak, BESIDES); /* what is kept between proofs, and pages that are large */
    if (!stops_early) expect_close(e.host_bytes, t.predicted, 0);
    pr_manifest_clear(&m);
}

/* Values of a byte each, as they come from images and texts. */
static void write_values(const char *name, hsize_t n) {
    char path[128];
    uint8_t *values = malloc(n);
    assert_non_null(values);
    for (hsize_t k = 0; k < n; k++) values[k] = (uint8_t)(k * k);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    write_dataset(path, "values", H5T_STD_U8LE, H5T_NATIVE_UINT8, values, n);
    free(values);
}

static void test_memory_is_known_beforehand(void **state) {
    (void)state;
    char path[128];
    assert_non_null(mkdtemp(folder));
    write_values("values.h5", 100000);
    compare("wide_fibonacci, params: {log_rows: 16, columns: 100}");
    compare("mlp_inference, params: {model: " PR_TEST_MLP "/model.h5, images: " PR_TEST_MLP "/digits.h5, count: 60}");
    compare("mlp_inference, params: {model: " PR_TEST_MLP "/model.h5, images: " PR_TEST_MLP "/digits.h5, count: 128}");
    stops_early = true; /* how often the loop runs is the input's; it is 30,000 times, not a million */
    compare("vm, params: {code: \"LOADIMM r3, INPUT\\nLOAD r1, r3, 1\\nl: SUB r1, r1, 1\\nJNZ r1, l\\nHALT\", "
            "input: 30000, max_steps: 2000000}");
    stops_early = false;
    compare("poseidon2_merkle, params: {data: values.h5, dataset: values}");
    snprintf(path, sizeof path, "%s/values.h5", folder);
    unlink(path);
    rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_memory_is_known_beforehand)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
