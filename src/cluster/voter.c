#include "cluster/voter_internal.h"
#include "consensus/batch.h"
#include "base/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- who and what ---- */

static int by_name(const void *a, const void *b) {
    return memcmp(((const pr_job_place *)a)->name.bytes, ((const pr_job_place *)b)->name.bytes, 32);
}

uint32_t pr_voter_job_of(const pr_voter *v, const pr_hash *name) {
    const pr_job_place key = {*name, 0};
    const pr_job_place *found = bsearch(&key, v->places, v->o.manifest->n_jobs, sizeof key, by_name);
    return found ? found->job : PR_SCHEDULE_NO_JOB;
}

int32_t pr_voter_rank(const pr_voter *v, uint32_t validator) {
    return validator < v->n_validators ? v->ranks[validator] : -1;
}

uint32_t pr_voter_validator_of(const pr_voter *v, unsigned rank) {
    for (uint32_t i = 0; i < v->n_validators; i++)
        if (v->ranks[i] == (int32_t)rank) return i;
    return PR_NO_VALIDATOR;
}

const pr_consensus *pr_voter_consensus(const pr_voter *v) { return v->consensus; }

pr_votelog_stats pr_voter_log_stats(const pr_voter *v) { return pr_votelog_get_stats(v->log); }

/* ---- joining ---- */

static pr_status name_jobs(pr_voter *v, pr_error *err) {
    size_t n = v->o.manifest->n_jobs;
    v->places = calloc(n ? n : 1, sizeof *v->places);
    if (!v->places) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the names of %zu jobs", n);
    for (uint32_t i = 0; i < n; i++) {
        v->places[i] = (pr_job_place){pr_job_name(v->o.manifest->jobs[i].id), i};
        PR_TRY(pr_consensus_add_job(v->consensus, &v->places[i].name, err));
    }
    qsort(v->places, n, sizeof *v->places, by_name);
    return PR_OK;
}

static pr_status restore(void *context, const uint8_t *record, size_t size, pr_error *err) {
    pr_voter *v = context;
    v->n_restored++;
    return pr_consensus_restore(v->consensus, record, size, err);
}

/* Every rank lists the validators in rank 0's order; those that were restored have their place already. */
static pr_status register_all(pr_voter *v, pr_error *err) {
    const pr_wire_roster *m = v->o.given;
    const pr_registry *registry = pr_consensus_registry(v->consensus);
    v->n_validators = m->n_validators;
    v->ranks = calloc(m->n_validators ? m->n_validators : 1, sizeof *v->ranks);
    if (!v->ranks) return pr_fail(err, PR_ERR_MEMORY, "out of memory for %u validators", m->n_validators);
    for (uint32_t i = 0; i < m->n_validators; i++) {
        pr_wire_validator each;
        pr_wire_validator_get(&each, m, i);
        v->ranks[i] = each.rank;
        if (i >= registry->n) PR_TRY(pr_consensus_register(v->consensus, each.public_key, each.stake, err));
        if (memcmp(registry->validators[i].public_key, each.public_key, sizeof each.public_key) != 0)
            return pr_fail(err, PR_ERR_REFUSED,
                           "validator %u of rank 0 is not the one that this rank has voted with before", i);
        if (registry->validators[i].stake != each.stake)
            return pr_fail(err, PR_ERR_REFUSED,
                           "validator %u has stake %llu by rank 0's word; this rank has it on record with %llu", i,
                           (unsigned long long)each.stake, (unsigned long long)registry->validators[i].stake);
        if ((each.away & 1) || (each.rank < 0 && each.away == 0))
            return pr_fail(err, PR_ERR_REFUSED, "validator %u: in which sessions it was away does not fit", i);
    }
    for (uint32_t i = 0; i < m->n_validators; i++) { /* once all are there, so that a record names nobody unknown */
        pr_wire_validator each;
        pr_wire_validator_get(&each, m, i);
        if (each.rank < 0)
            pr_consensus_set_away(v->consensus, i, each.away);
        else
            pr_consensus_set_was_away(v->consensus, i, each.away);
    }
    return PR_OK;
}

