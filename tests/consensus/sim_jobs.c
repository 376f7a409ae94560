/* The scheduler of the simulated run: hands attempts out, to liars as well until the network heals, and hands a job to
 * somebody else when its attempt has ended without an approval or takes too long. */
#include "sim.h"
#include <stdio.h>
#include <string.h>

enum { PATIENCE_MS = 700, SCHEDULE_MS = 60 };

pr_subject sim_jobs_subject(const sim *s, uint32_t job, uint32_t attempt, uint32_t prover, uint8_t proof) {
    pr_subject subject = {.job = s->jobs[job].name, .attempt = attempt, .prover = prover};
    subject.statement = s->jobs[job].statement;
    subject.proof_hash = s->jobs[job].statement;
    subject.proof_hash.bytes[0] = proof;
    return subject;
}

static uint32_t choose_prover(sim *s) {
    bool liar = s->n_faulty > 0 && sim_chance(s, 30);
    for (int tries = 0;; tries++) {
        uint32_t prover = sim_below(s, s->n);
        bool removed = !pr_registry_is_active(&s->auditor, prover) || sim_is_away(s, prover);
        if (removed || (s->nodes[prover].faulty && sim_is_healed(s))) continue;
        if (!liar || s->nodes[prover].faulty || tries > 20) return prover;
    }
}

static void give(sim *s, uint32_t j) {
    sim_job *job = &s->jobs[j];
    job->prover = choose_prover(s);
    job->attempt++;
    job->given_at = s->now;
    job->failed = false;
    sim_node *node = &s->nodes[job->prover];
    sim_say(s, "job %u, attempt %u: to %u%s", j, job->attempt, job->prover, node->faulty ? ", a liar" : "");
    if (node->faulty || !node->c) return; /* a liar announces what it likes */
    pr_subject subject = sim_jobs_subject(s, j, job->attempt, job->prover, SIM_PROOF_VALID);
    pr_error err = {0};
    if (pr_consensus_announce(node->c, &subject, &err) == PR_OK) return;
    bool approved = pr_consensus_outcome(node->c, &subject.job) == PR_ROUND_APPROVED;
    if (!approved) sim_fail(s, "node %u cannot announce its proof of job %u: %s", job->prover, j, err.text);
    job->approved |= approved; /* it was on record when the node came back */
}

void sim_jobs_begin(sim *s) {
    for (uint32_t j = 0; j < s->n_jobs; j++) {
        char id[16];
        (void)snprintf(id, sizeof id, "job-%u", j);
        s->jobs[j] = (sim_job){.name = pr_job_name(id), .statement = pr_blake2s_hash(id, strlen(id))};
        s->jobs[j].begins_at = j == 0 ? 0 : sim_below(s, (uint32_t)s->healed_at);
    }
}

/* A job that need not be approved, and was not: it leaves its place to those that wait for one. */
static bool is_given_up(const sim *s, const sim_job *job) {
    return sim_is_healed(s) && job->twofold && job->failed && s->max_open < s->n_jobs;
}

static uint32_t count_in_hand(const sim *s) {
    uint32_t n = 0;
    for (uint32_t j = 0; j < s->n_jobs; j++)
        n += s->jobs[j].attempt > 0 && !s->jobs[j].approved && !is_given_up(s, &s->jobs[j]);
    return n;
}

void sim_jobs_schedule(sim *s) {
    for (uint32_t j = 0; j < s->n_jobs; j++) {
        const sim_job *job = &s->jobs[j];
        if (is_given_up(s, job)) continue;
        bool late = s->now - job->given_at > PATIENCE_MS && (!sim_is_healed(s) || s->nodes[job->prover].faulty);
        late |= s->now - job->given_at > 4 * PATIENCE_MS;
        if (job->attempt == 0 && (s->now < job->begins_at || count_in_hand(s) >= s->max_open)) continue;
        if (!job->approved && (job->attempt == 0 || job->failed || late)) give(s, j);
    }
    sim_queue_put(&s->queue, sim_event_new(SIM_SCHEDULE, 0, 0), s->now + SCHEDULE_MS);
}

void sim_jobs_hear(sim *s, uint32_t node, const pr_subject *subject, pr_round_outcome outcome) {
    for (uint32_t j = 0; j < s->n_jobs; j++) {
        sim_job *job = &s->jobs[j];
        if (!pr_hash_equal(&job->name, &subject->job)) continue;
        sim_say(s, "job %u, attempt %u: %s, says %u", j, subject->attempt, pr_round_outcome_name(outcome), node);
        if (outcome == PR_ROUND_APPROVED) job->approved = true;
        bool ended = outcome == PR_ROUND_TIMEOUT || outcome == PR_ROUND_REJECTED;
        if (ended && subject->attempt == job->attempt && subject->prover == job->prover &&
            (node == job->prover || outcome == PR_ROUND_REJECTED))
            job->failed = true;
    }
}

bool sim_jobs_admit(void *context, const pr_subject *subject) {
    const sim *s = ((const sim_node *)context)->sim;
    for (uint32_t j = 0; j < s->n_jobs; j++)
        if (pr_hash_equal(&s->jobs[j].name, &subject->job))
            return subject->attempt == s->jobs[j].attempt && subject->prover == s->jobs[j].prover;
    return false;
}

bool sim_jobs_are_done(const sim *s) {
    bool done = true;
    for (uint32_t j = 0; j < s->n_jobs; j++) done &= s->jobs[j].approved || s->jobs[j].twofold;
    return done;
}

/* The scheduler of a new session knows of no approval until somebody who is there tells. */
void sim_jobs_begin_session(sim *s) {
    for (uint32_t j = 0; j < s->n_jobs; j++) {
        s->jobs[j].approved = false;
        s->jobs[j].failed = s->jobs[j].attempt > 0;
    }
}

/* Every honest node finds the same root, once all jobs are approved. */
void sim_jobs_sign_batch(sim *s) {
    pr_hash root = pr_blake2s_hash(&s->seed, sizeof s->seed);
    for (uint32_t i = 0; i < s->n; i++) {
        if (s->nodes[i].faulty || !s->nodes[i].c) continue;
        for (uint32_t j = 0; j < s->n_jobs; j++)
            if (pr_consensus_outcome(s->nodes[i].c, &s->jobs[j].name) != PR_ROUND_APPROVED)
                pr_consensus_ask(s->nodes[i].c, &s->jobs[j].name);
        pr_consensus_sign_batch(s->nodes[i].c, &root, s->n_jobs);
    }
}
