/* A run's state is read from the journal while it goes on. */
#include "sample.h"
#include "store/state.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define DIGEST "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void must(pr_status status, const pr_error *e) {
    if (status != PR_OK) fail_msg("%s", e->text);
}

typedef struct run {
    char path[128], log[160];
    pr_store *s;
    pr_session_row row;
} run;

static void begin_run(run *r, const char *name, unsigned jobs) {
    pr_error e = {0};
    sample_path(r->path, name);
    assert_int_equal(pr_store_journal_path(r->log, sizeof r->log, r->path, NULL), PR_OK);
    r->s = sample_create(r->path, "test-run", DIGEST);
    r->row = (pr_session_row){.ranks = 4, .jobs = jobs, .status = "running"};
    must(pr_store_begin_session(r->s, &r->row, &e), &e);
}

static void end_run(run *r) {
    pr_error e = {0};
    must(pr_store_end_session(r->s, &r->row, &e), &e);
    must(pr_store_close(r->s, &e), &e);
}

static void test_state(void **state) {
    run r;
    pr_error e = {0};
    pr_run_state *v;
    (void)state;
    begin_run(&r, "state.h5", 10);
    pr_store *s = r.s;
    must(pr_store_note_assignment(s, "a", 1, PR_ASSIGNED_PROVE, 1, &e), &e);
    must(pr_store_note_assignment(s, "b", 1, PR_ASSIGNED_PROVE, 2, &e), &e);
    sample_put(s, "a", PR_OUTCOME_APPROVED, 100, 1);
    sample_put(s, "c", PR_OUTCOME_FAILED, 0, 1);
    pr_rank_row rank = {
        .id = "b", .rank = 2, .state = PR_ACTIVITY_PROVING, .host = "n2", .stage = "fri", .heard_ns = 5};
    must(pr_store_note_rank(s, &rank, &e), &e);
    must(pr_store_commit(s, &e), &e);
    must(pr_run_state_load(&v, r.log, &e), &e); /* while the writer has it */
    assert_string_equal(v->run_id, "test-run");
    assert_true(v->running);
    assert_int_equal(v->n_jobs, 10);
    assert_int_equal(v->by_outcome[PR_OUTCOME_APPROVED], 1);
    assert_int_equal(v->by_outcome[PR_OUTCOME_FAILED], 1);
    assert_int_equal(v->n_running, 1);
    assert_int_equal(v->n_waiting, 7);
    assert_true(v->jobs_per_s > 0 && v->expected_end_ns > v->session_begin_ns);
    assert_int_equal(v->n_ranks, 2);
    assert_int_equal(v->ranks[0].state, PR_ACTIVITY_IDLE); /* its job has ended */
    assert_string_equal(v->ranks[0].id, "");
    assert_int_equal(v->ranks[1].rank, 2);
    assert_string_equal(v->ranks[1].stage, "fri");
    assert_int_equal(pr_run_state_job(v, "b")->rank, 2);
    assert_null(pr_run_state_job(v, "zzz"));
    pr_run_state_free(v);
    end_run(&r);
    must(pr_run_state_load(&v, r.log, &e), &e);
    assert_false(v->running);
    assert_int_equal(v->n_running, 0);
    assert_int_equal(v->n_ranks, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(v->ranks[i].state, PR_ACTIVITY_ENDED);
        assert_string_equal(v->ranks[i].id, "");
    }
    pr_run_state_free(v);
    sample_remove(r.path);
}

/* Several are handed out to a rank: it is at the first, whichever was handed out last. */
static void test_state_of_jobs_behind(void **state) {
    static const char *const ids[] = {"first", "second", "third"};
    run r;
    pr_error e = {0};
    pr_run_state *v;
    (void)state;
    begin_run(&r, "behind.h5", 3);
    pr_store *s = r.s;
    for (size_t i = 0; i < 2; i++) must(pr_store_note_assignment(s, ids[i], 1, PR_ASSIGNED_PROVE, 1, &e), &e);
    for (size_t ended = 0; ended < 3; ended++) {
        must(pr_store_commit(s, &e), &e);
        must(pr_run_state_load(&v, r.log, &e), &e);
        assert_int_equal(v->ranks[0].state, PR_ACTIVITY_PROVING);
        assert_string_equal(v->ranks[0].id, ids[ended]);
        assert_int_equal(v->n_running, ended < 2 ? 2 : 1);
        pr_run_state_free(v);
        sample_put(s, ids[ended], PR_OUTCOME_APPROVED, 100, 1);
        if (ended == 0) must(pr_store_note_assignment(s, ids[2], 1, PR_ASSIGNED_PROVE, 1, &e), &e);
    }
    must(pr_store_commit(s, &e), &e);
    must(pr_run_state_load(&v, r.log, &e), &e);
    assert_int_equal(v->ranks[0].state, PR_ACTIVITY_IDLE);
    pr_run_state_free(v);
    end_run(&r);
    sample_remove(r.path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_state),
        cmocka_unit_test(test_state_of_jobs_behind),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
