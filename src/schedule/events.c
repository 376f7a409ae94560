/* What ranks answer, and what becomes of ranks. */
#include "schedule/internal.h"

static bool begin_event(pr_schedule *s, uint64_t now) {
    pr_schedule_advance(s, now);
    s->quiet = false;
    return true;
}

/* ---- answers with a proof ---- */

/* What is measured corrects the estimates of the class, less what is known of the rank; then, once enough is known of
 * the class, the rank is measured by it. A slow machine's share cannot run away with it. */
static void learn(pr_schedule *s, uint32_t r) {
    enum { ENOUGH = 4, WORTH_NS = 200000000 }; /* what takes less says more of the start of a child than of the rank */
    const pr_prove_slot *slot = &s->ranks[r].prove;
    const pr_job_state *job = &s->jobs[slot->job];
    pr_class *c = &s->classes[job->class];
    double ratio = (double)(s->now - slot->start_ns) / (double)(job->expected_ns ? job->expected_ns : 1);
    if (ratio < 1.0 / 64) ratio = 1.0 / 64;
    if (ratio > 64) ratio = 64;
    c->n++;
    c->factor += (ratio / s->ranks[r].slowness - c->factor) / (double)(c->n < 16 ? c->n : 16);
    if (c->n >= ENOUGH && s->n_ranks > 1 && pr_job_estimate(s, slot->job) >= WORTH_NS)
        pr_rank_learn(s, r, ratio / c->factor);
}

static pr_answer compare(const pr_job_state *job, const pr_hash *hash) {
    return pr_hash_equal(&job->proof, hash) ? PR_ANSWER_EQUAL : PR_ANSWER_DIFFERENT;
}

static pr_answer take_proof(pr_schedule *s, uint32_t rank, uint32_t j, uint32_t attempt, const pr_hash *hash) {
    pr_job_state *job = &s->jobs[j];
    if (job->phase == PR_JOB_FAILED) return PR_ANSWER_TOO_LATE;
    if (job->phase == PR_JOB_DONE || pr_job_has_proof(s, j)) return compare(job, hash);
    pr_job_unqueue(s, j);
    pr_job_set_phase(s, j, PR_JOB_PROVEN);
    pr_job_cancel_runners(s, j);
    job->prover = rank;
    job->proof_attempt = attempt;
    job->proof = *hash;
    job->unable = 0;
    if (s->options.judge == PR_SCHEDULE_JUDGE_RANK) pr_proof_push(s, j);
    return PR_ANSWER_COUNTS;
}

static bool has_attempt(const pr_schedule *s, uint32_t rank, uint32_t j, uint32_t attempt) {
    return s->ranks[rank].prove.job == j && s->ranks[rank].prove.attempt == attempt;
}

pr_answer pr_schedule_proved(pr_schedule *s, uint64_t now, uint32_t rank, uint32_t j, uint32_t attempt,
                             const pr_hash *hash) {
    if (rank >= s->n_ranks || j >= s->n_jobs || !begin_event(s, now)) return PR_ANSWER_UNKNOWN;
    uint32_t behind = pr_behind_find(s, rank, j, attempt);
    if (has_attempt(s, rank, j, attempt)) {
        learn(s, rank);
        if (!s->ranks[rank].prove.fallback) s->ranks[rank].device_faults = 0;
        s->ranks[rank].faults = 0;
        s->ranks[rank].has_proved = true;
        pr_rank_end_proof(s, rank);
    } else if (behind != PR_NONE) { /* it has overtaken a larger answer */
        pr_behind_end(s, rank, behind);
    } else if (!pr_job_recalls(s, j, rank, attempt)) {
        return PR_ANSWER_UNKNOWN;
    }
    return take_proof(s, rank, j, attempt, hash);
}

/* ---- failures ---- */

static bool is_loss(pr_failure failure) {
    return failure != PR_FAILURE_JOB && failure != PR_FAILURE_CANCELLED && failure != PR_FAILURE_UNBEGUN;
}

