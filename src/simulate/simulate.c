#include "simulate/internal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PR_HOUR_NS 3.6e12
enum { WAIT_CLASSES = 64 * 8 }; /* eight for each doubling of a wait in ns */

typedef struct waiting { /* what a rank has behind what it is at */
    uint32_t job, attempt;
    uint64_t arrival;
} waiting;

typedef struct worker {
    bool dead, mute, slow;
    uint64_t mute_until, busy_until; /* of the attempt it is at */
    uint64_t start;                  /* of it; job PR_SCHEDULE_NO_JOB: none */
    uint32_t job, attempt;
    uint32_t n_behind;
    waiting behind[PR_SCHEDULE_MOST_BEHIND];
    uint64_t verified_ns; /* when it has verified all that it was asked to */
    uint32_t silence;     /* counts, so that a late timeout is recognised */
} worker;

typedef struct simulation {
    const pr_simulation_options *o;
    pr_simulation_result *r;
    pr_prng g;
    pr_workload work;
    pr_event_queue queue;
    pr_schedule *s;
    worker *ranks;
    uint64_t *useful_ns; /* [n_jobs] of the attempt that counted */
    uint64_t free_ns;    /* when rank 0 has nothing more to do */
    uint64_t load_ns, next_sync_ns, wake_ns, end_ns, steps_paid;
    uint32_t unsynced; /* records */
    double stretch;    /* heartbeats take their share of rank 0 */
    double busy_ns;
    uint64_t waits[WAIT_CLASSES], n_waits;
} simulation;

pr_simulation_options pr_simulation_defaults(void) {
    const uint64_t us = 1000, ms = 1000000, s = 1000000000;
    return (pr_simulation_options){
        .seed = 1,
        .n_ranks = 64,
        .ranks_per_node = 8,
        .jobs_per_rank = 20,
        .mix = PR_MIX_MIXED,
        .behind_ns = PR_SCHEDULE_BEHIND_NS,
        .message_ns = 5 * us,
        .record_ns = 66 * us,
        .byte_ps = 5000,
        .sync_ns = 3 * ms,
        .group_ns = 100 * ms,
        .step_ps = 10000,
        .latency_ns = 500 * us,
        .heartbeat_ns = 1 * s,
        .verify_ns = 20 * ms,
        .proof_bytes = 60000,
        .node_bytes = (uint64_t)256 << 30,
        .bytes_per_second = (uint64_t)700 << 20,
        .slow_factor = 4,
        .silent_after_ns = 10 * s,
        .lost_after_ns = 30 * s,
    };
}

const char *pr_mix_name(pr_mix mix) {
    static const char *const names[] = {"small", "mixed", "heavy"};
    return names[mix];
}

/* ---- rank 0 ---- */

static void spend(simulation *m, double ns) {
    uint64_t spent = (uint64_t)(ns * m->stretch);
    m->free_ns += spent;
    m->load_ns += spent;
}

static void count_wait(simulation *m, uint64_t ns) {
    size_t class = ns == 0 ? 0 : (size_t)(8 * log2((double)ns + 1));
    m->waits[class < WAIT_CLASSES ? class : WAIT_CLASSES - 1]++;
    m->n_waits++;
}

/* Upper end of the class that holds the 99th of a hundred. */
static uint64_t most_waits(const simulation *m) {
    uint64_t seen = 0;
    for (size_t k = 0; k < WAIT_CLASSES; k++) {
        seen += m->waits[k];
        if (seen * 100 >= m->n_waits * 99) return (uint64_t)exp2((double)(k + 1) / 8);
    }
    return 0;
}

/* A message is taken up: rank 0's time is then at least its arrival. */
static void receive(simulation *m, uint64_t arrival, double bytes) {
    if (m->free_ns < arrival) m->free_ns = arrival;
    count_wait(m, m->free_ns - arrival);
    m->r->n_messages++;
    spend(m, (double)m->o->message_ns + (m->o->shards ? 0 : bytes * (double)m->o->byte_ps / 1000));
}

