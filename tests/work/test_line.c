/* Jobs of a line on a device's backend (cuda-emu): those that are to come are proven beside the one whose turn it is.
 * Records are those of attempts made one by one, whatever follows what and whatever was said to follow; a job that
 * cannot be read, does not come or has no room harms no other. */
#include "work/line.h"
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
static pr_job_type watched;                       /* wide_fibonacci, which counts */
static atomic_int n_loaded, n_finished, n_traced; /* n_traced: traces begun */
static atomic_int n_to_meet;                      /* a trace waits until so many were begun */
static atomic_int n_active, most_active;          /* from the trace to the outputs */
static char expected[N_JOBS][65];                 /* proof hashes of attempts by themselves */
static pr_work work = {
    .backend = &pr_backend_cuda_emu, .threads = 1, .rank = 3, .host = "host", .manifest_digest = &run_digest};

static pr_status load(pr_job_instance *job, const pr_params *params, pr_error *err) {
    atomic_fetch_add(&n_loaded, 1);
    return pr_job_wide_fibonacci.load(job, params, err);
}

/* Until so many are counted; a machine on which that takes two minutes does not run these tests. */
static void await_count(const atomic_int *n, const atomic_int *least) {
    for (int waited = 0; atomic_load(n) < atomic_load(least) && waited < 120000; waited++) usleep(1000);
}

static pr_status trace(const pr_job_instance *job, uint32_t component, pr_m31 *const *columns, pr_job_order order,
                       unsigned n_threads, pr_error *err) {
    int n = atomic_fetch_add(&n_active, 1) + 1, most = atomic_load(&most_active);
    while (n > most && !atomic_compare_exchange_weak(&most_active, &most, n)) continue;
    atomic_fetch_add(&n_traced, 1);
    await_count(&n_traced, &n_to_meet);
    return pr_job_wide_fibonacci.trace(job, component, columns, order, n_threads, err);
}

static size_t outputs(const pr_job_instance *job, pr_output *out, size_t n) {
    atomic_fetch_add(&n_finished, 1);
    atomic_fetch_sub(&n_active, 1);
    return pr_job_wide_fibonacci.outputs(job, out, n);
}

