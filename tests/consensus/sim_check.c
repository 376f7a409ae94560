/* What must never happen, whatever the network and the liars do. Where it matters this counts by itself, so that a
 * mistake in src/consensus is not made here once more. */
#include "sim.h"
#include <string.h>

enum { ROUND_LIFE_MS = 2000, MAX_RECORDED = 9 };

/* ---- what certificates have in common ---- */

static void read_excluded(pr_reader *r, const sim *s, bool excluded[SIM_NODES], bool with_signatures) {
    for (uint32_t n = pr_read_u32(r); n > 0 && !r->failed; n--) {
        uint32_t index = pr_read_u32(r);
        if (index >= s->n || excluded[index]) r->failed = true;
        if (r->failed) break;
        excluded[index] = true;
        for (uint32_t k = with_signatures ? pr_read_u32(r) : 0; k > 0 && !r->failed; k--)
            (void)pr_read_borrow(r, 4 + PR_SIGNATURE_BYTES);
    }
}

/* Whether somebody may be left out is known here without src/consensus: there is a session of which everybody away is
 * left out, and else nobody but the removed. */
static bool is_explained(const sim *s, const bool excluded[SIM_NODES]) {
    for (uint32_t k = 0; k <= s->session; k++) {
        bool good = true;
        for (uint32_t i = 0; i < s->n; i++) {
            bool removed = !pr_registry_is_active(&s->auditor, i), away = s->sessions[k].away[i];
            good &= excluded[i] ? removed || away : !away;
        }
        if (good) return true;
    }
    return false;
}

static bool is_signed(const sim *s, const pr_message *m) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    size_t size = pr_message_encode(bytes, m);
    pr_hash digest = pr_message_digest(bytes, size);
    return sim_mac_is(s->keys[m->signer], &digest, m->signature);
}

/* ---- one statement of an honest node ---- */

/* Everything that is said, so that two different statements of one signer for one place differ here. A proposal is said
 * by its subject alone: the prover's signature in it may be another one. */
static pr_hash statement_of(const pr_message *m, const uint8_t *data, size_t size) {
    pr_writer w;
    pr_writer_init(&w);
    if (m->kind != PR_MESSAGE_PROPOSE) return pr_blake2s_hash(data, size - PR_SIGNATURE_BYTES);
    pr_subject_write(&w, &m->subject);
    pr_hash said = pr_blake2s_hash(w.data, w.size);
    pr_writer_clear(&w);
    return said;
}

static sim_signed *place_of(sim *s, const pr_message *m) {
    uint64_t at;
    memcpy(&at, m->subject.job.bytes, sizeof at);
    at += m->signer + 31 * (m->subject.attempt + 31 * (m->view + 31 * (uint64_t)m->kind));
    at *= 0x9e3779b97f4a7c15u;
    for (size_t k = at >> 40;; k++) {
        sim_signed *place = &s->said[k % SIM_SIGNED];
        if (!place->used) return place;
        if (place->signer == m->signer && place->kind == (int)m->kind && place->view == m->view &&
            place->attempt == m->subject.attempt && pr_hash_equal(&place->job, &m->subject.job))
            return place;
    }
}

/* Whether this approves a proof of a job, or helps it on by naming an absent one. */
static bool binds(const pr_message *m) {
    return m->kind == PR_MESSAGE_ABSENCE || (m->kind == PR_MESSAGE_VOTE && m->verdict == PR_VOTE_APPROVE);
}

/* Who has done so never does it for another one. */
static void check_lock(sim *s, uint32_t node, const pr_message *m) {
    for (uint32_t j = 0; j < s->n_jobs && binds(m); j++) {
        sim_lock *lock = &s->locks[node][j];
        if (!pr_hash_equal(&s->jobs[j].name, &m->subject.job)) continue;
        if (lock->held && !pr_hash_equal(&lock->proof, &m->subject.proof_hash))
            sim_fail(s, "honest node %u helps two proofs of job %u to an approval", node, j);
        *lock = (sim_lock){true, m->subject.proof_hash};
    }
}

