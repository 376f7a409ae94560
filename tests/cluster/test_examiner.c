/* The verifying thread: its queue is bounded, its verdicts are those of pr_work_check and come in order, and it ends
 * in every state. Under the thread sanitizer (preset thread) this is also the test that its locks suffice. */
#include "cluster/examiner.h"
#include "cpu/cpu_backend.h"
#include "wide_fibonacci/job.h"
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { ROUNDS = 40, CAPACITY = 4 };
static const char text[] = "version: 1\nname: n\ndefaults: {profile: fast}\njobs:\n"
                           "- {id: fib, type: wide_fibonacci, params: {log_rows: 4, columns: 5, seed: 3}}\n";

/* A type whose verification waits until the gate is open: so the thread is busy for as long as a test needs it. */
static pthread_mutex_t gate_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_moved = PTHREAD_COND_INITIALIZER;
static bool gate_is_open;
static unsigned n_at_gate;

static void set_gate(bool open) {
    pthread_mutex_lock(&gate_mutex);
    gate_is_open = open;
    n_at_gate = 0;
    pthread_cond_broadcast(&gate_moved);
    pthread_mutex_unlock(&gate_mutex);
}

static pr_status wait_at_gate(pr_job_instance *instance, const pr_params *params, const void *data, size_t size,
                              pr_error *err) {
    pthread_mutex_lock(&gate_mutex);
    n_at_gate++;
    pthread_cond_broadcast(&gate_moved);
    while (!gate_is_open) pthread_cond_wait(&gate_moved, &gate_mutex);
    pthread_mutex_unlock(&gate_mutex);
    return pr_job_wide_fibonacci.load_public(instance, params, data, size, err);
}

static void await_somebody_at_gate(void) {
    pthread_mutex_lock(&gate_mutex);
    while (n_at_gate == 0) pthread_cond_wait(&gate_moved, &gate_mutex);
    pthread_mutex_unlock(&gate_mutex);
}

static const pr_job_type *const types[] = {&pr_job_wide_fibonacci, NULL};
static const pr_hash run_digest = {{7}};
static pr_job_type gated;
static pr_manifest manifest;
static pr_manifest_job job;
static pr_work work = {.threads = 1, .rank = 1, .host = "host", .manifest_digest = &run_digest};
static pr_record proven;

static int set_up(void **state) {
    (void)state;
    pr_error e = {0};
    work.backend = pr_cpu_best();
    if (pr_manifest_parse(&manifest, text, sizeof text - 1, "m.yaml", ".", types, NULL, &e) != PR_OK) return -1;
    if (pr_work_prove(&proven, &work, &manifest.jobs[0], &e) != PR_OK) return -1;
    job = manifest.jobs[0];
    gated = pr_job_wide_fibonacci;
    gated.load_public = wait_at_gate;
    job.type = &gated;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    pr_record_clear(&proven);
    pr_manifest_clear(&manifest);
    return 0;
}

static pr_examiner *create(void) {
    pr_examiner *e = NULL;
    pr_error err = {0};
    assert_int_equal(pr_examiner_create(&e, 1, CAPACITY, &err), PR_OK);
    assert_true(pr_examiner_is_idle(e));
    return e;
}

/* A copy of the proven record: true when the examiner has taken it. */
static bool give(pr_examiner *e, uint32_t attempt, bool damaged) {
    pr_examination x = {.work = &work, .job = &job, .task = {1, 0, attempt}};
    pr_writer w;
    pr_error err = {0};
    pr_writer_init(&w);
    pr_record_encode(&w, &proven);
    assert_int_equal(pr_record_decode(&x.record, w.data, w.size, &err), PR_OK);
    pr_writer_clear(&w);
    if (damaged) x.record.proof[x.record.row.proof_compressed_bytes / 2] ^= 1;
    bool taken = pr_examiner_give(e, &x);
    assert_int_equal(x.record.proof == NULL, taken); /* the contents are its own, or still the caller's */
    pr_record_clear(&x.record);
    return taken;
}

static pr_examination await_verdict(pr_examiner *e) {
    pr_examination v;
    struct pollfd fd = {pr_examiner_fd(e), POLLIN, 0};
    assert_int_equal(poll(&fd, 1, 60000), 1);
    assert_true(pr_examiner_take(e, &v));
    assert_non_null(v.record.proof); /* it comes back */
    pr_record_clear(&v.record);
    return v;
}