static void count_anew(int to_meet) {
    atomic_store(&n_loaded, 0);
    atomic_store(&n_traced, 0);
    atomic_store(&n_finished, 0);
    atomic_store(&n_active, 0);
    atomic_store(&most_active, 0);
    atomic_store(&n_to_meet, to_meet);
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
    watched.outputs = outputs;
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

/* next: up to three, then NONE. */
static pr_status try_to_prove(pr_record *r, pr_work_line *line, int job, const int *next, pr_error *e) {
    const pr_manifest_job *following[PR_WORK_MOST_NEXT];
    size_t n = 0;
    for (; n < PR_WORK_MOST_NEXT && next[n] != NONE; n++) following[n] = &manifest.jobs[next[n]];
    return pr_work_prove_in_line(r, line, &work, &manifest.jobs[job], following, n, NULL, e);
}

static void attempt(pr_work_line *line, int job, const int *next) {
    pr_record r;
    pr_error e = {0};
    pr_status status = try_to_prove(&r, line, job, next, &e);
    if (status != (job == GONE ? PR_ERR_INPUT : PR_OK)) fail_msg("%s: %s", manifest.jobs[job].id, e.text);
    assert_string_equal(r.row.proof_hash, expected[job]);
    assert_string_equal(r.row.id, manifest.jobs[job].id);
    if (job == GONE) assert_non_null(strstr(r.row.reason, "line-no-such-file.txt"));
    if (job != GONE) assert_true(r.row.predicted_bytes > 0 && r.row.prove_ms > 0);
    assert_true(r.row.prove_ms * 1e6 <= (double)(r.row.finished_ns - r.row.started_ns));
    pr_record_clear(&r);
}
#define NEXT(...) ((const int[]){__VA_ARGS__, NONE})
#define NOTHING ((const int[]){NONE})

/* Four at a time: no trace is made before four were begun. Nothing is read or made a second time. */
static void test_is_ahead(void **state) {
    (void)state;
    pr_work_line *line = open_line();
    count_anew(4);
    attempt(line, FIRST, NEXT(SECOND, LARGER, THIRD));
    assert_int_equal(atomic_load(&n_traced), 4);
    attempt(line, SECOND, NEXT(LARGER, THIRD));
    attempt(line, LARGER, NEXT(THIRD));
    attempt(line, THIRD, NOTHING);
    assert_int_equal(atomic_load(&most_active), 4);
    assert_int_equal(atomic_load(&n_loaded), 4);
    assert_int_equal(atomic_load(&n_traced), 4);
    assert_int_equal(atomic_load(&n_finished), 4);
    assert_int_equal(pr_cuda_emu_held_bytes(), 0); /* nothing is to come: nothing is kept */
    close_line(line);
}

static void note(void *context, uint32_t stage) { ((uint64_t *)context)[0] |= UINT64_C(1) << stage; }

/* Whoever watches an attempt is told of its stages, whenever they were; in a time that began before. */
static uint64_t launches_of_chain(pr_work_line *line) {
    const uint64_t before = pr_cuda_emu_counts().launches;
    attempt(line, CHAIN, NEXT(GONE));
    return pr_cuda_emu_counts().launches - before;
}

/* The prover that is kept has its preprocessed tree for the next job of the same AIR. */
static void test_tree_stays(void **state) {
    (void)state;
    pr_work_line *line = open_line();
    count_anew(0);
    const uint64_t first = launches_of_chain(line), second = launches_of_chain(line);
    print_message("%llu launches, then %llu\n", (unsigned long long)first, (unsigned long long)second);
    assert_true(second < first);
    assert_int_equal(launches_of_chain(line), second);
    close_line(line);
}

static void test_stages(void **state) {
    (void)state;
    pr_work_line *line = open_line();
    uint64_t stages = 0;
    const pr_work_watch watch = {note, &stages};
    const pr_manifest_job *next = &manifest.jobs[SECOND];
    pr_record first, second;
    count_anew(2);
    assert_int_equal(pr_work_prove_in_line(&first, line, &work, &manifest.jobs[FIRST], &next, 1, NULL, NULL), PR_OK);
    assert_int_equal(pr_work_prove_in_line(&second, line, &work, next, NULL, 0, &watch, NULL), PR_OK);
    const uint64_t all =
        ((UINT64_C(1) << PR_WORK_STAGE_COUNT) - 1) & ~(UINT64_C(1) << (PR_WORK_STAGE_PROVER + PR_STAGE_LOOKUPS));
    assert_int_equal(stages & all, all);
    assert_true(second.row.started_ns < first.row.finished_ns);
    pr_record_clear(&first);
    pr_record_clear(&second);
    close_line(line);
}

static void test_any_order(void **state) {
    (void)state;
    static const int orders[][6] = {{FIRST, SECOND, THIRD, FIRST, SECOND, THIRD},
                                    {FIRST, LARGER, LARGER, FIRST, CHAIN, CHAIN},
                                    {FIRST, GONE, SECOND, GONE, GONE, THIRD},
                                    {CHAIN, FIRST, GONE, LARGER, SECOND, THIRD}};
    count_anew(0);
    for (size_t k = 0; k < sizeof orders / sizeof *orders; k++) {
        pr_work_line *line = open_line();
        for (int i = 0; i < 6; i++) {
            int next[PR_WORK_MOST_NEXT + 1], n = 0;
            for (int j = i + 1; j < 6 && n < PR_WORK_MOST_NEXT; j++) next[n++] = orders[k][j];
            next[n] = NONE;
            attempt(line, orders[k][i], next);
        }
        close_line(line);
    }
}

/* Other jobs come than those that were spoken of; or none. */
static void test_wrong_hints(void **state) {
    (void)state;
    pr_work_line *line = open_line();
    count_anew(0);
    attempt(line, FIRST, NEXT(SECOND, LARGER, CHAIN));
    attempt(line, THIRD, NEXT(GONE, FIRST));
    attempt(line, SECOND, NEXT(LARGER));
    attempt(line, FIRST, NOTHING);
    attempt(line, THIRD, NEXT(SECOND, GONE));
    pr_work_line_reset(line);
    assert_int_equal(pr_cuda_emu_held_bytes(), 0);
    attempt(line, SECOND, NEXT(FIRST));
    close_line(line);
}

/* A job that is no longer spoken of goes no further: its trace is in the making, and there it ends. */
static void test_dropped(void **state) {
    static const atomic_int one = 1;
    (void)state;
    for (int by_reset = 0; by_reset < 2; by_reset++) {
        pr_work_line *line = open_line();
        count_anew(0);
        attempt(line, CHAIN, NEXT(FIRST)); /* is not watched */
        await_count(&n_finished, &one);
        count_anew(2);
        attempt(line, CHAIN, NEXT(SECOND)); /* begins, and waits for another trace */
        await_count(&n_traced, &one);
        if (by_reset) {
            atomic_store(&n_to_meet, 0);
            pr_work_line_reset(line);
            assert_int_equal(atomic_load(&n_finished), 0);
        } else {
            attempt(line, THIRD, NEXT(LARGER));
            pr_work_line_reset(line);
            assert_true(atomic_load(&n_finished) <= 2); /* THIRD, perhaps LARGER */
        }
        assert_int_equal(pr_cuda_emu_held_bytes(), 0);
        close_line(line);
    }
}

static pr_plan plan_of(int job) {
    pr_plan plan;
    pr_job *j = NULL;
    const pr_manifest_job *m = &manifest.jobs[job];
    const pr_prover_options options = {.backend = work.backend, .n_threads = 1};
    assert_int_equal(pr_job_create(&j, m->type, &m->params, &m->config, NULL), PR_OK);
    assert_int_equal(pr_prover_plan(&plan, &j->layout, &options, NULL), PR_OK);
    pr_job_destroy(j);
    return plan;
}

static void prove_four(pr_work_line *line) {
    attempt(line, FIRST, NEXT(SECOND, THIRD, LARGER));
    attempt(line, SECOND, NEXT(THIRD, LARGER));
    attempt(line, THIRD, NEXT(LARGER, CHAIN));
    attempt(line, LARGER, NEXT(CHAIN));
    attempt(line, CHAIN, NOTHING);
}

/* As many at a time as have room, on the device or on the host; one of another kind takes the place of those that are
 * kept. */
static void test_memory(void **state) {
    (void)state;
    const pr_work before = work;
    const pr_plan one = plan_of(FIRST), large = plan_of(CHAIN);
    const size_t device = one.arena_bytes + one.workspace_bytes, most = large.arena_bytes + large.workspace_bytes;
    for (int room = 1; room <= 3; room++) {
        for (int on_host = 0; on_host < 2; on_host++) {
            pr_work_line *line = open_line();
            const size_t limit = (size_t)room * device + device / 2;
            count_anew(0);
            work.max_device_bytes = on_host ? 0 : limit;
            work.share_bytes = on_host ? (size_t)room * one.total_bytes + one.total_bytes / 2 : 0;
            attempt(line, FIRST, NEXT(SECOND, THIRD));
            attempt(line, SECOND, NEXT(THIRD, FIRST));
            attempt(line, THIRD, NEXT(FIRST));
            attempt(line, FIRST, NOTHING);
            assert_true(pr_cuda_emu_counts().peak_bytes <= limit);
            count_anew(room);
            attempt(line, FIRST, NEXT(SECOND, THIRD));
            assert_true(atomic_load(&n_traced) >= room); /* and so many there were */
            count_anew(0);
            work.max_device_bytes = on_host ? 0 : limit > most ? limit : most;
            prove_four(line);
            close_line(line);
        }
    }
    work = before;
}

/* A device that has less than it was said to have: what found no memory beside others is proven alone. */
static void test_less_memory(void **state) {
    (void)state;
    const pr_plan one = plan_of(FIRST), other = plan_of(LARGER), large = plan_of(CHAIN);
    size_t most = large.arena_bytes + large.workspace_bytes;
    pr_work_line *line = open_line();
    count_anew(0);
    assert_true(most > one.arena_bytes + one.workspace_bytes && most > other.arena_bytes + other.workspace_bytes);
    pr_cuda_emu_inject(&(pr_cuda_faults){.limit_bytes = most});
    prove_four(line);
    close_line(line);
}

/* A device that fails, whoever's launch it is, fails for all that are on it; a new one proves again. */
static void test_device_fails(void **state) {
    (void)state;
    count_anew(0);
    for (uint64_t k = 1; k < 60; k += 9) { /* three proofs have some 80 launches */
        static const int jobs[] = {FIRST, SECOND, LARGER};
        pr_work_line *line = open_line();
        int n_failed = 0;
        pr_cuda_emu_inject(&(pr_cuda_faults){.fail_launch = k});
        for (int i = 0; i < 3; i++) {
            pr_record r;
            pr_error e = {0};
            const int next[] = {i < 2 ? jobs[i + 1] : THIRD, i < 1 ? jobs[i + 2] : NONE, NONE};
            pr_status status = try_to_prove(&r, line, jobs[i], next, &e);
            assert_true(status == PR_OK || status == PR_ERR_BACKEND);
            if (status == PR_ERR_BACKEND) assert_non_null(strstr(r.row.reason, "a launch that a test made fail"));
            assert_string_equal(r.row.proof_hash, status == PR_OK ? expected[jobs[i]] : "");
            n_failed += status != PR_OK;
            pr_record_clear(&r);
        }
        assert_true(n_failed > 0);
        pr_work_line_reset(line);
        pr_cuda_emu_reset();
        assert_int_equal(pr_cuda_emu_held_bytes(), 0);
        prove_four(line);
        close_line(line);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_ahead),  cmocka_unit_test(test_tree_stays),  cmocka_unit_test(test_stages),
        cmocka_unit_test(test_any_order), cmocka_unit_test(test_wrong_hints), cmocka_unit_test(test_dropped),
        cmocka_unit_test(test_memory),    cmocka_unit_test(test_less_memory), cmocka_unit_test(test_device_fails)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