static void send(simulation *m, double bytes) {
    m->r->n_messages++;
    /* a proof that is passed on is copied, not stored: a fortieth of its cost on the way in */
    spend(m, (double)m->o->message_ns + (m->o->shards ? 0 : bytes * (double)m->o->byte_ps / 40000));
}

static void sync_journal(simulation *m) {
    if (m->unsynced == 0 || m->free_ns < m->next_sync_ns) return;
    spend(m, (double)m->o->sync_ns);
    m->next_sync_ns = m->free_ns + m->o->group_ns;
    m->unsynced = 0;
    m->r->n_syncs++;
}

static void pay_steps(simulation *m) {
    uint64_t steps = pr_schedule_operations(m->s);
    spend(m, (double)(steps - m->steps_paid) * (double)m->o->step_ps / 1000);
    m->steps_paid = steps;
}

/* ---- ranks ---- */

static void put(simulation *m, uint64_t time, pr_event_kind kind, uint32_t rank, uint32_t job, uint32_t attempt) {
    pr_event_put(&m->queue, (pr_event){.time = time, .kind = kind, .rank = rank, .job = job, .attempt = attempt});
}

/* When the rank's answer reaches rank 0: a mute one's waits. */
static uint64_t heard(const simulation *m, uint32_t rank, uint64_t time) {
    const worker *w = &m->ranks[rank];
    return (w->mute && w->mute_until > time ? w->mute_until : time) + m->o->latency_ns;
}

/* At this time, of which rank 0 may have heard nothing until now. */
static void begin_attempt(simulation *m, uint32_t rank, uint32_t job, uint32_t attempt, uint64_t time, uint64_t now) {
    worker *w = &m->ranks[rank];
    bool crashes = pr_draw_unit(&m->g) <= m->o->crash_share;
    double ns = (double)m->work.true_ns[job] * (w->slow ? m->o->slow_factor : 1) * (crashes ? 0.5 : 1);
    m->r->n_attempts++;
    if (w->dead) return; /* the message goes nowhere */
    w->start = w->mute && w->mute_until > time ? w->mute_until : time;
    w->busy_until = w->start + (uint64_t)ns;
    w->job = job;
    w->attempt = attempt;
    uint64_t end = w->busy_until + m->o->latency_ns;
    put(m, end > now ? end : now, crashes ? PR_EVENT_CRASHED : PR_EVENT_PROVED, rank, job, attempt);
}

/* The attempt that it was at has ended at this time: it goes on without waiting for rank 0. */
static void begin_next(simulation *m, uint32_t rank, uint64_t time, uint64_t now) {
    worker *w = &m->ranks[rank];
    if (!w->n_behind) return;
    const waiting next = w->behind[0];
    memmove(&w->behind[0], &w->behind[1], --w->n_behind * sizeof next);
    begin_attempt(m, rank, next.job, next.attempt, next.arrival > time ? next.arrival : time, now);
}

static void begin_task(simulation *m, const pr_task *t) {
    worker *w = &m->ranks[t->rank];
    uint64_t arrival = m->free_ns + m->o->latency_ns;
    m->r->n_second += t->speculative;
    PR_ASSERT(w->n_behind < PR_SCHEDULE_MOST_BEHIND);
    if (t->behind && !w->dead && w->job != PR_SCHEDULE_NO_JOB)
        w->behind[w->n_behind++] = (waiting){t->job, t->attempt, arrival};
    else
        begin_attempt(m, t->rank, t->job, t->attempt, arrival, 0);
}

/* By the first rank after its prover that is heard: votes of others would do as well, should it die meanwhile. */
static void begin_verification(simulation *m, uint32_t prover, uint32_t job, uint32_t attempt) {
    uint32_t n = m->o->n_ranks, rank = (prover + 1) % n;
    while (rank != prover && (m->ranks[rank].dead || m->ranks[rank].mute)) rank = (rank + 1) % n;
    send(m, m->o->proof_bytes);
    worker *w = &m->ranks[rank];
    uint64_t arrival = m->free_ns + m->o->latency_ns;
    w->verified_ns = (w->verified_ns > arrival ? w->verified_ns : arrival) + m->o->verify_ns;
    put(m, w->verified_ns + m->o->latency_ns, PR_EVENT_VERIFIED, rank, job, attempt);
}