static void check_vote(sim *s, uint32_t node, const pr_message *m) {
    pr_vote_reason reason;
    pr_proof_verdict truth = sim_truth(s, &m->subject, &reason);
    if (m->subject.prover == node) sim_fail(s, "node %u votes on its own proof", node);
    if ((truth == PR_PROOF_VALID) != (m->verdict == PR_VOTE_APPROVE) || truth == PR_PROOF_UNKNOWN)
        sim_fail(s, "honest node %u votes wrongly", node);
}

void sim_check_sent(sim *s, uint32_t node, const uint8_t *data, size_t size) {
    pr_message m;
    if (pr_message_decode(&m, data, size, NULL) != PR_OK) return; /* a certificate or evidence */
    if (m.signer != node) return;                                 /* a leader's proposal, said again */
    if (m.kind == PR_MESSAGE_VOTE) check_vote(s, node, &m);
    check_lock(s, node, &m);
    if (m.kind != PR_MESSAGE_ANNOUNCE && m.kind != PR_MESSAGE_PROPOSE && m.kind != PR_MESSAGE_VOTE) return;
    sim_signed *place = place_of(s, &m);
    pr_hash said = statement_of(&m, data, size);
    if (place->used && !pr_hash_equal(&place->said, &said))
        sim_fail(s, "honest node %u contradicts itself: %s, view %llu, attempt %u", node, pr_message_kind_name(m.kind),
                 (unsigned long long)m.view, m.subject.attempt);
    *place = (sim_signed){true, node, m.subject.attempt, (int)m.kind, m.view, m.subject.job, said};
}

/* ---- evidence ---- */

static void check_evidence(sim *s, uint32_t node, const uint8_t *data, size_t size) {
    pr_evidence e;
    pr_evidence_answer answer;
    pr_vote_reason reason;
    pr_error err = {0};
    pr_crypto crypto = sim_crypto(&s->nodes[node]);
    if (pr_evidence_decode(&e, data, size, &err) != PR_OK) {
        sim_fail(s, "node %u has evidence that does not decode: %s", node, err.text);
        return;
    }
    if (!s->nodes[e.offender].faulty) sim_fail(s, "node %u removes honest node %u", node, e.offender);
    pr_status status = pr_evidence_check(&e, &answer, data, size, &s->terms.run, &s->auditor, &crypto,
                                         sim_truth(s, &e.subject, &reason), &err);
    if (status != PR_OK || answer != PR_EVIDENCE_HOLDS)
        sim_fail(s, "node %u removes %u by evidence that does not hold: %s", node, e.offender, err.text);
    pr_registry_remove(&s->auditor, e.offender, e.removal);
}

/* ---- views ---- */

/* Counts by itself who is rightly said to want the view. */
static void check_view(sim *s, uint32_t node, const uint8_t *data, size_t size) {
    uint64_t view = 0;
    pr_error err = {0};
    pr_crypto crypto = sim_crypto(&s->nodes[node]);
    if (pr_view_certificate_check(&view, data, size, &s->terms.run, &s->auditor, &crypto, &err) != PR_OK)
        sim_fail(s, "node %u has a view certificate that does not hold: %s", node, err.text);
    const size_t head_size = 2 + 32 + 8 + 4;
    bool excluded[SIM_NODES] = {false};
    pr_reader r;
    pr_reader_init(&r, data + head_size, size - head_size);
    unsigned __int128 wanted = 0, whole = 0;
    read_excluded(&r, s, excluded, false);
    if (!is_explained(s, excluded)) sim_fail(s, "node %u enters a view that leaves somebody out", node);
    for (uint32_t i = 0; i < s->n; i++)
        if (!excluded[i]) whole += s->stakes[i];
    for (uint32_t n = pr_read_u32(&r); n > 0 && !r.failed; n--) {
        pr_message m = {.kind = PR_MESSAGE_VIEW_CHANGE, .run = s->terms.run, .view = view, .n_validators = s->n};
        m.signer = pr_read_u32(&r);
        pr_read_bytes(&r, m.signature, PR_SIGNATURE_BYTES);
        if (m.signer >= s->n) r.failed = true;
        if (r.failed || excluded[m.signer] || !is_signed(s, &m)) continue;
        excluded[m.signer] = true; /* once */
        wanted += s->stakes[m.signer];
    }
    if (!pr_reader_done(&r) || 3 * wanted <= 2 * whole) sim_fail(s, "node %u enters a view without a quorum", node);
}