static void charge_rank(pr_schedule *s, uint32_t rank, bool fallback, pr_failure failure) {
    if (failure == PR_FAILURE_BACKEND && !fallback)
        pr_rank_device_fault(s, rank);
    else if (is_loss(failure))
        pr_rank_fault(s, rank);
}

/* An attempt at j was lost: what the rank was told of, or had behind it, may be what brought it down. */
static void suspect(pr_schedule *s, uint32_t rank, uint32_t j) {
    pr_hint_suspect(s, rank, j);
    s->ranks[rank].has_proved = false;
    for (uint32_t k = 0; k < s->ranks[rank].n_behind; k++) s->jobs[s->ranks[rank].behind[k].job].is_suspect = true;
}

/* As if it had not been given. */
static pr_fate take_unbegun(pr_schedule *s, uint32_t j, uint32_t attempt) {
    pr_job_state *job = &s->jobs[j];
    if (job->phase != PR_JOB_PROVING || pr_job_has_runner(job)) return PR_FATE_GOES_ON;
    if (job->attempt == attempt) job->attempt--;
    pr_job_queue(s, j);
    return PR_FATE_RETRY;
}

pr_fate pr_schedule_failed(pr_schedule *s, uint64_t now, uint32_t rank, uint32_t j, uint32_t attempt,
                           pr_failure failure) {
    if (rank >= s->n_ranks || j >= s->n_jobs || !begin_event(s, now)) return PR_FATE_IGNORED;
    bool at_hand = has_attempt(s, rank, j, attempt);
    uint32_t behind = pr_behind_find(s, rank, j, attempt);
    if (!at_hand && behind == PR_NONE) return (void)pr_job_recalls(s, j, rank, attempt), PR_FATE_IGNORED;
    pr_job_state *job = &s->jobs[j];
    bool fallback = s->ranks[rank].prove.fallback;
    if (!at_hand) pr_behind_end(s, rank, behind);
    if (is_loss(failure)) suspect(s, rank, j);
    if (at_hand) pr_rank_end_proof(s, rank);
    if (failure == PR_FAILURE_UNBEGUN) return take_unbegun(s, j, attempt);
    charge_rank(s, rank, fallback, failure);
    if (job->phase != PR_JOB_PROVING) return PR_FATE_GOES_ON;
    if (failure == PR_FAILURE_JOB) return pr_job_fail(s, j), PR_FATE_FAILED;
    if (pr_job_has_runner(job)) {
        job->charged += failure != PR_FAILURE_CANCELLED;
        return PR_FATE_GOES_ON;
    }
    return pr_job_retry(s, j, rank, failure);
}

/* ---- verdicts ---- */

static pr_fate judge(pr_schedule *s, uint32_t j, pr_verdict verdict) {
    pr_job_state *job = &s->jobs[j];
    if (verdict == PR_VERDICT_ACCEPTED) return pr_job_done(s, j), PR_FATE_DONE;
    if (job->phase == PR_JOB_PROVEN) pr_proof_remove(s, j);
    bool asks_others = s->options.judge == PR_SCHEDULE_JUDGE_RANK;
    if (verdict == PR_VERDICT_UNABLE && asks_others && ++job->unable < PR_MAX_UNABLE) {
        pr_job_set_phase(s, j, PR_JOB_PROVEN);
        pr_proof_push(s, j);
        return PR_FATE_GOES_ON;
    }
    uint32_t prover = job->prover;
    job->prover = PR_NONE;
    pr_job_set_phase(s, j, PR_JOB_PROVING); /* its work is to be done again */
    if (verdict == PR_VERDICT_REFUSED) pr_rank_fault(s, prover);
    if (pr_job_has_runner(job)) return job->charged++, PR_FATE_GOES_ON; /* told to stop, but it may have a proof yet */
    return pr_job_retry(s, j, prover, verdict == PR_VERDICT_AGAIN ? PR_FAILURE_CANCELLED : PR_FAILURE_ATTEMPT);
}

