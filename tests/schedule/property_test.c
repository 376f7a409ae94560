/* Random jobs, ranks and events against a slow, obvious model that looks only at what is handed out and answered:
 * nothing is lost, nothing runs twice but speculatively, nobody verifies its own proof where another could, what waits
 * waits, memory is never promised twice, and everything ends.
 * PR_TEST_SEED=N replays one case. */
#include "property.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define CHECK(m, e)                                                                                                    \
    do {                                                                                                               \
        if (!(e)) fail_msg("seed %llu, line %d: %s", (unsigned long long)(m)->seed, __LINE__, #e);                     \
    } while (0)

/* ---- the model's own view ---- */

static uint64_t limit_of(const model *m, uint32_t n) {
    return m->nodes[n].host_limit_bytes ? m->nodes[n].host_limit_bytes : m->nodes[n].host_bytes;
}

static size_t count_running(const model *m, uint32_t j) {
    size_t n = 0;
    for (size_t i = 0; i < m->n_run; i++)
        n += m->run[i].task.kind == PR_TASK_PROVE && !m->run[i].given_up && m->run[i].task.job == j;
    return n;
}

static bool has_task(const model *m, uint32_t r, pr_task_kind kind) {
    for (size_t i = 0; i < m->n_run; i++)
        if (!m->run[i].given_up && m->run[i].task.rank == r && m->run[i].task.kind == kind) return true;
    return false;
}

static bool is_ready(const model *m, uint32_t j) {
    for (uint32_t k = 0; k < m->jobs[j].n_after; k++)
        for (uint32_t i = 0; i < m->after[j][k].count; i++)
            if (m->job[m->after[j][k].first + i] != DONE) return false;
    return m->job[j] == OPEN;
}

/* The most that any of the rank's proofs needs: they run one after another. */
static uint64_t used_by(const model *m, uint32_t r, uint64_t *device) {
    uint64_t host = 0;
    *device = 0;
    for (size_t i = 0; i < m->n_run; i++) {
        if (m->run[i].given_up || m->run[i].task.kind != PR_TASK_PROVE || m->run[i].task.rank != r) continue;
        if (m->run[i].host > host) host = m->run[i].host;
        if (m->run[i].device > *device) *device = m->run[i].device;
    }
    return host;
}

static uint64_t used_on(const model *m, uint32_t node, size_t *n) {
    uint64_t used = 0, device;
    *n = 0;
    for (uint32_t r = 0; r < m->setup.n_ranks; r++) {
        if (m->ranks[r].node != node) continue;
        used += used_by(m, r, &device);
        *n += has_task(m, r, PR_TASK_PROVE);
    }
    return used;
}

static void check_memory(model *m) {
    for (uint32_t n = 0; n < m->setup.n_nodes; n++) {
        size_t count;
        uint64_t used = used_on(m, n, &count);
        CHECK(m, used <= m->nodes[n].host_bytes || (count == 1 && used <= limit_of(m, n)));
    }
    for (uint32_t d = 0; d < m->setup.n_devices; d++) {
        uint64_t used = 0, device;
        for (uint32_t r = 0; r < m->setup.n_ranks; r++) {
            (void)used_by(m, r, &device);
            if (m->ranks[r].device == d) used += device;
        }
        CHECK(m, used <= m->devices[d].bytes);
    }
}

/* ---- simple mode: the order by the book ---- */

static void deepen(const model *m, uint32_t j, int32_t *priority, uint64_t *path) {
    *priority = m->jobs[j].priority;
    uint64_t most = 0;
    for (uint32_t w = j + 1; w < m->setup.n_jobs; w++)
        for (uint32_t k = 0; k < m->jobs[w].n_after; k++) {
            if (j < m->after[w][k].first || j >= m->after[w][k].first + m->after[w][k].count) continue;
            int32_t p;
            uint64_t l;
            deepen(m, w, &p, &l);
            if (p > *priority) *priority = p;
            if (l > most) most = l;
        }
    *path = most + m->jobs[j].expected_ns;
}

static bool goes_before(const model *m, uint32_t a, uint32_t b) {
    int32_t pa, pb;
    uint64_t la, lb;
    deepen(m, a, &pa, &la);
    deepen(m, b, &pb, &lb);
    return pa != pb ? pa > pb : la != lb ? la > lb : a < b;
}

/* Does it fit on an idle rank of the node, and is there one that is not slow? */
static bool fits_node(const model *m, uint32_t j, uint32_t n) {
    size_t count;
    uint64_t used = used_on(m, n, &count);
    bool idle = false;
    for (uint32_t r = 0; r < m->setup.n_ranks; r++)
        idle |= m->ranks[r].node == n && m->ranks[r].proves && m->state[r] == PR_RANK_UP &&
                !has_task(m, r, PR_TASK_PROVE) && pr_schedule_rank_slowness(m->s, r) < 1.25 &&
                !(m->ranks[r].one_task && has_task(m, r, PR_TASK_VERIFY));
    return idle && used + m->bytes[j] <= m->nodes[n].host_bytes;
}

/* Left to a rank that was told of it and is at work. */
static bool is_left_alone(const model *m, uint32_t j) {
    uint32_t r = m->hinted_to[j];
    return r && !m->jobs[j].deadline_ns && has_task(m, r - 1, PR_TASK_PROVE);
}

/* A job that another rank was told of is given away only where nothing else of its priority could be. */
static void check_left_alone(model *m, const pr_task *t) {
    int32_t priority, other;
    uint64_t path;
    if (!is_left_alone(m, t->job)) return;
    deepen(m, t->job, &priority, &path);
    for (uint32_t j = 0; j < m->setup.n_jobs; j++) {
        if (!is_ready(m, j) || count_running(m, j) || is_left_alone(m, j)) continue;
        if (m->jobs[j].device_bytes) continue; /* its device may be full */
        deepen(m, j, &other, &path);
        CHECK(m, other != priority || !fits_node(m, j, m->ranks[t->rank].node));
    }
}

/* In simple mode nothing that fits somewhere may stand before what was given, but for the job a node is kept for: that
 * one does not fit anywhere now. */
static void check_order(model *m, const pr_task *t) {
    for (uint32_t j = 0; j < m->setup.n_jobs; j++) {
        if (j == t->job || !is_ready(m, j) || count_running(m, j) || !goes_before(m, j, t->job)) continue;
        int32_t mine, its;
        uint64_t path;
        deepen(m, t->job, &mine, &path);
        deepen(m, j, &its, &path);
        if (mine == its && (m->hinted_to[j] || is_left_alone(m, t->job))) continue;
        uint32_t open = 0;
        for (uint32_t n = 0; n < m->setup.n_nodes; n++) open += fits_node(m, j, n);
        CHECK(m, open <= 1); /* the one node that may be kept for another */
    }
}

/* ---- tasks ---- */

static void take_prove(model *m, const pr_task *t, running *r) {
    const pr_schedule_job *job = &m->jobs[t->job];
    size_t count = count_running(m, t->job);
    CHECK(m, is_ready(m, t->job));
    CHECK(m, m->ranks[t->rank].proves && m->state[t->rank] == PR_RANK_UP);
    CHECK(m, t->speculative ? count == 1 : count == 0);
    CHECK(m, !t->speculative || pr_schedule_count(m->s, PR_JOB_QUEUED) == 0);
    CHECK(m, t->attempt > m->last_attempt[t->job]);
    CHECK(m, !job->deadline_ns || m->now < job->deadline_ns || t->speculative);
    if (!t->cpu_only) CHECK(m, m->ranks[t->rank].device != PR_SCHEDULE_NO_DEVICE && !m->device_off[t->rank]);
    if (m->simple) check_order(m, t);
    if (m->simple) check_left_alone(m, t);
    m->hinted_to[t->job] = 0;
    m->last_attempt[t->job] = t->attempt;
    r->host = t->cpu_only ? m->bytes[t->job] : job->device_host_bytes;
    r->device = t->cpu_only ? 0 : job->device_bytes;
}

static void take_verify(model *m, const pr_task *t) {
    CHECK(m, m->job[t->job] == PROVED && m->proof_attempt[t->job] == t->attempt);
    CHECK(m, m->ranks[t->rank].verifies && (m->state[t->rank] == PR_RANK_UP || m->state[t->rank] == PR_RANK_DRAINED));
    CHECK(m, t->own_proof == (m->prover[t->job] == t->rank));
    for (uint32_t r = 0; t->own_proof && r < m->setup.n_ranks; r++)
        CHECK(m,
              r == t->rank || !m->ranks[r].verifies || m->state[r] == PR_RANK_LOST || m->state[r] == PR_RANK_STOPPED);
}

static void take_task(model *m, const pr_task *t) {
    running r = {.task = *t};
    CHECK(m, has_task(m, t->rank, t->kind) == t->behind);
    CHECK(m, !t->behind || m->setup.options.behind_ns);
    CHECK(m, !m->ranks[t->rank].one_task ||
                 !has_task(m, t->rank, t->kind == PR_TASK_PROVE ? PR_TASK_VERIFY : PR_TASK_PROVE));
    if (t->kind == PR_TASK_PROVE)
        take_prove(m, t, &r);
    else
        take_verify(m, t);
    for (size_t i = 0; m->n_run == MAX_TASKS && i < m->n_run; i++)
        if (m->run[i].given_up) m->run[i] = m->run[--m->n_run]; /* the oldest are forgotten */
    CHECK(m, m->n_run < MAX_TASKS);
    m->run[m->n_run++] = r;
    check_memory(m);
}

static bool has_failed_dependency(const model *m, uint32_t j) {
    for (uint32_t k = 0; k < m->jobs[j].n_after; k++)
        for (uint32_t i = 0; i < m->after[j][k].count; i++)
            if (m->job[m->after[j][k].first + i] == FAILED) return true;
    return false;
}

static bool fits_somewhere(const model *m, uint32_t j) {
    const pr_schedule_job *job = &m->jobs[j];
    for (uint32_t r = 0; r < m->setup.n_ranks; r++) {
        uint64_t limit = limit_of(m, m->ranks[r].node);
        if (!m->ranks[r].proves) continue;
        if (job->host_bytes <= limit) return true;
        if (m->ranks[r].device != PR_SCHEDULE_NO_DEVICE && job->device_bytes &&
            job->device_bytes <= m->devices[m->ranks[r].device].bytes && job->device_host_bytes <= limit)
            return true;
    }
    return false;
}

/* A task that had not begun is the rank's no more; what is at hand ends by an answer. */
static void take_cancel(model *m, const pr_notice *n) {
    const pr_task at_hand = pr_schedule_rank_task(m->s, n->rank, PR_TASK_PROVE);
    if (at_hand.job == n->job && at_hand.attempt == n->attempt) return;
    for (size_t i = 0; i < m->n_run; i++) {
        running *r = &m->run[i];
        if (r->task.rank != n->rank || r->task.job != n->job || r->task.attempt != n->attempt) continue;
        CHECK(m, r->task.kind == PR_TASK_PROVE && r->task.behind);
        r->given_up = true;
    }
}

static void take_notices(model *m) {
    pr_notice n;
    while (pr_schedule_notice_take(m->s, &n)) {
        if (n.kind == PR_NOTICE_CANCEL) take_cancel(m, &n);
        if (n.kind == PR_NOTICE_DEVICE_DRAINED) m->device_off[n.rank] = true;
        if (n.kind == PR_NOTICE_RANK_DRAINED) m->state[n.rank] = PR_RANK_DRAINED;
        if (n.kind != PR_NOTICE_ENDED) continue;
        CHECK(m, m->job[n.job] == OPEN);
        m->job[n.job] = FAILED;
        if (n.why == PR_WHY_DEPENDENCY) CHECK(m, has_failed_dependency(m, n.job) && m->job[n.other] == FAILED);
        if (n.why == PR_WHY_DEADLINE) CHECK(m, m->jobs[n.job].deadline_ns && count_running(m, n.job) == 0);
        if (n.why == PR_WHY_TOO_LARGE) CHECK(m, !fits_somewhere(m, n.job));
        if (n.why == PR_WHY_LOSSES) CHECK(m, m->losses[n.job] > 3);
    }
}

/* A rank that was given a job is told of others: queued ones, that nobody else was told of. */
static void take_hints(model *m, uint32_t rank) {
    uint32_t jobs[PR_SCHEDULE_MOST_HINTS], n;
    for (uint32_t j = 0; j < m->setup.n_jobs; j++)
        if (m->hinted_to[j] == rank + 1) m->hinted_to[j] = 0;
    n = pr_schedule_hint(m->s, rank, jobs, below(m, PR_SCHEDULE_MOST_HINTS + 1));
    for (uint32_t k = 0; k < n; k++) {
        CHECK(m, is_ready(m, jobs[k]) && !count_running(m, jobs[k]));
        CHECK(m, !m->simple || !m->hinted_to[jobs[k]]);
        for (uint32_t i = 0; i < k; i++) CHECK(m, jobs[i] != jobs[k]);
        m->hinted_to[jobs[k]] = rank + 1;
    }
}

static void take_all(model *m) {
    pr_task t;
    take_notices(m); /* ranks drained by the last event */
    while (pr_schedule_next(m->s, m->now, &t)) {
        take_notices(m);
        take_task(m, &t);
        if (m->hints && t.kind == PR_TASK_PROVE) take_hints(m, t.rank);
    }
    take_notices(m);
}

/* ---- events ---- */

static pr_hash hash_of(uint32_t j, uint8_t variant) {
    pr_hash h;
    memset(&h, variant, sizeof h);
    memcpy(&h, &j, sizeof j);
    return h;
}

static void answer_proof(model *m, running r, bool late, uint8_t variant) {
    uint32_t j = r.task.job;
    pr_hash h = hash_of(j, variant);
    pr_answer a = pr_schedule_proved(m->s, m->now, r.task.rank, j, r.task.attempt, &h);
    switch (m->job[j]) {
    case OPEN:
        CHECK(m, a == PR_ANSWER_COUNTS || (late && a == PR_ANSWER_UNKNOWN));
        if (a != PR_ANSWER_COUNTS) break;
        m->job[j] = PROVED;
        m->prover[j] = r.task.rank;
        m->proof_attempt[j] = r.task.attempt;
        break;
    case FAILED:
        CHECK(m, a == PR_ANSWER_TOO_LATE || (late && a == PR_ANSWER_UNKNOWN));
        break;
    default:
        CHECK(m, a == PR_ANSWER_EQUAL || a == PR_ANSWER_DIFFERENT || (late && a == PR_ANSWER_UNKNOWN));
        if (a == PR_ANSWER_EQUAL || a == PR_ANSWER_DIFFERENT) m->n_done_twice++;
    }
    if (!late) /* twice is once too often */
        CHECK(m, pr_schedule_proved(m->s, m->now, r.task.rank, j, r.task.attempt, &h) == PR_ANSWER_UNKNOWN);
}

static void take_fate(model *m, uint32_t j, pr_fate fate) {
    if (fate == PR_FATE_FAILED) {
        CHECK(m, m->job[j] == OPEN || m->job[j] == PROVED);
        m->job[j] = FAILED;
    }
    if (fate == PR_FATE_DONE) {
        CHECK(m, m->job[j] == PROVED);
        m->job[j] = DONE;
    }
}

static void answer_failure(model *m, running r) {
    static const pr_failure kinds[] = {PR_FAILURE_ATTEMPT,    PR_FAILURE_ATTEMPT, PR_FAILURE_BACKEND,
                                       PR_FAILURE_TIME_LIMIT, PR_FAILURE_MEMORY,  PR_FAILURE_CANCELLED,
                                       PR_FAILURE_JOB};
    pr_failure kind = r.task.behind && chance(m, 30) ? PR_FAILURE_UNBEGUN : kinds[below(m, 7)];
    uint32_t j = r.task.job;
    bool open = m->job[j] == OPEN;
    pr_fate fate = pr_schedule_failed(m->s, m->now, r.task.rank, j, r.task.attempt, kind);
    CHECK(m, fate != PR_FATE_DONE && fate != PR_FATE_IGNORED);
    CHECK(m, open || fate == PR_FATE_GOES_ON);
    if (kind == PR_FAILURE_UNBEGUN) {
        if (fate == PR_FATE_RETRY && m->last_attempt[j] == r.task.attempt) m->last_attempt[j]--;
        return;
    }
    if (open && kind == PR_FAILURE_JOB) CHECK(m, fate == PR_FATE_FAILED);
    m->charges[j] += kind != PR_FAILURE_CANCELLED;
    if (fate == PR_FATE_FAILED && kind != PR_FAILURE_JOB) CHECK(m, m->charges[j] > 0);
    if (kind == PR_FAILURE_MEMORY && fate == PR_FATE_RETRY)
        m->bytes[j] = 0; /* unknown from here on: only less is checked */
    take_fate(m, j, fate);
}

static void answer_verification(model *m, running r) {
    uint32_t j = r.task.job, refused = m->simple || m->healing ? 0 : 10;
    pr_verdict v = chance(m, refused)   ? PR_VERDICT_REFUSED
                   : chance(m, refused) ? PR_VERDICT_UNABLE
                                        : PR_VERDICT_ACCEPTED;
    pr_fate fate = pr_schedule_verified(m->s, m->now, r.task.rank, j, r.task.attempt, v);
    if (m->job[j] != PROVED || m->proof_attempt[j] != r.task.attempt) CHECK(m, fate == PR_FATE_IGNORED);
    bool stands =
        fate == PR_FATE_DONE || fate == PR_FATE_IGNORED || (v == PR_VERDICT_UNABLE && fate == PR_FATE_GOES_ON);
    m->charges[j] += !stands;
    if (!stands && m->job[j] == PROVED) m->job[j] = OPEN;
    take_fate(m, j, fate);
}

static void answer_some(model *m) {
    if (m->n_run == 0) return;
    size_t i = below(m, (uint32_t)m->n_run);
    running r = m->run[i];
    pr_rank_state state = m->state[r.task.rank];
    if (!r.given_up && state == PR_RANK_SILENT && m->healing) return;
    m->run[i] = m->run[--m->n_run];
    if (r.given_up) {
        if (r.task.kind == PR_TASK_PROVE) answer_proof(m, r, true, chance(m, 10));
    } else if (r.task.kind == PR_TASK_VERIFY) {
        answer_verification(m, r);
    } else if (!m->simple && !m->healing && chance(m, 25)) {
        answer_failure(m, r);
    } else {
        answer_proof(m, r, false, !m->simple && chance(m, 5));
    }
}

/* What a rank that is gone worked at is answered late, or never. */
static void give_up_tasks(model *m, uint32_t r, bool lost) {
    for (size_t i = m->n_run; i-- > 0;) {
        if (m->run[i].task.rank != r || m->run[i].given_up) continue;
        m->run[i].given_up = true;
        if (lost) m->losses[m->run[i].task.job]++;
        if (chance(m, 50)) m->run[i] = m->run[--m->n_run];
    }
}

static void change_rank(model *m, uint32_t r, pr_rank_state state) {
    if (state == PR_RANK_LOST || state == PR_RANK_STOPPED) give_up_tasks(m, r, state == PR_RANK_LOST);
    m->state[r] = state;
    pr_schedule_set_rank(m->s, m->now, r, state);
}

static void step(model *m) {
    m->now += below(m, 3) ? below(m, 1000000000) : S * below(m, 15);
    take_all(m); /* what time brings comes before the event */
    if (!m->simple && chance(m, 10)) {
        static const pr_rank_state states[] = {PR_RANK_UP,   PR_RANK_UP,      PR_RANK_SILENT, PR_RANK_SILENT,
                                               PR_RANK_LOST, PR_RANK_STOPPED, PR_RANK_DRAINED};
        change_rank(m, below(m, m->setup.n_ranks), states[below(m, 7)]);
    } else if (chance(m, 5)) { /* rubbish */
        pr_hash h = hash_of(0, 0);
        uint32_t j = below(m, (uint32_t)m->setup.n_jobs + 2);
        CHECK(m, pr_schedule_proved(m->s, m->now, below(m, 12), j, 1000, &h) == PR_ANSWER_UNKNOWN);
        CHECK(m, pr_schedule_failed(m->s, m->now, below(m, 12), j, 1000, PR_FAILURE_JOB) == PR_FATE_IGNORED);
        CHECK(m, pr_schedule_verified(m->s, m->now, below(m, 12), j, 1000, PR_VERDICT_REFUSED) == PR_FATE_IGNORED);
    } else {
        answer_some(m);
    }
    take_all(m);
}

/* A job that only a device has room for is left when the devices are drained; and what waits for it. */
static bool is_left(const model *m, uint32_t j) {
    bool device_drained = false;
    for (uint32_t r = 0; r < m->setup.n_ranks; r++) device_drained |= m->device_off[r];
    if (m->job[j] != OPEN || !device_drained) return false;
    bool only_device = true;
    for (uint32_t r = 0; r < m->setup.n_ranks; r++)
        only_device &= !m->ranks[r].proves || m->jobs[j].host_bytes > limit_of(m, m->ranks[r].node);
    for (uint32_t k = 0; k < m->jobs[j].n_after; k++)
        for (uint32_t i = 0; i < m->after[j][k].count; i++) only_device |= is_left(m, m->after[j][k].first + i);
    return only_device;
}

static bool all_ended(const model *m) {
    for (uint32_t j = 0; j < m->setup.n_jobs; j++)
        if ((m->job[j] == OPEN || m->job[j] == PROVED) && !is_left(m, j)) return false;
    return true;
}

/* Everybody is up again and nothing fails: now it must come to an end by itself. */
static void heal(model *m) {
    m->healing = true;
    for (uint32_t r = 0; r < m->setup.n_ranks; r++) change_rank(m, r, PR_RANK_UP);
    take_all(m);
    for (int i = 0; i < 4000 && !pr_schedule_is_over(m->s); i++) {
        take_all(m);
        if (m->n_run > 0) {
            answer_some(m);
        } else {
            uint64_t wake = pr_schedule_wake_ns(m->s);
            CHECK(m, wake != PR_SCHEDULE_NO_TIME); /* else it would wait for ever */
            if (wake > m->now) m->now = wake;
        }
        m->now += below(m, 1000000000);
        take_all(m);
    }
    CHECK(m, pr_schedule_is_over(m->s));
}

static void check_end(model *m) {
    size_t n_done = 0;
    for (uint32_t j = 0; j < m->setup.n_jobs; j++) {
        n_done += m->job[j] == DONE;
        pr_schedule_phase phase = pr_schedule_job_phase(m->s, j);
        if (is_left(m, j)) continue;
        CHECK(m, phase == (m->job[j] == DONE ? PR_JOB_DONE : PR_JOB_FAILED));
        bool excused = m->jobs[j].past || m->jobs[j].deadline_ns || m->charges[j] || m->losses[j] > 3 ||
                       has_failed_dependency(m, j) || !fits_somewhere(m, j);
        CHECK(m, m->job[j] == DONE || excused);
    }
    CHECK(m, pr_schedule_count(m->s, PR_JOB_DONE) == n_done);
}

static void run_case(uint64_t seed) {
    model *m = calloc(1, sizeof *m);
    assert_non_null(m);
    m->seed = seed;
    m->g.state = seed * 0x9e3779b97f4a7c15u;
    m->simple = seed % 3 == 0;
    m->hints = seed % 2 == 0;
    m->setup.n_classes = 2;
    m->setup.options.slow_min_ns = S;
    m->setup.options.behind_ns = seed % 5 < 2 ? S * (1 + seed % 60) : 0;
    make_jobs(m);
    make_ranks(m);
    pr_error e = {0};
    if (pr_schedule_create(&m->s, &m->setup, 0, &e) != PR_OK) fail_msg("%s", e.text);
    take_all(m);
    uint32_t steps = below(m, 300);
    for (uint32_t i = 0; i < steps; i++) step(m);
    heal(m);
    CHECK(m, all_ended(m));
    check_end(m);
    pr_schedule_destroy(m->s);
    free(m);
}

static void test_random_runs(void **state) {
    (void)state;
    const char *one = getenv("PR_TEST_SEED");
    if (one) {
        run_case(strtoull(one, NULL, 10));
        return;
    }
    for (uint64_t seed = 1; seed <= 6000; seed++) run_case(seed);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_runs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