/* ---- what an honest node puts on record ---- */

/* It is bound to a proof that no honest prover has: from now on the honest ones may be too few for another. */
static void note_twofold(sim *s, uint32_t node, const uint8_t *data, size_t size) {
    pr_message m;
    if (pr_message_decode(&m, data, size, NULL) != PR_OK || m.signer != node || !binds(&m)) return;
    for (uint32_t j = 0; j < s->n_jobs; j++) {
        pr_subject honest = sim_jobs_subject(s, j, m.subject.attempt, m.subject.prover, SIM_PROOF_VALID);
        s->jobs[j].twofold |=
            pr_hash_equal(&honest.job, &m.subject.job) && !pr_hash_equal(&honest.proof_hash, &m.subject.proof_hash);
    }
}

/* What others say of a job makes a node's journal grow by a few rounds, until one of them ends or the view changes:
 * both take time. */
static void bound_journal(sim *s, uint32_t node, const uint8_t *data, size_t size) {
    sim_node *n = &s->nodes[node];
    pr_message m;
    if (data[0] == PR_CONSENSUS_RECORD_VIEW) memset(n->n_recorded, 0, sizeof n->n_recorded);
    for (uint32_t j = 0; j < s->n_jobs && data[0] == PR_CONSENSUS_RECORD_OUTCOME; j++)
        if (memcmp(s->jobs[j].name.bytes, data + 1, sizeof s->jobs[j].name.bytes) == 0) n->n_recorded[j] = 0;
    if (data[0] != PR_CONSENSUS_RECORD_MESSAGE || pr_message_decode(&m, data + 1, size - 1, NULL) != PR_OK ||
        m.signer == node)
        return;
    for (uint32_t j = 0; j < s->n_jobs; j++) {
        if (!pr_hash_equal(&s->jobs[j].name, &m.subject.job) || pr_subject_equal(&n->recorded[j], &m.subject)) continue;
        n->recorded[j] = m.subject;
        if (++n->n_recorded[j] > MAX_RECORDED)
            sim_fail(s, "node %u has %d rounds of job %u on record in a row", node, MAX_RECORDED + 1, j);
    }
}

void sim_check_record(sim *s, uint32_t node, const uint8_t *data, size_t size) {
    bound_journal(s, node, data, size);
    if (data[0] == PR_CONSENSUS_RECORD_MESSAGE) note_twofold(s, node, data + 1, size - 1);
    if (data[0] == PR_CONSENSUS_RECORD_EVIDENCE) check_evidence(s, node, data + 1, size - 1);
    if (data[0] == PR_CONSENSUS_RECORD_VIEW) check_view(s, node, data + 1, size - 1);
    if (data[0] == PR_CONSENSUS_RECORD_CERTIFICATE) sim_check_certificate(s, node, data + 1, size - 1);
}

/* ---- certificates ---- */

typedef struct count {
    bool explained, liars_alone; /* liars_alone: its liars are a quorum of the committee */
    unsigned __int128 approve, whole;
} count;