static bool admits(void *context, const pr_subject *subject) {
    const pr_voter *v = context;
    uint32_t job = pr_voter_job_of(v, &subject->job);
    int32_t rank = pr_voter_rank(v, subject->prover);
    if (job == PR_SCHEDULE_NO_JOB || rank < 0) return false;
    return !v->o.friend.admits || v->o.friend.admits(v->o.friend.context, job, subject->attempt, (unsigned)rank);
}

static pr_status begin(pr_voter *v, pr_error *err) {
    const pr_wire_roster *m = v->o.given;
    pr_consensus_config config = {
        .terms = {.run = pr_run_name(v->o.run_id), .seed = m->seed, .committee_size = m->votes.committee_size},
        .round_timeout_ms = m->votes.round_timeout_ms,
        .view_timeout_ms = m->votes.view_timeout_ms,
        .retries = m->votes.retries,
        .max_open_rounds = PR_VOTER_MAX_OPEN,
        .admits = admits,
        .admits_context = v,
    };
    memcpy(config.public_key, v->o.key->public_key, sizeof config.public_key);
    PR_TRY(pr_ballot_keys_create(&v->keys, v->o.key, err));
    const pr_crypto crypto = pr_ballot_keys_crypto(v->keys);
    PR_TRY(pr_consensus_create(&v->consensus, &config, &crypto, (pr_consensus_sink){v, pr_voter_act_on}, err));
    PR_TRY(name_jobs(v, err));
    PR_TRY(pr_examiner_create(&v->examiner, m->votes.threads, PR_VOTER_MAX_OPEN + PR_VOTER_MAX_FETCHES, err));
    snprintf(v->log_path, sizeof v->log_path, "%.1000s/%d.journal", m->folder, v->o.t->rank);
    v->restoring = true;
    PR_TRY(pr_votelog_open(&v->log, v->log_path, v->o.run_id, restore, v, err));
    v->restoring = false;
    PR_TRY(register_all(v, err));
    pr_consensus_start(v->consensus);
    return PR_OK;
}

pr_status pr_voter_create(pr_voter **out, const pr_voter_options *options, pr_error *err) {
    pr_voter *v = calloc(1, sizeof *v);
    if (!v) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the consensus");
    v->o = *options;
    v->run = options->given->run;
    v->may_have_spooled = options->given->resumed;
    v->last = &v->first;
    pr_status status = begin(v, err);
    v->o.given = NULL; /* it was the caller's */
    if (status == PR_OK)
        *out = v;
    else
        pr_voter_destroy(v);
    return status;
}

void pr_voter_destroy(pr_voter *v) {
    if (!v) return;
    pr_examiner_destroy(v->examiner);
    pr_votelog_close(v->log);
    pr_voter_drop_acts(v);
    pr_voter_drop_proofs(v);
    pr_consensus_destroy(v->consensus);
    pr_ballot_keys_destroy(v->keys);
    free(v->ranks);
    free(v->places);
    free(v->timers);
    free(v->asks);
    for (size_t i = 0; i < v->n_events; i++) free(v->events[(v->first_event + i) % v->event_room].data);
    free(v->events);
    free(v);
}

/* ---- what this rank knew before ---- */

typedef struct recall {
    uint64_t at, first, end; /* numbers of records */
    void (*visit)(void *context, const uint8_t *record, size_t size);
    void *context;
} recall;

static pr_status recall_frame(void *context, const pr_frame *f, pr_error *err) {
    recall *r = context;
    (void)err;
    if (r->at >= r->first && r->at < r->end) r->visit(r->context, f->payload, f->size);
    r->at++;
    return PR_OK;
}