/* The attempt that it is at is over at this time, one way or another. */
static void end_attempt(simulation *m, uint32_t rank, uint64_t time) {
    worker *w = &m->ranks[rank];
    if (w->job == PR_SCHEDULE_NO_JOB) return;
    if (time > w->start) m->busy_ns += (double)(time - w->start);
    w->job = PR_SCHEDULE_NO_JOB;
}

/* What it has not begun. */
static bool drop_behind(worker *w, uint32_t job, uint32_t attempt) {
    for (uint32_t k = 0; k < w->n_behind; k++) {
        if (w->behind[k].job != job || w->behind[k].attempt != attempt) continue;
        memmove(&w->behind[k], &w->behind[k + 1], (--w->n_behind - k) * sizeof w->behind[0]);
        return true;
    }
    return false;
}

static void cancel(simulation *m, const pr_notice *n) {
    worker *w = &m->ranks[n->rank];
    send(m, 0);
    if (w->dead) return;
    uint64_t arrival = m->free_ns + m->o->latency_ns;
    bool at_hand = w->job == n->job && w->attempt == n->attempt;
    if (at_hand && w->busy_until <= arrival) return; /* its answer is on the way */
    if (!at_hand && !drop_behind(w, n->job, n->attempt)) return;
    put(m, heard(m, n->rank, arrival), PR_EVENT_CANCELLED, n->rank, n->job, n->attempt);
    if (!at_hand) return;
    end_attempt(m, n->rank, arrival);
    begin_next(m, n->rank, arrival, arrival);
}

static void take_notices(simulation *m) {
    pr_notice n;
    while (pr_schedule_notice_take(m->s, &n))
        if (n.kind == PR_NOTICE_CANCEL) cancel(m, &n);
}

static void hand_out(simulation *m) {
    pr_task t;
    take_notices(m);
    while (pr_schedule_next(m->s, m->free_ns, &t)) {
        pay_steps(m);
        send(m, 0);
        begin_task(m, &t);
        take_notices(m);
    }
    pay_steps(m);
    sync_journal(m);
    uint64_t wake = pr_schedule_wake_ns(m->s);
    if (wake == PR_SCHEDULE_NO_TIME || wake == m->wake_ns) return;
    m->wake_ns = wake;
    put(m, wake > m->free_ns ? wake : m->free_ns, PR_EVENT_WAKE, 0, 0, 0);
}

/* ---- events ---- */

/* The answer still stands: the rank was not told to stop meanwhile, and lives. */
static bool is_current(const simulation *m, const pr_event *e) {
    const worker *w = &m->ranks[e->rank];
    return !w->dead && w->job == e->job && w->attempt == e->attempt;
}

/* While it is mute its answer waits. */
static bool delay_mute(simulation *m, const pr_event *e) {
    const worker *w = &m->ranks[e->rank];
    if (!w->mute || w->mute_until + m->o->latency_ns <= e->time) return false;
    put(m, w->mute_until + m->o->latency_ns, e->kind, e->rank, e->job, e->attempt);
    return true;
}

static void on_proved(simulation *m, const pr_event *e) {
    if (!is_current(m, e) || delay_mute(m, e)) return;
    worker *w = &m->ranks[e->rank];
    uint64_t took = w->busy_until - w->start;
    end_attempt(m, e->rank, w->busy_until);
    begin_next(m, e->rank, w->busy_until, e->time);
    receive(m, e->time, m->o->proof_bytes);
    pr_hash hash;
    memset(&hash, 0, sizeof hash);
    pr_answer a = pr_schedule_proved(m->s, m->free_ns, e->rank, e->job, e->attempt, &hash);
    m->r->n_equal += a == PR_ANSWER_EQUAL;
    if (a != PR_ANSWER_COUNTS) return;
    m->useful_ns[e->job] = took;
    begin_verification(m, e->rank, e->job, e->attempt);
}

