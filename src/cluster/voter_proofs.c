/* Bytes: those that this rank is asked to verify, fetched from whoever proved, and those of its own that others fetch.
 */
#include "base/clock.h"
#include "base/log.h"
#include "cluster/voter_internal.h"
#include <stdlib.h>
#include <string.h>

typedef enum purpose { PURPOSE_OWN, PURPOSE_ASKED } purpose;

/* ---- records ---- */

static bool copy_record(pr_record *out, const pr_record *record) {
    pr_writer w;
    pr_writer_init(&w);
    pr_record_encode(&w, record);
    bool good = !w.failed && pr_record_decode(out, w.data, w.size, NULL) == PR_OK;
    pr_writer_clear(&w);
    return good;
}

static bool is_proof_of(const pr_record *r, const pr_subject *s) {
    char proof[65], statement[65];
    pr_hex_encode(proof, s->proof_hash.bytes, 32);
    pr_hex_encode(statement, s->statement.bytes, 32);
    return strcmp(r->row.proof_hash, proof) == 0 && strcmp(r->row.statement_digest, statement) == 0;
}

static bool subject_of(const pr_voter *v, pr_subject *s, const pr_wire_task *task, const pr_record *r) {
    s->job = pr_job_name(v->o.manifest->jobs[task->job].id);
    s->attempt = task->attempt;
    s->prover = pr_consensus_self(v->consensus);
    return pr_hex_decode(s->statement.bytes, 32, r->row.statement_digest) &&
           pr_hex_decode(s->proof_hash.bytes, 32, r->row.proof_hash);
}

/* ---- what is held ---- */

static uint64_t bytes_of(const pr_held *h) {
    return h->record.proof ? h->record.row.proof_compressed_bytes + h->record.row.public_bytes : 0;
}

/* The oldest give way: their rounds have long ended, or rank 0 has them. */
static const pr_record *hold(pr_voter *v, const pr_wire_task *task, pr_record *record) {
    unsigned at = v->next_held;
    uint64_t total = 0;
    pr_record_clear(&v->held[at].record);
    v->held[at] = (pr_held){task->job, task->attempt, *record};
    memset(record, 0, sizeof *record);
    v->next_held = (at + 1) % PR_VOTER_MAX_HELD;
    for (unsigned i = 0; i < PR_VOTER_MAX_HELD; i++) { /* from the newest back */
        pr_held *h = &v->held[(at + PR_VOTER_MAX_HELD - i) % PR_VOTER_MAX_HELD];
        total += bytes_of(h);
        if (i > 0 && total > PR_VOTER_MAX_HELD_BYTES) pr_record_clear(&h->record);
    }
    return &v->held[at].record;
}

static const pr_record *find_held(const pr_voter *v, uint32_t job, const pr_hash *proof_hash) {
    char hex[65];
    pr_hex_encode(hex, proof_hash->bytes, 32);
    for (unsigned i = 0; i < PR_VOTER_MAX_HELD; i++)
        if (v->held[i].job == job && v->held[i].record.proof && strcmp(v->held[i].record.row.proof_hash, hex) == 0)
            return &v->held[i].record;
    return v->o.friend.find ? v->o.friend.find(v->o.friend.context, job, proof_hash) : NULL;
}

static const pr_record *find(pr_voter *v, uint32_t job, uint32_t attempt, const pr_hash *proof_hash) {
    const pr_wire_task task = {v->run, job, attempt};
    const pr_record *held = find_held(v, job, proof_hash);
    pr_record record;
    if (held || !pr_voter_spool_get(v, job, attempt, &record)) return held;
    (void)hold(v, &task, &record);
    return find_held(v, job, proof_hash);
}

pr_status pr_voter_on_fetch(pr_voter *v, unsigned from, const pr_wire_fetch *m, pr_error *err) {
    pr_wire answer = {.type = PR_WIRE_PROOF};
    if (m->task.run != v->run || m->task.job >= v->o.manifest->n_jobs) return PR_OK;
    const pr_record *record = find(v, m->task.job, m->task.attempt, &m->proof_hash);
    if (!record) return PR_OK; /* who asks goes on to ask somebody else */
    answer.as.proof.task = m->task;
    answer.as.proof.record = *record; /* lent */
    return pr_transport_send(v->o.t, (int)from, &answer, err);
}

