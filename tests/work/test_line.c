/* Jobs in a row on a device's backend (cuda-emu): the next one is read and its trace made while one is proven. Records
 * are those of attempts made one by one, whatever follows what; a job that cannot be read, or is of another kind, or
 * does not come, harms no other. */
#include "work/work.h"
#include "cpu/cpu_backend.h"
#include "cuda/cuda_backend.h"
#include "file_hash/job.h"
#include "wide_fibonacci/job.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { FIRST, SECOND, THIRD, LARGER, GONE, CHAIN, N_JOBS, NONE = N_JOBS };
static const char text[] = "version: 1\nname: n\ndefaults: {profile: fast}\njobs:\n"
                           "- {id: first, type: wide_fibonacci, params: {log_rows: 6, columns: 12, seed: 1}}\n"
                           "- {id: second, type: wide_fibonacci, params: {log_rows: 6, columns: 12, seed: 2}}\n"
                           "- {id: third, type: wide_fibonacci, params: {log_rows: 6, columns: 12, seed: 3}}\n"
                           "- {id: larger, type: wide_fibonacci, params: {log_rows: 7, columns: 12, seed: 3}}\n"
                           "- {id: gone, type: file_hash, params: {path: line-no-such-file.txt}}\n"
                           "- {id: chain, type: file_hash, params: {path: line-input.txt}}\n";
static const pr_hash run_digest = {{7}};
static pr_manifest manifest;
static pr_job_type watched; /* wide_fibonacci, which counts */
static atomic_int n_loaded, n_traced;
static char expected[N_JOBS][65]; /* proof hashes of attempts by themselves */
static pr_work work = {&pr_backend_cuda_emu, 1, 0, 3, "host", &run_digest, 0, NULL};

static pr_status load(pr_job_instance *job, const pr_params *params, pr_error *err) {
    atomic_fetch_add(&n_loaded, 1);
    return pr_job_wide_fibonacci.load(job, params, err);
}

static pr_status trace(const pr_job_instance *job, uint32_t component, pr_m31 *const *columns, pr_job_order order,
                       unsigned n_threads, pr_error *err) {
    pr_status status = pr_job_wide_fibonacci.trace(job, component, columns, order, n_threads, err);
    atomic_fetch_add(&n_traced, 1);
    return status;
}

static int set_up(void **state) {
    (void)state;
    char cwd[4096];
    pr_error e = {0};
    FILE *f = fopen("line-input.txt", "w");
    if (!f || !getcwd(cwd, sizeof cwd)) return -1;
    fputs("some bytes of a file that is hashed", f);
    fclose(f);
    watched = pr_job_wide_fibonacci;
    watched.load = load;
    watched.trace = trace;
    const pr_job_type *const types[] = {&pr_job_file_hash, &watched, NULL};
    if (pr_manifest_parse(&manifest, text, sizeof text - 1, "m.yaml", cwd, types, NULL, &e) != PR_OK) {
        print_error("%s\n", e.text);
        return -1;
    }
    for (int k = 0; k < N_JOBS; k++) {
        pr_record r;
        pr_work by_itself = work;
        by_itself.backend = &pr_backend_scalar;
        pr_status status = pr_work_prove(&r, &by_itself, &manifest.jobs[k], &e);
        if (status != (k == GONE ? PR_ERR_INPUT : PR_OK)) return -1;
        strcpy(expected[k], r.row.proof_hash);
        pr_record_clear(&r);
    }
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    pr_manifest_clear(&manifest);
    return unlink("line-input.txt");
}

static pr_work_line *open_line(void) {
    pr_work_line *line = NULL;
    pr_cuda_emu_reset();
    assert_int_equal(pr_work_line_create(&line, NULL), PR_OK);
    return line;
}
static void close_line(pr_work_line *line) {
    pr_work_line_destroy(line);
    assert_int_equal(pr_cuda_emu_held_bytes(), 0);
}