/* What a child that dies has not begun. */
static void give_back_behind(simulation *m, uint32_t rank) {
    worker *w = &m->ranks[rank];
    for (; w->n_behind; w->n_behind--) {
        const waiting *b = &w->behind[w->n_behind - 1];
        receive(m, m->free_ns, 0);
        (void)pr_schedule_failed(m->s, m->free_ns, rank, b->job, b->attempt, PR_FAILURE_UNBEGUN);
    }
}

static void on_failed(simulation *m, const pr_event *e) {
    bool crashed = e->kind == PR_EVENT_CRASHED;
    if (m->ranks[e->rank].dead || (crashed && !is_current(m, e)) || delay_mute(m, e)) return;
    if (crashed) end_attempt(m, e->rank, m->ranks[e->rank].busy_until);
    m->r->n_crashes += crashed;
    receive(m, e->time, 0);
    pr_failure why = crashed ? PR_FAILURE_ATTEMPT : PR_FAILURE_CANCELLED;
    if (pr_schedule_failed(m->s, m->free_ns, e->rank, e->job, e->attempt, why) == PR_FATE_FAILED)
        spend(m, (double)m->o->record_ns);
    if (crashed) give_back_behind(m, e->rank);
}

static void on_verified(simulation *m, const pr_event *e) {
    receive(m, e->time, 0);
    if (pr_schedule_judged(m->s, m->free_ns, e->job, e->attempt, PR_VERDICT_ACCEPTED) != PR_FATE_DONE) return;
    spend(m, (double)m->o->record_ns);
    m->unsynced++;
    m->end_ns = m->free_ns;
}

static uint64_t draw_wait(simulation *m, double per_hour) {
    double ns = -log(pr_draw_unit(&m->g)) * PR_HOUR_NS / per_hour;
    return ns < 1e18 ? (uint64_t)ns : (uint64_t)1e18;
}

/* Not heard from now on: rank 0 finds out in two steps. attempt is the silence's number. */
static void fall_silent(simulation *m, uint32_t rank, uint64_t now) {
    uint32_t number = ++m->ranks[rank].silence;
    put(m, now + m->o->silent_after_ns, PR_EVENT_MISSED, rank, 0, number);
    put(m, now + m->o->lost_after_ns, PR_EVENT_GONE, rank, 0, number);
}

static void on_trouble(simulation *m, const pr_event *e) {
    worker *w = &m->ranks[e->rank];
    if (w->dead) return;
    if (e->kind == PR_EVENT_DIES) {
        end_attempt(m, e->rank, e->time < w->busy_until ? e->time : w->busy_until);
        w->dead = true;
        w->n_behind = 0;
        m->r->n_lost++;
        fall_silent(m, e->rank, e->time);
        return;
    }
    w->mute = true;
    w->mute_until = e->time + (uint64_t)(pr_draw_unit(&m->g) * 120e9);
    m->r->n_silent++;
    fall_silent(m, e->rank, e->time);
    put(m, w->mute_until + m->o->latency_ns, PR_EVENT_SPEAKS, e->rank, 0, 0);
    put(m, w->mute_until + draw_wait(m, m->o->silent_per_hour), PR_EVENT_MUTE, e->rank, 0, 0);
}

static void on_timeout(simulation *m, const pr_event *e) {
    if (e->attempt != m->ranks[e->rank].silence) return; /* heard since */
    if (m->free_ns < e->time) m->free_ns = e->time;
    pr_schedule_set_rank(m->s, m->free_ns, e->rank, e->kind == PR_EVENT_GONE ? PR_RANK_LOST : PR_RANK_SILENT);
}

/* What it worked at it goes on with; when it was given up as lost it is up only once it has ended that. */
static void on_speaks(simulation *m, const pr_event *e) {
    worker *w = &m->ranks[e->rank];
    if (w->dead) return;
    if (pr_schedule_rank_get(m->s, e->rank) == PR_RANK_LOST && w->job != PR_SCHEDULE_NO_JOB) {
        uint64_t after = w->busy_until > e->time ? w->busy_until : e->time; /* its answer comes first */
        put(m, after + 2 * m->o->latency_ns + 1, PR_EVENT_SPEAKS, e->rank, 0, 0);
        return;
    }
    w->mute = false;
    w->silence++;
    receive(m, e->time, 0);
    pr_schedule_set_rank(m->s, m->free_ns, e->rank, PR_RANK_UP);
}