pr_status pr_voter_recall(const pr_voter *v, uint64_t first,
                          void (*visit)(void *context, const uint8_t *record, size_t size), void *context,
                          pr_error *err) {
    recall r = {.first = first, .end = v->n_restored, .visit = visit, .context = context};
    pr_scan scan = {.visit = recall_frame, .context = &r};
    return first < v->n_restored ? pr_journal_scan(&scan, v->log_path, err) : PR_OK;
}

/* ---- what comes ---- */

pr_status pr_voter_handle(pr_voter *v, unsigned from, pr_wire *m, pr_error *err) {
    switch (m->type) {
    case PR_WIRE_VOTE:
        if (m->as.vote.run == v->run)
            pr_consensus_receive(v->consensus, pr_voter_validator_of(v, from), m->as.vote.data, m->as.vote.size);
        return PR_OK;
    case PR_WIRE_FETCH:
        return pr_voter_on_fetch(v, from, &m->as.fetch, err);
    case PR_WIRE_PROOF:
        pr_voter_on_proof(v, from, &m->as.proof);
        return PR_OK;
    default:
        return pr_fail(err, PR_ERR_MPI, "rank %u sent a %s message to a voter", from, pr_wire_type_name(m->type));
    }
}

pr_status pr_voter_tick(pr_voter *v, bool *busy, pr_error *err) {
    pr_voter_expire_due(v, busy);
    pr_voter_sign_again(v);
    PR_TRY(pr_voter_work(v, busy, err));
    PR_TRY(pr_voter_release(v, busy, err));
    if (v->out_of_memory) return pr_fail(err, PR_ERR_MEMORY, "out of memory in the consensus");
    return pr_votelog_check(v->log, err);
}

void pr_voter_suspect_leader(pr_voter *v) {
    if (pr_voter_rank(v, pr_consensus_leader(v->consensus)) == 0) pr_consensus_suspect_leader(v->consensus);
}

size_t pr_voter_fds(const pr_voter *v, struct pollfd fds[PR_VOTER_MAX_FDS]) {
    fds[0] = (struct pollfd){pr_votelog_fd(v->log), POLLIN, 0};
    fds[1] = (struct pollfd){pr_examiner_fd(v->examiner), POLLIN, 0};
    return 2;
}

bool pr_voter_is_verifying(pr_voter *v) { return !pr_examiner_is_idle(v->examiner); }

void pr_voter_befriend(pr_voter *v, const pr_voter_friend *friend) { v->o.friend = *friend; }

/* ---- the outcomes of the run ---- */

static void ask_for_missing(pr_voter *v) {
    for (size_t i = 0; i < v->o.manifest->n_jobs; i++)
        pr_consensus_ask(v->consensus, &v->places[i].name); /* those not approved here */
}

static void sign_batch(pr_voter *v) {
    size_t n = v->o.manifest->n_jobs, count = 0;
    pr_hash root;
    pr_batch_leaf *leaves = calloc(n ? n : 1, sizeof *leaves);
    if (!leaves) return;             /* a batch without this signature */
    for (size_t i = 0; i < n; i++) { /* sorted by name, as leaves must be */
        const pr_subject *s = pr_consensus_decided(v->consensus, &v->places[i].name);
        if (!s) continue;
        leaves[count++] =
            (pr_batch_leaf){s->job, s->statement, s->proof_hash, pr_consensus_outcome(v->consensus, &s->job)};
    }
    if (count && pr_batch_root(&root, leaves, count, NULL) == PR_OK)
        pr_consensus_sign_batch(v->consensus, &root, count);
    free(leaves);
}

void pr_voter_sign_batch(pr_voter *v) {
    v->closing = true;
    pr_voter_spool_clear(v);
    ask_for_missing(v);
    sign_batch(v);
    v->signed_ns = pr_clock_monotonic_ns();
}

void pr_voter_sign_again(pr_voter *v) {
    uint64_t now = pr_clock_monotonic_ns();
    if (!v->closing || v->batched || now - v->signed_ns < PR_VOTER_SIGN_NS) return;
    v->signed_ns = now;
    sign_batch(v);
}
