/* 100,000 jobs on 10,000 ranks: the cost is counted in steps of the scheduler, not in seconds of this machine. */
#include "base/random.h"
#include "schedule/schedule.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { RANKS_A_NODE = 8 };
#define S 1000000000ull

typedef struct batch {
    size_t n_jobs;
    uint32_t n_ranks;
    pr_schedule_job *jobs;
    pr_schedule_rank *ranks;
    pr_schedule_node *nodes;
    pr_task *task; /* ring of what runs */
    size_t first, n, room;
    uint64_t n_events;
} batch;

static pr_schedule *begin(batch *b, size_t n_jobs, uint32_t n_ranks) {
    uint32_t n_nodes = n_ranks / RANKS_A_NODE;
    pr_prng g = {n_jobs};
    *b = (batch){.n_jobs = n_jobs, .n_ranks = n_ranks, .room = 2 * (size_t)n_ranks};
    b->jobs = calloc(n_jobs, sizeof *b->jobs);
    b->ranks = calloc(n_ranks, sizeof *b->ranks);
    b->nodes = calloc(n_nodes, sizeof *b->nodes);
    b->task = calloc(b->room, sizeof *b->task);
    assert_true(b->jobs && b->ranks && b->nodes && b->task);
    for (size_t j = 0; j < n_jobs; j++)
        b->jobs[j] = (pr_schedule_job){.expected_ns = S * (1 + pr_prng_below(&g, 100)),
                                       .host_bytes = 1 + pr_prng_below(&g, pr_prng_below(&g, 20) ? 12 : 90),
                                       .retries = 1};
    for (uint32_t n = 0; n < n_nodes; n++) b->nodes[n].host_bytes = 100;
    for (uint32_t r = 0; r < n_ranks; r++)
        b->ranks[r] = (pr_schedule_rank){r / RANKS_A_NODE, PR_SCHEDULE_NO_DEVICE, true, true, false};
    const pr_schedule_setup setup = {.n_jobs = n_jobs,
                                     .jobs = b->jobs,
                                     .n_ranks = n_ranks,
                                     .ranks = b->ranks,
                                     .n_nodes = n_nodes,
                                     .nodes = b->nodes,
                                     .options.slow_min_ns = 1000000 * S}; /* answers come when they come */
    pr_schedule *s = NULL;
    assert_int_equal(pr_schedule_create(&s, &setup, 0, NULL), PR_OK);
    return s;
}

static void clear(batch *b) {
    free(b->jobs);
    free(b->ranks);
    free(b->nodes);
    free(b->task);
}

/* Every answer but one in a hundred is a proof; answers come in the order of the tasks. */
static void answer(batch *b, pr_schedule *s, uint64_t now) {
    pr_task t = b->task[b->first];
    pr_hash h;
    memset(&h, 1, sizeof h);
    b->first = (b->first + 1) % b->room;
    b->n--;
    b->n_events++;
    if (t.kind == PR_TASK_VERIFY)
        assert_int_equal(pr_schedule_verified(s, now, t.rank, t.job, t.attempt, PR_VERDICT_ACCEPTED), PR_FATE_DONE);
    else if (b->n_events % 100 == 0 && t.attempt == 1)
        assert_int_equal(pr_schedule_failed(s, now, t.rank, t.job, t.attempt, PR_FAILURE_ATTEMPT), PR_FATE_RETRY);
    else
        assert_int_equal(pr_schedule_proved(s, now, t.rank, t.job, t.attempt, &h), PR_ANSWER_COUNTS);
}

/* Steps an event, on average over the whole batch. */
static double run(size_t n_jobs, uint32_t n_ranks) {
    batch b;
    pr_schedule *s = begin(&b, n_jobs, n_ranks);
    uint64_t now = 0, before = pr_schedule_operations(s);
    do {
        pr_task t;
        for (; pr_schedule_next(s, now, &t); b.n++) b.task[(b.first + b.n) % b.room] = t;
        if (b.n > 0) answer(&b, s, now);
        now += b.n > 0 ? S / 1000 : S;
    } while (!pr_schedule_is_over(s));
    assert_int_equal(pr_schedule_count(s, PR_JOB_DONE), n_jobs);
    double steps = (double)(pr_schedule_operations(s) - before) / (double)b.n_events;
    pr_schedule_destroy(s);
    clear(&b);
    return steps;
}

static void test_cost(void **state) {
    (void)state;
    double small = run(1000, 104), large = run(100000, 10000);
    print_message("steps an event: %.0f with 1,000 jobs on 104 ranks, %.0f with 100,000 jobs on 10,000 ranks\n", small,
                  large);
    assert_true(large < 400);       /* 17 levels of jobs, 11 of nodes, 14 of ranks: some of each */
    assert_true(large < 4 * small); /* a hundred times as much of everything */
}

/* A whole cluster dies and comes back. */
static void test_loss_of_everything(void **state) {
    (void)state;
    batch b;
    pr_schedule *s = begin(&b, 100000, 10000);
    pr_task t;
    size_t n = 0;
    while (pr_schedule_next(s, 0, &t)) n++;
    assert_true(n > 5000);
    uint64_t before = pr_schedule_operations(s);
    for (uint32_t r = 0; r < 10000; r++) pr_schedule_set_rank(s, S, r, PR_RANK_LOST);
    assert_false(pr_schedule_next(s, S, &t));
    assert_true(pr_schedule_is_over(s));
    for (uint32_t r = 0; r < 10000; r++) pr_schedule_set_rank(s, 2 * S, r, PR_RANK_UP);
    assert_true(pr_schedule_operations(s) - before < 10000u * 600u); /* 1,250 nodes looked at for each node that goes */
    assert_int_equal(pr_schedule_count(s, PR_JOB_QUEUED), 100000);
    while (pr_schedule_next(s, 2 * S, &t)) n--;
    assert_in_range(n, 0, 200); /* as many as before, nearly: the memory is filled otherwise */
    pr_schedule_destroy(s);
    clear(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cost), cmocka_unit_test(test_loss_of_everything)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