static void handle(simulation *m, const pr_event *e) {
    switch (e->kind) {
    case PR_EVENT_PROVED:
        on_proved(m, e);
        break;
    case PR_EVENT_CRASHED:
    case PR_EVENT_CANCELLED:
        on_failed(m, e);
        break;
    case PR_EVENT_VERIFIED:
        on_verified(m, e);
        break;
    case PR_EVENT_DIES:
    case PR_EVENT_MUTE:
        on_trouble(m, e);
        break;
    case PR_EVENT_SPEAKS:
        on_speaks(m, e);
        break;
    case PR_EVENT_MISSED:
    case PR_EVENT_GONE:
        on_timeout(m, e);
        break;
    case PR_EVENT_WAKE:
        if (m->free_ns < e->time) m->free_ns = e->time;
        if (m->wake_ns <= e->time) m->wake_ns = PR_SCHEDULE_NO_TIME;
        break;
    }
    hand_out(m);
}

/* ---- the whole ---- */

static void plan_trouble(simulation *m) {
    const pr_simulation_options *o = m->o;
    for (uint32_t r = 0; r < o->n_ranks; r++) {
        m->ranks[r].job = PR_SCHEDULE_NO_JOB;
        m->ranks[r].slow = r > 0 && pr_draw_unit(&m->g) <= o->slow_share;
        if (r == 0) continue; /* without rank 0 there is no run */
        if (o->lost_per_hour > 0) put(m, draw_wait(m, o->lost_per_hour), PR_EVENT_DIES, r, 0, 0);
        if (o->silent_per_hour > 0) put(m, draw_wait(m, o->silent_per_hour), PR_EVENT_MUTE, r, 0, 0);
    }
}

static uint32_t count_nodes(const pr_simulation_options *o) {
    return (o->n_ranks + o->ranks_per_node - 1) / o->ranks_per_node;
}

static pr_status create_schedule(simulation *m, pr_error *err) {
    const pr_simulation_options *o = m->o;
    uint32_t n_nodes = count_nodes(o);
    pr_schedule_rank *ranks = calloc(o->n_ranks, sizeof *ranks);
    pr_schedule_node *nodes = calloc(n_nodes, sizeof *nodes);
    pr_status status = PR_ERR_MEMORY;
    for (uint32_t r = 0; ranks && r < o->n_ranks; r++)
        ranks[r] = (pr_schedule_rank){r / o->ranks_per_node, PR_SCHEDULE_NO_DEVICE, r > 0 || !o->coordinator_only, true,
                                      false};
    for (uint32_t n = 0; nodes && n < n_nodes; n++) nodes[n].host_bytes = o->node_bytes;
    const pr_schedule_setup setup = {.n_jobs = m->work.n,
                                     .jobs = m->work.jobs,
                                     .n_ranks = o->n_ranks,
                                     .ranks = ranks,
                                     .n_nodes = n_nodes,
                                     .nodes = nodes,
                                     .options = {.judge = PR_SCHEDULE_JUDGE_OUTSIDE, .behind_ns = m->o->behind_ns}};
    if (ranks && nodes) status = pr_schedule_create(&m->s, &setup, 0, err);
    free(ranks);
    free(nodes);
    return status == PR_ERR_MEMORY ? pr_fail(err, status, "out of memory for the simulation") : status;
}