pr_fate pr_schedule_verified(pr_schedule *s, uint64_t now, uint32_t rank, uint32_t j, uint32_t attempt,
                             pr_verdict verdict) {
    if (rank >= s->n_ranks || j >= s->n_jobs || !begin_event(s, now)) return PR_FATE_IGNORED;
    if (s->ranks[rank].verify_job != j || s->ranks[rank].verify_attempt != attempt) return PR_FATE_IGNORED;
    pr_rank_end_verification(s, rank);
    if (!pr_job_has_proof(s, j) || s->jobs[j].proof_attempt != attempt) return PR_FATE_IGNORED;
    if (s->jobs[j].verifier != rank && verdict == PR_VERDICT_UNABLE)
        return PR_FATE_IGNORED; /* another is asked already */
    return judge(s, j, verdict);
}

pr_fate pr_schedule_judged(pr_schedule *s, uint64_t now, uint32_t j, uint32_t attempt, pr_verdict verdict) {
    if (j >= s->n_jobs || !begin_event(s, now)) return PR_FATE_IGNORED;
    if (!pr_job_has_proof(s, j) || s->jobs[j].proof_attempt != attempt) return PR_FATE_IGNORED;
    return judge(s, j, verdict);
}

/* ---- ranks ---- */

static void ask_another(pr_schedule *s, uint32_t rank) {
    uint32_t j = s->ranks[rank].verify_job;
    if (j == PR_NONE || s->jobs[j].phase != PR_JOB_VERIFYING || s->jobs[j].verifier != rank) return;
    s->jobs[j].verifier = PR_NONE;
    pr_job_set_phase(s, j, PR_JOB_PROVEN);
    pr_proof_push(s, j);
}

/* What it proved is begun again elsewhere, unless it runs there already. */
static void give_up_proof(pr_schedule *s, uint32_t rank, pr_rank_state state) {
    uint32_t j = s->ranks[rank].prove.job;
    if (j == PR_NONE) return;
    pr_job_state *job = &s->jobs[j];
    pr_job_forget(s, j, rank, s->ranks[rank].prove.attempt);
    pr_rank_end_proof(s, rank);
    if (job->phase != PR_JOB_PROVING) return;
    job->losses += state == PR_RANK_LOST;
    if (pr_job_has_runner(job)) return;
    if (job->losses > s->options.max_losses)
        pr_job_end_unasked(s, j, PR_WHY_LOSSES, PR_NONE);
    else
        pr_job_queue(s, j);
}

static void leave(pr_schedule *s, uint32_t rank, pr_rank_state state) {
    ask_another(s, rank);
    if (state == PR_RANK_LOST && s->ranks[rank].prove.job != PR_NONE) suspect(s, rank, s->ranks[rank].prove.job);
    pr_behind_take_back(s, rank);
    if (s->ranks[rank].verify_job != PR_NONE) pr_rank_end_verification(s, rank);
    give_up_proof(s, rank, state);
}

void pr_schedule_set_rank(pr_schedule *s, uint64_t now, uint32_t r, pr_rank_state state) {
    PR_ASSERT(r < s->n_ranks);
    pr_rank_info *rank = &s->ranks[r];
    (void)begin_event(s, now);
    if (rank->state == state) return;
    uint32_t provers = s->nodes[rank->node].n_provers;
    pr_rank_count(s, r, -1);
    rank->state = state;
    pr_rank_count(s, r, 1);
    if (state == PR_RANK_UP) rank->faults = 0;
    if ((provers == 0) != (s->nodes[rank->node].n_provers == 0)) pr_schedule_find_max_limit(s);
    if (state == PR_RANK_SILENT) ask_another(s, r);
    if (!pr_rank_is_live(rank)) leave(s, r, state);
    if (state != PR_RANK_UP) pr_hint_release(s, r);
    if (state != PR_RANK_UP) pr_behind_take_back(s, r);
    if (!pr_rank_is_live(rank)) rank->n_cancels = 0; /* nobody hears them */
    pr_rank_watch(s, r);
    pr_rank_refresh(s, r);
}

void pr_schedule_drain(pr_schedule *s) {
    s->draining = true;
    s->quiet = false;
}

void pr_schedule_set_end(pr_schedule *s, uint64_t end_ns) {
    s->options.end_ns = end_ns;
    s->quiet = false;
    pr_schedule_set_close(s);
}