static void test_verdicts_in_order(void **state) {
    (void)state;
    pr_examiner *e = create();
    set_gate(true);
    for (uint32_t k = 0, taken = 0; taken < ROUNDS;) {
        if (k < ROUNDS && give(e, k, k % 3 == 0) && ++k < ROUNDS) continue;
        pr_examination v = await_verdict(e);
        assert_int_equal(v.task.attempt, taken);
        assert_int_equal(v.verdict, taken % 3 == 0 ? PR_CHECK_RECORD : PR_CHECK_ACCEPTED);
        assert_int_equal(v.reason[0] != 0, taken % 3 == 0);
        taken++;
    }
    assert_true(pr_examiner_is_idle(e));
    pr_examiner_destroy(e);
}

static void test_queue_is_bounded(void **state) {
    (void)state;
    pr_examiner *e = create();
    set_gate(false);
    assert_true(give(e, 0, false));
    await_somebody_at_gate();
    for (uint32_t k = 1; k < CAPACITY; k++) assert_true(give(e, k, false));
    for (uint32_t k = 0; k < 10; k++) assert_false(give(e, 100 + k, false));
    assert_false(pr_examiner_is_idle(e));
    set_gate(true);
    for (uint32_t k = 0; k < CAPACITY; k++) assert_int_equal(await_verdict(e).task.attempt, k);
    assert_true(pr_examiner_is_idle(e));
    assert_true(give(e, 7, false)); /* there is room again */
    assert_int_equal(await_verdict(e).task.attempt, 7);
    pr_examiner_destroy(e);
}

/* Verdicts that nobody takes count too: there is no room for more. */
static void test_verdicts_wait(void **state) {
    (void)state;
    pr_examiner *e = create();
    set_gate(true);
    for (uint32_t k = 0; k < CAPACITY; k++) assert_true(give(e, k, false));
    struct pollfd fd = {pr_examiner_fd(e), POLLIN, 0};
    assert_int_equal(poll(&fd, 1, 60000), 1);
    assert_false(give(e, 100, false));
    assert_int_equal(pr_examiner_room(e), 0);
    for (uint32_t k = 0; k < CAPACITY; k++) assert_int_equal(await_verdict(e).task.attempt, k);
    assert_int_equal(pr_examiner_room(e), CAPACITY);
    pr_examiner_destroy(e);
}

/* Several threads: everything comes back once, and right. */
static void test_many_threads(void **state) {
    (void)state;
    bool seen[ROUNDS] = {false};
    pr_error err = {0};
    pr_examiner *e = NULL;
    set_gate(true);
    assert_int_equal(pr_examiner_create(&e, 3, ROUNDS, &err), PR_OK);
    for (uint32_t k = 0; k < ROUNDS; k++) assert_true(give(e, k, k % 3 == 0));
    for (uint32_t k = 0; k < ROUNDS; k++) {
        pr_examination v = await_verdict(e);
        assert_false(seen[v.task.attempt]);
        seen[v.task.attempt] = true;
        assert_int_equal(v.verdict, v.task.attempt % 3 == 0 ? PR_CHECK_RECORD : PR_CHECK_ACCEPTED);
    }
    assert_true(pr_examiner_is_idle(e));
    pr_examiner_destroy(e);
}

static void *open_gate(void *context) {
    (void)context;
    set_gate(true);
    return NULL;
}

/* finish: what runs is waited for; what waits, and every verdict, is dropped. */
static void test_finish(void **state) {
    (void)state;
    pthread_t opener;
    pr_examination v;
    pr_examiner *e = create();
    set_gate(false);
    for (uint32_t k = 0; k < 3; k++) assert_true(give(e, k, false));
    await_somebody_at_gate();
    assert_int_equal(pthread_create(&opener, NULL, open_gate, NULL), 0);
    pr_examiner_finish(e);
    assert_false(pr_examiner_take(e, &v));
    assert_true(pr_examiner_is_idle(e));
    pthread_join(opener, NULL);
    assert_true(give(e, 9, false));
    assert_int_equal(await_verdict(e).task.attempt, 9);
    pr_examiner_destroy(e);
}

static void test_destroyed_at_work(void **state) {
    (void)state;
    pthread_t opener;
    pr_examiner *e = create();
    set_gate(true);
    for (uint32_t k = 0; k < CAPACITY; k++) assert_true(give(e, k, false));
    pr_examiner_destroy(e); /* wherever it is */
    e = create();
    set_gate(false);
    for (uint32_t k = 0; k < CAPACITY; k++) assert_true(give(e, k, false));
    await_somebody_at_gate();
    assert_int_equal(pthread_create(&opener, NULL, open_gate, NULL), 0);
    pr_examiner_destroy(e);
    pthread_join(opener, NULL);
    pr_examiner_destroy(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts_in_order), cmocka_unit_test(test_queue_is_bounded),
        cmocka_unit_test(test_verdicts_wait),     cmocka_unit_test(test_finish),
        cmocka_unit_test(test_destroyed_at_work), cmocka_unit_test(test_many_threads),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