/* ---- this rank's own proofs ---- */

static bool examine(pr_voter *v, const pr_wire_task *task, purpose why, pr_record *record) {
    pr_examination x = {.work = v->o.work,
                        .job = &v->o.manifest->jobs[task->job],
                        .task = *task,
                        .purpose = (uint32_t)why,
                        .depth = PR_CHECK_ALL,
                        .record = *record};
    if (!pr_examiner_give(v->examiner, &x)) return false;
    memset(record, 0, sizeof *record);
    return true;
}

pr_status pr_voter_proved(pr_voter *v, const pr_wire_task *task, const pr_record *record, pr_error *err) {
    pr_record copy;
    if (!copy_record(&copy, record)) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a proof to announce");
    if (examine(v, task, PURPOSE_OWN, &copy)) return PR_OK;
    pr_record_clear(&copy); /* room for as many as can be under way: it does not happen */
    return pr_fail(err, PR_ERR_MEMORY, "no room to verify an own proof");
}

/* An own proof that is not announced: REFUSED, for it is wrong; AGAIN, for another reason. */
static pr_status take_back(pr_voter *v, const pr_wire_task *task, pr_verdict verdict, const char *reason,
                           pr_error *err) {
    pr_wire m = {.type = PR_WIRE_VERDICT};
    m.as.verdict.task = *task;
    m.as.verdict.verdict = verdict;
    pr_row_set_text(m.as.verdict.reason, sizeof m.as.verdict.reason, reason);
    return pr_transport_send(v->o.t, 0, &m, err);
}

/* Approved before, by a certificate that rank 0 may lack: the run was interrupted in between. */
static pr_status show_certificate(pr_voter *v, const pr_hash *job, pr_error *err) {
    pr_wire m = {.type = PR_WIRE_VOTE};
    m.as.vote.run = v->run;
    m.as.vote.data = pr_consensus_certificate(v->consensus, job, &m.as.vote.size);
    return m.as.vote.data && v->o.t->rank != 0 ? pr_transport_send(v->o.t, 0, &m, err) : PR_OK;
}

/* Before the announcement goes out, which waits for its record (pr_voter_release). Where nobody votes the round has
 * ended, and nobody fetches the bytes. */
static pr_status spool(pr_voter *v, const pr_wire_task *task, const pr_hash *job, const pr_record *record,
                       pr_error *err) {
    if (pr_consensus_decided(v->consensus, job)) return PR_OK;
    v->may_have_spooled = true;
    return pr_voter_spool_put(v, task, record, err);
}

static pr_status announce(pr_voter *v, pr_examination *x, pr_error *err) {
    pr_subject s;
    pr_error why = {0};
    if (!subject_of(v, &s, &x->task, &x->record))
        return take_back(v, &x->task, PR_VERDICT_REFUSED, "a proof without its hashes", err);
    const pr_record *held = hold(v, &x->task, &x->record);
    if (pr_consensus_announce(v->consensus, &s, &why) == PR_OK) return spool(v, &x->task, &s.job, held, err);
    pr_log(PR_LOG_WARN, "consensus", "job `%s` is not announced: %s", v->o.manifest->jobs[x->task.job].id, why.text);
    size_t size;
    if (pr_consensus_certificate(v->consensus, &s.job, &size)) return show_certificate(v, &s.job, err);
    return take_back(v, &x->task, PR_VERDICT_AGAIN, why.text,
                     err); /* an attempt of that number was announced before a kill */
}

/* A proof that this rank itself finds wrong is an attempt that failed, and nothing to sign. */
static pr_status on_own(pr_voter *v, pr_examination *x, pr_error *err) {
    bool wrong = x->unable || x->verdict != PR_CHECK_ACCEPTED;
    if (v->o.hooks && v->o.hooks->announces_anything) wrong = false;
    return wrong ? take_back(v, &x->task, PR_VERDICT_REFUSED, x->reason, err) : announce(v, x, err);
}