/* Leaves of everybody who may be a member the committee: the first of the draw. */
static void choose_members(const sim *s, count *c, bool excluded[SIM_NODES], const pr_subject *subject) {
    const pr_validator_set nobody = {{0}};
    pr_committee order;
    uint32_t left = s->terms.committee_size;
    unsigned __int128 faulty = 0;
    pr_committee_draw(&order, &s->auditor, &(pr_draw){&s->terms.seed, &subject->job, s->n, PR_NO_VALIDATOR, s->n},
                      &nobody);
    excluded[subject->prover] = true;
    for (uint32_t k = 0; k < order.n; k++) {
        uint32_t i = order.members[k];
        if (!excluded[i] && left == 0) excluded[i] = true;
        if (excluded[i]) continue;
        left--;
        c->whole += s->stakes[i];
        faulty += s->nodes[i].faulty ? s->stakes[i] : 0;
    }
    c->liars_alone = 3 * faulty > 2 * c->whole;
}

/* Counts the votes of a certificate with no help of src/consensus but for the encoding of a vote, and the order in
 * which validators are drawn. */
static bool is_quorum(const sim *s, count *c, const pr_certificate *head, const uint8_t *data, size_t size) {
    const size_t head_size = 2 + 32 + 8 + 4 + PR_SUBJECT_BYTES;
    bool excluded[SIM_NODES] = {false};
    pr_reader r;
    *c = (count){0};
    pr_reader_init(&r, data + head_size, size - head_size);
    read_excluded(&r, s, excluded, false);
    c->explained = is_explained(s, excluded);
    read_excluded(&r, s, excluded, true);
    choose_members(s, c, excluded, &head->subject);
    for (uint32_t n = pr_read_u32(&r); n > 0 && !r.failed; n--) {
        pr_message m = {.kind = PR_MESSAGE_VOTE, .run = s->terms.run, .view = head->view, .n_validators = s->n};
        m.subject = head->subject;
        m.verdict = PR_VOTE_APPROVE;
        m.signer = pr_read_u32(&r);
        if (!pr_attestation_read(&r, &m.attestation)) return false;
        pr_read_bytes(&r, m.signature, PR_SIGNATURE_BYTES);
        if (r.failed || m.signer >= s->n || excluded[m.signer] || !is_signed(s, &m)) return false;
        excluded[m.signer] = true; /* once */
        c->approve += s->stakes[m.signer];
    }
    return pr_reader_done(&r) && 3 * c->approve > 2 * c->whole;
}

static bool is_new(sim *s, const uint8_t *data, size_t size) {
    pr_hash digest = pr_blake2s_hash(data, size);
    uint64_t word;
    memcpy(&word, digest.bytes, sizeof word);
    uint32_t n = s->n_certificates < SIM_CERTIFICATES ? s->n_certificates : SIM_CERTIFICATES;
    for (uint32_t k = 0; k < n; k++)
        if (s->certificates[k] == word) return false;
    s->certificates[s->n_certificates++ % SIM_CERTIFICATES] = word;
    return true;
}

static void check_job(sim *s, const pr_subject *subject, bool liars_alone) {
    for (uint32_t j = 0; j < s->n_jobs; j++) {
        sim_job *job = &s->jobs[j];
        if (!pr_hash_equal(&job->name, &subject->job)) continue;
        job->twofold |= liars_alone;
        bool other = job->certified && !pr_hash_equal(&job->certified_proof, &subject->proof_hash);
        s->conflicts += other;
        if (other && !(s->limited && job->twofold)) sim_fail(s, "two certificates of job %u name different proofs", j);
        job->certified = true;
        job->certified_proof = subject->proof_hash;
    }
}