static void attempt(pr_work_line *line, int job, int next) {
    pr_record r;
    pr_error e = {0};
    const pr_manifest_job *following = next == NONE ? NULL : &manifest.jobs[next];
    pr_status status = pr_work_prove_in_line(&r, line, &work, &manifest.jobs[job], following, NULL, &e);
    if (status != (job == GONE ? PR_ERR_INPUT : PR_OK)) fail_msg("%s: %s", manifest.jobs[job].id, e.text);
    assert_string_equal(r.row.proof_hash, expected[job]);
    if (job == GONE) assert_non_null(strstr(r.row.reason, "line-no-such-file.txt"));
    if (job != GONE) assert_true(r.row.predicted_bytes > 0 && r.row.prove_ms > 0);
    pr_record_clear(&r);
}

/* What the next job needs is done when its turn comes, and is not done again. */
static void test_is_ahead(void **state) {
    (void)state;
    pr_work_line *line = open_line();
    atomic_store(&n_loaded, 0);
    atomic_store(&n_traced, 0);
    attempt(line, FIRST, SECOND);
    for (int waited = 0; atomic_load(&n_traced) < 2 && waited < 5000; waited++) usleep(1000);
    assert_int_equal(atomic_load(&n_loaded), 2);
    assert_int_equal(atomic_load(&n_traced), 2);
    attempt(line, SECOND, NONE);
    assert_int_equal(atomic_load(&n_loaded), 2);
    assert_int_equal(atomic_load(&n_traced), 2);
    assert_int_equal(pr_cuda_emu_held_bytes(), 0); /* nothing is to come: nothing is kept */
    close_line(line);
}

static void test_any_order(void **state) {
    (void)state;
    static const int orders[][6] = {{FIRST, SECOND, THIRD, FIRST, SECOND, THIRD},
                                    {FIRST, LARGER, LARGER, FIRST, CHAIN, CHAIN},
                                    {FIRST, GONE, SECOND, GONE, GONE, THIRD},
                                    {CHAIN, FIRST, GONE, LARGER, SECOND, THIRD}};
    for (size_t k = 0; k < sizeof orders / sizeof *orders; k++) {
        pr_work_line *line = open_line();
        for (int i = 0; i < 6; i++) attempt(line, orders[k][i], i < 5 ? orders[k][i + 1] : NONE);
        close_line(line);
    }
}

/* Another job comes than the one that was spoken of; or none. */
static void test_wrong_guess(void **state) {
    (void)state;
    pr_work_line *line = open_line();
    attempt(line, FIRST, SECOND);
    attempt(line, THIRD, GONE);
    attempt(line, SECOND, LARGER);
    attempt(line, FIRST, NONE);
    attempt(line, THIRD, SECOND);
    pr_work_line_reset(line);
    assert_int_equal(pr_cuda_emu_held_bytes(), 0);
    attempt(line, SECOND, FIRST);
    close_line(line);
}

/* A device that fails takes one attempt with it; the next begins anew. */
static void test_device_fails(void **state) {
    (void)state;
    for (uint64_t k = 1; k < 17; k += 3) { /* a proof has 17 launches */
        pr_record r;
        pr_error e = {0};
        pr_work_line *line = open_line();
        attempt(line, FIRST, SECOND);
        pr_cuda_emu_inject(&(pr_cuda_faults){.fail_launch = k});
        assert_int_equal(
            pr_work_prove_in_line(&r, line, &work, &manifest.jobs[SECOND], &manifest.jobs[THIRD], NULL, &e),
            PR_ERR_BACKEND);
        pr_record_clear(&r);
        pr_cuda_emu_reset();
        attempt(line, SECOND, THIRD);
        attempt(line, THIRD, NONE);
        close_line(line);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_is_ahead), cmocka_unit_test(test_any_order),
                                       cmocka_unit_test(test_wrong_guess), cmocka_unit_test(test_device_fails)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