/* ---- what is asked ---- */

void pr_voter_ask_for(pr_voter *v, const pr_subject *subject) {
    if (v->n_asks == v->ask_room) {
        size_t room = v->ask_room ? 2 * v->ask_room : 32;
        pr_voter_ask *grown = realloc(v->asks, room * sizeof *grown);
        if (!grown) {
            v->out_of_memory = true;
            return;
        }
        v->asks = grown;
        v->ask_room = room;
    }
    v->asks[v->n_asks++] = (pr_voter_ask){
        .subject = *subject, .job = pr_voter_job_of(v, &subject->job), .asked_ns = pr_clock_monotonic_ns()};
}

/* Takes the question off the list before it is answered: the answer may bring another one. */
static void answer(pr_voter *v, size_t i, pr_proof_verdict verdict, pr_vote_reason reason) {
    pr_subject subject = v->asks[i].subject;
    const pr_voter_event e = {
        .kind = PR_VOTER_VOTED, .job = v->asks[i].job, .rank = -1, .ns = pr_clock_monotonic_ns() - v->asks[i].asked_ns};
    memmove(&v->asks[i], &v->asks[i + 1], (--v->n_asks - i) * sizeof *v->asks);
    if (v->o.keeps_events && verdict != PR_PROOF_UNKNOWN) pr_voter_tell(v, &e);
    if (v->o.hooks && v->o.hooks->verdict) verdict = v->o.hooks->verdict(v->o.hooks->context, &subject, verdict);
    if (verdict == PR_PROOF_INVALID && reason == PR_VOTE_REASON_NONE) reason = PR_VOTE_REASON_INVALID;
    pr_consensus_verified(v->consensus, &subject, verdict, verdict == PR_PROOF_INVALID ? reason : PR_VOTE_REASON_NONE);
}

static pr_status say_verdict(pr_voter *v, const pr_examination *x, pr_error *err) {
    pr_wire m = {.type = PR_WIRE_VERDICT};
    m.as.verdict.task = x->task;
    m.as.verdict.verdict = x->verdict == PR_CHECK_ACCEPTED ? PR_VERDICT_ACCEPTED : PR_VERDICT_UNABLE;
    m.as.verdict.verify_ms = x->verify_ms;
    pr_row_set_text(m.as.verdict.reason, sizeof m.as.verdict.reason, x->reason);
    return pr_transport_send(v->o.t, 0, &m, err);
}

/* Rank 0 is told how long it took; what counts is the vote. */
static pr_status on_asked(pr_voter *v, pr_examination *x, pr_error *err) {
    for (size_t i = 0; i < v->n_asks; i++) {
        pr_voter_ask *a = &v->asks[i];
        if (a->state != PR_ASK_IS_EXAMINED || a->job != x->task.job || a->subject.attempt != x->task.attempt ||
            !is_proof_of(&x->record, &a->subject))
            continue;
        PR_TRY(say_verdict(v, x, err));
        if (x->unable || x->verdict == PR_CHECK_RECORD) {
            pr_log(PR_LOG_WARN, "consensus", "job `%s` cannot be judged: %s", v->o.manifest->jobs[a->job].id,
                   x->reason);
            answer(v, i, PR_PROOF_UNKNOWN, PR_VOTE_REASON_NONE);
        } else if (x->verdict == PR_CHECK_ACCEPTED) {
            answer(v, i, PR_PROOF_VALID, PR_VOTE_REASON_NONE);
        } else {
            answer(v, i, PR_PROOF_INVALID,
                   x->verdict == PR_CHECK_MALFORMED ? PR_VOTE_REASON_MALFORMED : PR_VOTE_REASON_INVALID);
        }
        return PR_OK;
    }
    return PR_OK;
}