void sim_check_certificate(sim *s, uint32_t node, const uint8_t *data, size_t size) {
    pr_certificate certificate;
    pr_vote_reason reason;
    pr_error err = {0};
    pr_crypto crypto = sim_crypto(&s->nodes[node]);
    if (!is_new(s, data, size)) return;
    if (pr_certificate_check(&certificate, data, size, &s->terms, &s->auditor, &crypto, &err) != PR_OK) {
        sim_fail(s, "node %u has a certificate that does not hold: %s", node, err.text);
        return;
    }
    count c;
    if (!is_quorum(s, &c, &certificate, data, size)) sim_fail(s, "node %u has a certificate without a quorum", node);
    if (!c.explained) sim_fail(s, "node %u has a certificate that leaves somebody out", node);
    bool valid = sim_truth(s, &certificate.subject, &reason) == PR_PROOF_VALID;
    if (!valid && !c.liars_alone) sim_fail(s, "a proof that is not valid is approved, by node %u", node);
    check_job(s, &certificate.subject, c.liars_alone);
}

void sim_check_batch(sim *s, uint32_t node, const uint8_t *data, size_t size) {
    pr_hash root, right = pr_blake2s_hash(&s->seed, sizeof s->seed);
    uint64_t n_leaves;
    pr_error err = {0};
    pr_crypto crypto = sim_crypto(&s->nodes[node]);
    if (pr_batch_certificate_check(&root, &n_leaves, data, size, &s->terms.run, &s->auditor, &crypto, &err) != PR_OK)
        sim_fail(s, "node %u has a batch certificate that does not hold: %s", node, err.text);
    else if (!pr_hash_equal(&root, &right) || n_leaves != s->n_jobs)
        sim_fail(s, "node %u has a batch certificate of another root", node);
}

/* ---- bounds ---- */

/* A vote is at most a message with the longest attestation; a certificate has one a validator. */
void sim_check_memory(sim *s) {
    const size_t vote = PR_MESSAGE_MAX_BYTES, n = s->n;
    size_t round = 1024 + n * (vote + 32) + n * (600 + n * PR_SIGNATURE_BYTES),
           certificate = 1024 + n * vote + n * n * 72;
    size_t bound = 16384 + n * (1024 + 3 * PR_EVIDENCE_MAX_BYTES) + s->n_jobs * (2048 + vote + round + certificate);
    for (uint32_t i = 0; i < s->n; i++) {
        size_t bytes = s->nodes[i].c ? pr_consensus_memory_bytes(s->nodes[i].c) : 0;
        if (bytes > bound) sim_fail(s, "node %u holds %zu bytes, more than %zu", i, bytes, bound);
    }
}

/* However often the view changes. */
void sim_check_rounds(sim *s) {
    for (uint32_t i = 0; i < s->n && sim_is_healed(s); i++) {
        const sim_node *node = &s->nodes[i];
        for (uint32_t t = 1; t <= s->n_jobs && node->c && !node->faulty; t++) {
            uint64_t since = node->opened_at[t] < s->healed_at ? s->healed_at : node->opened_at[t];
            if (node->opened_at[t] > 0 && s->now > since + ROUND_LIFE_MS)
                sim_fail(s, "node %u has a round of job %u open for more than %d ms", i, t - 1, ROUND_LIFE_MS);
        }
    }
}

void sim_check_end(sim *s) {
    for (uint32_t i = 0; i < s->n; i++) {
        const sim_node *node = &s->nodes[i];
        if (node->faulty || !node->c) continue;
        const pr_registry *registry = pr_consensus_registry(node->c);
        for (uint32_t k = 0; k < s->n; k++)
            if (!pr_registry_is_active(registry, k) && pr_registry_is_active(&s->auditor, k) && !sim_is_away(s, k))
                sim_fail(s, "node %u has removed %u without evidence", i, k);
        for (uint32_t j = 0; j < s->n_jobs; j++)
            if (!s->jobs[j].twofold && pr_consensus_outcome(node->c, &s->jobs[j].name) != PR_ROUND_APPROVED)
                sim_fail(s, "node %u does not know that job %u is approved", i, j);
        if (!node->batch_certified) sim_fail(s, "node %u has no batch certificate", i);
    }
}