static void sum_up(simulation *m) {
    pr_simulation_result *r = m->r;
    uint32_t provers = m->o->n_ranks - m->o->coordinator_only;
    uint64_t share = m->work.sum_ns / provers;
    double useful = 0;
    for (uint32_t j = 0; j < m->work.n; j++)
        if (pr_schedule_job_phase(m->s, j) == PR_JOB_DONE) useful += (double)m->useful_ns[j];
    r->n_jobs = m->work.n;
    r->n_done = (uint32_t)pr_schedule_count(m->s, PR_JOB_DONE);
    r->n_failed = (uint32_t)pr_schedule_count(m->s, PR_JOB_FAILED);
    r->n_left = r->n_jobs - r->n_done - r->n_failed;
    r->makespan_ns = m->end_ns;
    r->bound_ns = share > m->work.longest_ns ? share : m->work.longest_ns;
    double memory = (double)count_nodes(m->o) * (double)m->o->node_bytes, filled_ns = m->work.sum_byte_ns / memory;
    if (filled_ns > (double)r->bound_ns) r->bound_ns = (uint64_t)filled_ns;
    double total = (double)m->end_ns * provers;
    for (uint32_t k = 0; k < m->o->n_ranks; k++) end_attempt(m, k, m->end_ns); /* second attempts that still run */
    r->efficiency = total > 0 ? useful / total : 0;
    r->busy = total > 0 ? m->busy_ns / total : 0;
    r->load = m->end_ns ? (double)m->load_ns / (double)m->end_ns + 1 - 1 / m->stretch : 0;
    if (r->load > 1) r->load = 1;
    r->wait_ns = most_waits(m);
    r->n_steps = pr_schedule_operations(m->s);
}

static pr_status run(simulation *m, pr_error *err) {
    pr_event e;
    PR_TRY(create_schedule(m, err));
    plan_trouble(m);
    hand_out(m);
    while (!pr_schedule_is_over(m->s) && pr_event_take(&m->queue, &e)) handle(m, &e);
    if (m->queue.failed) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the events of the simulation");
    sum_up(m);
    return PR_OK;
}

static pr_status check_options(const pr_simulation_options *o, pr_error *err) {
    double shares[] = {o->slow_share, o->crash_share};
    for (int k = 0; k < 2; k++)
        if (!(shares[k] >= 0 && shares[k] <= 1)) return pr_fail(err, PR_ERR_USAGE, "a share is from 0 to 1");
    if (!(o->lost_per_hour >= 0 && o->silent_per_hour >= 0)) return pr_fail(err, PR_ERR_USAGE, "a rate is not below 0");
    if (!(o->slow_factor >= 1)) return pr_fail(err, PR_ERR_USAGE, "slow ranks are at least 1 times slower");
    if (o->n_ranks == 0 || o->n_ranks > 1000000 || o->ranks_per_node == 0)
        return pr_fail(err, PR_ERR_USAGE, "from 1 to 1000000 ranks, and at least one a node");
    if (o->coordinator_only && o->n_ranks < 2) return pr_fail(err, PR_ERR_USAGE, "a coordinator alone proves nothing");
    uint64_t jobs = pr_workload_count(o);
    if (jobs == 0 || jobs > 100000000) return pr_fail(err, PR_ERR_USAGE, "from 1 to 100000000 jobs");
    return PR_OK;
}

pr_status pr_simulate(pr_simulation_result *out, const pr_simulation_options *o, pr_error *err) {
    PR_TRY(check_options(o, err));
    memset(out, 0, sizeof *out);
    simulation m = {.o = o, .r = out, .g = {o->seed}, .wake_ns = PR_SCHEDULE_NO_TIME};
    double beats = o->heartbeat_ns ? (double)o->n_ranks * (double)o->message_ns / (double)o->heartbeat_ns : 0;
    m.stretch = beats < 0.99 ? 1 / (1 - beats) : 100;
    bool good = pr_workload_init(&m.work, o, &m.g);
    m.ranks = calloc(o->n_ranks, sizeof *m.ranks);
    m.useful_ns = calloc(m.work.n + 1u, sizeof *m.useful_ns);
    pr_status status = PR_OK;
    if (!good || !m.ranks || !m.useful_ns)
        status = pr_fail(err, PR_ERR_MEMORY, "out of memory for %u simulated jobs", m.work.n);
    if (status == PR_OK) status = run(&m, err);
    pr_schedule_destroy(m.s);
    pr_event_clear(&m.queue);
    pr_workload_clear(&m.work);
    free(m.ranks);
    free(m.useful_ns);
    return status;
}