void pr_voter_on_proof(pr_voter *v, unsigned from, pr_wire_proof *m) {
    (void)from; /* the bytes speak for themselves */
    if (m->task.run != v->run) return;
    for (size_t i = 0; i < v->n_asks; i++) {
        pr_voter_ask *a = &v->asks[i];
        if (a->state != PR_ASK_FETCHES || a->job != m->task.job || a->subject.attempt != m->task.attempt ||
            !is_proof_of(&m->record, &a->subject))
            continue;
        if (examine(v, &m->task, PURPOSE_ASKED, &m->record)) a->state = PR_ASK_IS_EXAMINED;
        return; /* no room: it is fetched again */
    }
}

/* The prover first, then rank 0, which has it as soon as it counts there. */
static pr_status fetch(pr_voter *v, pr_voter_ask *a, uint64_t now, pr_error *err) {
    pr_wire m = {.type = PR_WIRE_FETCH};
    int32_t prover = pr_voter_rank(v, a->subject.prover);
    bool from_prover = prover >= 0 && (a->tries % 2 == 0 || v->o.t->rank == 0);
    int to = from_prover ? prover : 0;
    m.as.fetch.task = (pr_wire_task){v->run, a->job, a->subject.attempt};
    m.as.fetch.proof_hash = a->subject.proof_hash;
    a->state = PR_ASK_FETCHES;
    a->sent_ns = now;
    a->tries++;
    return to == v->o.t->rank ? PR_OK : pr_transport_send(v->o.t, to, &m, err);
}

/* What is here already needs no fetching. */
static bool examine_own(pr_voter *v, pr_voter_ask *a) {
    const pr_wire_task task = {v->run, a->job, a->subject.attempt};
    const pr_record *record = find(v, a->job, a->subject.attempt, &a->subject.proof_hash);
    pr_record copy;
    if (!record || !is_proof_of(record, &a->subject) || !copy_record(&copy, record)) return false;
    if (examine(v, &task, PURPOSE_ASKED, &copy)) a->state = PR_ASK_IS_EXAMINED;
    pr_record_clear(&copy);
    return a->state == PR_ASK_IS_EXAMINED;
}

static unsigned n_fetching(const pr_voter *v) {
    unsigned n = 0;
    for (size_t i = 0; i < v->n_asks; i++) n += v->asks[i].state != PR_ASK_WAITS;
    return n;
}

static pr_status look_after(pr_voter *v, size_t i, uint64_t now, pr_error *err) {
    pr_voter_ask *a = &v->asks[i];
    if (a->job == PR_SCHEDULE_NO_JOB || (a->state == PR_ASK_FETCHES && a->tries >= PR_VOTER_FETCH_TRIES)) {
        answer(v, i, PR_PROOF_UNKNOWN, PR_VOTE_REASON_NONE);
        return PR_OK;
    }
    return examine_own(v, a) ? PR_OK : fetch(v, a, now, err);
}

static pr_status look_after_asks(pr_voter *v, bool *busy, pr_error *err) {
    uint64_t now = pr_clock_monotonic_ns();
    unsigned active = n_fetching(v);
    for (size_t i = 0; i < v->n_asks; i++) {
        const pr_voter_ask *a = &v->asks[i];
        bool begins = a->state == PR_ASK_WAITS && active < PR_VOTER_MAX_FETCHES;
        bool is_late = a->state == PR_ASK_FETCHES && now - a->sent_ns > PR_VOTER_FETCH_NS;
        if (!begins && !is_late) continue;
        active += begins;
        *busy = true;
        PR_TRY(look_after(v, i, now, err));
    }
    return PR_OK;
}

pr_status pr_voter_work(pr_voter *v, bool *busy, pr_error *err) {
    pr_examination x;
    while (pr_examiner_take(v->examiner, &x)) {
        *busy = true;
        pr_status status = x.purpose == PURPOSE_OWN ? on_own(v, &x, err) : on_asked(v, &x, err);
        pr_record_clear(&x.record);
        PR_TRY(status);
    }
    return look_after_asks(v, busy, err);
}

void pr_voter_drop_proofs(pr_voter *v) {
    for (unsigned i = 0; i < PR_VOTER_MAX_HELD; i++) pr_record_clear(&v->held[i].record);
}
