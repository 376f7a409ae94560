/* What faulty nodes say. They have their own keys alone; they know every message that passed, and can say anything to
 * anybody, different things to different ones, at any time. */
#include "sim.h"
#include <stdlib.h>
#include <string.h>

/* ---- tools ---- */

/* A message of signer in a run, signed with somebody's key. */
static size_t seal_for(sim *s, uint8_t out[PR_MESSAGE_MAX_BYTES], pr_message *m, uint32_t signer, uint32_t key,
                       const pr_hash *run) {
    pr_crypto crypto = sim_crypto(&s->nodes[key]);
    m->run = *run;
    m->signer = signer;
    m->n_validators = m->kind == PR_MESSAGE_ANNOUNCE ? 0 : s->n;
    bool good = pr_message_sign(m, &crypto);
    PR_ASSERT(good);
    return pr_message_encode(out, m);
}

static size_t seal(sim *s, uint8_t out[PR_MESSAGE_MAX_BYTES], pr_message *m, uint32_t liar) {
    return seal_for(s, out, m, liar, liar, &s->terms.run);
}

static void tell(sim *s, uint32_t liar, uint32_t to, const uint8_t *data, size_t size) {
    if (to != liar) sim_world_send(s, liar, to, data, size);
}

static void tell_some(sim *s, uint32_t liar, const uint8_t *data, size_t size) {
    uint32_t share = 30 + sim_below(s, 71);
    for (uint32_t to = 0; to < s->n; to++)
        if (sim_chance(s, share)) tell(s, liar, to, data, size);
}

/* The view of somebody, or near it, or anything. */
static uint64_t any_view(sim *s) {
    const sim_node *node = &s->nodes[sim_below(s, s->n)];
    uint64_t view = node->c ? pr_consensus_view(node->c) : 0;
    uint32_t which = sim_below(s, 20);
    if (which == 0) return view + 1;
    if (which == 1) return view > 0 ? view - 1 : 0;
    if (which == 2) return pr_prng_next(&s->random) >> sim_below(s, 64);
    return view;
}

static uint32_t any_subject(sim *s) {
    return sim_below(s, s->n_subjects < SIM_SUBJECTS ? s->n_subjects : SIM_SUBJECTS);
}

static void remember_subject(sim *s, const pr_subject *subject, const uint8_t announcement[PR_SIGNATURE_BYTES]) {
    uint32_t n = s->n_subjects < SIM_SUBJECTS ? s->n_subjects : SIM_SUBJECTS;
    for (uint32_t k = 0; k < n; k++)
        if (pr_subject_equal(&s->subjects[k], subject)) return;
    uint32_t k = s->n_subjects++ % SIM_SUBJECTS;
    s->subjects[k] = *subject;
    memcpy(s->announcements[k], announcement, PR_SIGNATURE_BYTES);
}

void sim_liar_note(sim *s, const uint8_t *data, size_t size) {
    pr_message m;
    if (pr_message_peek(data, size) == PR_MESSAGE_ANNOUNCE && pr_message_decode(&m, data, size, NULL) == PR_OK)
        remember_subject(s, &m.subject, m.signature);
    if (!sim_chance(s, 25)) return;
    sim_record *slot = &s->recent[s->n_recent++ % SIM_RECENT];
    free(slot->data);
    *slot = (sim_record){malloc(size), size};
    PR_ASSERT(slot->data);
    memcpy(slot->data, data, size);
}

static const sim_record *any_recent(sim *s) {
    uint32_t n = s->n_recent < SIM_RECENT ? s->n_recent : SIM_RECENT;
    return n ? &s->recent[sim_below(s, n)] : NULL;
}

/* ---- lies, one function each ---- */

static void vote(sim *s, uint32_t liar) {
    const pr_subject *subject = &s->subjects[any_subject(s)];
    bool two_faced = sim_chance(s, 30);
    pr_message m = {.kind = PR_MESSAGE_VOTE, .view = any_view(s), .subject = *subject};
    for (uint32_t to = 0; to < s->n; to++) {
        uint8_t bytes[PR_MESSAGE_MAX_BYTES];
        if (to == 0 || two_faced) {
            m.verdict = sim_chance(s, 50) ? PR_VOTE_APPROVE : PR_VOTE_REJECT;
            m.reason = m.verdict == PR_VOTE_APPROVE ? PR_VOTE_REASON_NONE : PR_VOTE_REASON_INVALID;
        }
        if (sim_chance(s, 70)) tell(s, liar, to, bytes, seal(s, bytes, &m, liar));
    }
}

/* A proof of its own: of the attempt that it was given or of another one, valid or not, perhaps not to be had. */
static pr_subject own_subject(sim *s, uint32_t liar) {
    uint32_t j = sim_below(s, s->n_jobs), attempt = s->jobs[j].attempt + sim_below(s, 2) * sim_below(s, 3);
    for (uint32_t k = 0; k < s->n_jobs; k++)
        if (s->jobs[k].prover == liar && sim_chance(s, 70)) j = k, attempt = s->jobs[k].attempt;
    uint32_t which = sim_below(s, 10);
    uint8_t proof = which < 3 ? SIM_PROOF_VALID : which < 7 ? SIM_PROOF_INVALID : SIM_PROOF_WITHHELD;
    pr_subject subject = sim_jobs_subject(s, j, attempt, liar, proof);
    if (proof != SIM_PROOF_VALID) subject.proof_hash.bytes[1] = (uint8_t)sim_below(s, 4);
    if (proof == SIM_PROOF_VALID && s->weather.second_proofs) subject.proof_hash.bytes[1] ^= (uint8_t)sim_below(s, 4);
    if (which == 6) subject.statement.bytes[0] ^= 1;
    return subject;
}

static void announce(sim *s, uint32_t liar) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message m = {.kind = PR_MESSAGE_ANNOUNCE, .subject = own_subject(s, liar)};
    size_t size = seal(s, bytes, &m, liar);
    sim_liar_note(s, bytes, size);
    tell_some(s, liar, bytes, size);
}

static void propose(sim *s, uint32_t liar) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    uint32_t k = any_subject(s);
    pr_message m = {.kind = PR_MESSAGE_PROPOSE, .view = any_view(s), .subject = s->subjects[k]};
    memcpy(m.announcement, s->announcements[k], PR_SIGNATURE_BYTES);
    if (sim_chance(s, 10)) m.announcement[sim_below(s, PR_SIGNATURE_BYTES)] ^= 1;
    tell_some(s, liar, bytes, seal(s, bytes, &m, liar));
}

static void name_absent(sim *s, uint32_t liar) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message m = {.kind = PR_MESSAGE_ABSENCE,
                    .view = any_view(s),
                    .subject = s->subjects[any_subject(s)],
                    .absent = sim_below(s, s->n)};
    tell_some(s, liar, bytes, seal(s, bytes, &m, liar));
}

static void want_view(sim *s, uint32_t liar) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message m = {.kind = PR_MESSAGE_VIEW_CHANGE, .view = any_view(s) + 1 + sim_below(s, 3)};
    tell_some(s, liar, bytes, seal(s, bytes, &m, liar));
}

static void ask(sim *s, uint32_t liar) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message m = {.kind = PR_MESSAGE_STATUS, .view = any_view(s), .removed_mark = sim_below(s, s->n + 1)};
    m.subject.job = s->jobs[sim_below(s, s->n_jobs)].name;
    tell_some(s, liar, bytes, seal(s, bytes, &m, liar));
}

/* What somebody said, once more, perhaps to somebody else. */
static void replay(sim *s, uint32_t liar) {
    const sim_record *r = any_recent(s);
    if (r) tell_some(s, liar, r->data, r->size);
}

/* What somebody said, changed: another view, job, signer, verdict, or any byte. The signature is not its own. */
static void forge(sim *s, uint32_t liar) {
    uint8_t bytes[16384];
    const sim_record *r = any_recent(s);
    if (!r || r->size > sizeof bytes) return;
    memcpy(bytes, r->data, r->size);
    for (uint32_t n = 1 + sim_below(s, 3); n > 0; n--)
        bytes[sim_below(s, (uint32_t)r->size)] ^= (uint8_t)(1u << sim_below(s, 8));
    tell_some(s, liar, bytes, r->size);
}

/* A vote in the name of somebody honest, signed with the liar's key. */
static void impersonate(sim *s, uint32_t liar) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message m = {.kind = PR_MESSAGE_VOTE, .view = any_view(s), .subject = s->subjects[any_subject(s)]};
    m.verdict = sim_chance(s, 50) ? PR_VOTE_APPROVE : PR_VOTE_REJECT;
    m.reason = m.verdict == PR_VOTE_APPROVE ? PR_VOTE_REASON_NONE : PR_VOTE_REASON_INVALID;
    tell_some(s, liar, bytes, seal_for(s, bytes, &m, sim_below(s, s->n), liar, &s->terms.run));
}

/* Honest nodes have voted, proposed and asked for views in other runs with the same keys. */
static void replay_run(sim *s, uint32_t liar) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    uint32_t victim = sim_below(s, s->n), which = sim_below(s, 3);
    pr_hash run = pr_blake2s_hash("another", 7);
    pr_message m = {.kind = which == 0 ? PR_MESSAGE_VIEW_CHANGE : which == 1 ? PR_MESSAGE_VOTE : PR_MESSAGE_ANNOUNCE};
    m.view = which == 2 ? 0 : any_view(s) + (which == 0);
    m.subject = s->subjects[any_subject(s)];
    if (which == 1) m.verdict = PR_VOTE_REJECT, m.reason = PR_VOTE_REASON_INVALID;
    if (which == 1 && m.subject.prover == victim) return;
    if (which == 2) m.subject.prover = victim, m.subject.proof_hash.bytes[0] = SIM_PROOF_INVALID;
    tell_some(s, liar, bytes, seal_for(s, bytes, &m, victim, victim, &run));
}

static void flood(sim *s, uint32_t liar) {
    for (int k = 0; k < 20; k++) {
        uint8_t bytes[PR_MESSAGE_MAX_BYTES];
        pr_message m = {.kind = PR_MESSAGE_VOTE, .view = any_view(s), .subject = s->subjects[any_subject(s)]};
        m.verdict = PR_VOTE_APPROVE;
        m.attestation = (pr_attestation){.kind = PR_ATTESTATION_TPM, .size = PR_ATTESTATION_MAX_BYTES};
        if (k % 2) m.subject.job = pr_blake2s_hash(&s->n_events, sizeof s->n_events);
        if (k % 4 == 2) m.subject.attempt += 1 + sim_below(s, 1000);
        if (k % 8 == 7) m.kind = PR_MESSAGE_ANNOUNCE, m.view = 0, m.subject.prover = liar;
        if (m.kind == PR_MESSAGE_VOTE && m.subject.prover == liar) continue;
        tell(s, liar, sim_below(s, s->n), bytes, seal(s, bytes, &m, liar));
    }
}

/* Evidence that is none: a true vote called a lie, two votes of different views, honest words with a changed byte. */
static void slander(sim *s, uint32_t liar) {
    const sim_record *r = any_recent(s), *other = any_recent(s);
    pr_message m;
    if (!r || pr_message_decode(&m, r->data, r->size, NULL) != PR_OK) return;
    pr_writer w;
    pr_writer_init(&w);
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    if (sim_chance(s, 50)) { /* its own version of the same words, in the other's name */
        if (m.kind == PR_MESSAGE_VOTE) {
            m.verdict = m.verdict == PR_VOTE_APPROVE ? PR_VOTE_REJECT : PR_VOTE_APPROVE;
            m.reason = m.verdict == PR_VOTE_APPROVE ? PR_VOTE_REASON_NONE : PR_VOTE_REASON_INVALID;
        } else {
            m.subject.proof_hash.bytes[3] ^= 1;
        }
        uint32_t victim = m.signer;
        pr_crypto crypto = sim_crypto(&s->nodes[liar]);
        if (!pr_message_sign(&m, &crypto)) return;
        size_t size = pr_message_encode(bytes, &m);
        pr_evidence_write(&w, PR_EVIDENCE_EQUIVOCATION, victim, r->data, r->size, bytes, size);
    } else if (m.kind == PR_MESSAGE_VOTE) {
        pr_evidence_write(&w, PR_EVIDENCE_WRONG_VOTE, m.signer, r->data, r->size, NULL, 0);
    } else if (m.kind == PR_MESSAGE_ANNOUNCE) {
        pr_evidence_write(&w, PR_EVIDENCE_INVALID_PROOF, m.signer, r->data, r->size, NULL, 0);
    } else {
        pr_evidence_write(&w, PR_EVIDENCE_EQUIVOCATION, m.signer, r->data, r->size, other->data, other->size);
    }
    if (!w.failed) tell_some(s, liar, w.data, w.size);
    pr_writer_clear(&w);
}

/* What an honest node has signed in another run, as if it were of this one. */
static void slander_from_elsewhere(sim *s, uint32_t liar) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    uint32_t victim = sim_below(s, s->n);
    pr_hash run = pr_blake2s_hash("another", 7);
    pr_message m = {.kind = PR_MESSAGE_ANNOUNCE, .subject = s->subjects[any_subject(s)]};
    m.subject.prover = victim;
    m.subject.proof_hash.bytes[0] = SIM_PROOF_INVALID;
    pr_writer w;
    pr_writer_init(&w);
    size_t size = seal_for(s, bytes, &m, victim, victim, &run);
    pr_evidence_write(&w, PR_EVIDENCE_INVALID_PROOF, victim, bytes, size, NULL, 0);
    if (!w.failed) tell_some(s, liar, w.data, w.size);
    pr_writer_clear(&w);
}

/* All the honest ones, or nobody: for a list of those to be left out. */
static void write_honest(pr_writer *w, const sim *s, bool all) {
    pr_write_u32(w, all ? s->n - s->n_faulty : 0);
    for (uint32_t i = 0; i < s->n && all; i++)
        if (!s->nodes[i].faulty) pr_write_u32(w, i);
}

/* Somebody honest, or nobody, is absent by the word of all liars. */
static void write_absence(pr_writer *w, sim *s, const pr_subject *subject, uint64_t view) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    uint32_t absent = sim_below(s, s->n);
    bool any = sim_chance(s, 30) && absent != subject->prover;
    pr_write_u32(w, any);
    if (!any) return;
    pr_write_u32(w, absent);
    pr_write_u32(w, s->n_faulty);
    for (uint32_t i = 0; i < s->n; i++) {
        if (!s->nodes[i].faulty) continue;
        pr_message m = {.kind = PR_MESSAGE_ABSENCE, .view = view, .subject = *subject, .absent = absent};
        seal(s, bytes, &m, i);
        pr_write_u32(w, i);
        pr_write_bytes(w, m.signature, PR_SIGNATURE_BYTES);
    }
}

/* A certificate for a proof of its choice, of its own vote and of others' in its own hand. */
static void certify(sim *s, uint32_t liar) {
    pr_subject subject = s->subjects[any_subject(s)];
    if (sim_chance(s, 50)) subject = own_subject(s, liar);
    uint64_t view = any_view(s);
    pr_writer w;
    pr_writer_init(&w);
    uint32_t first = sim_below(s, s->n), voters = 0, forged = sim_below(s, 2), named = sim_below(s, 3);
    uint32_t times = 1 + sim_below(s, 2) * 2; /* three votes of each liar would be enough */
    pr_certificate_write_head(&w, &(pr_certificate_head){s->terms.run, view, s->n, &subject});
    if (named == 0) {
        pr_write_u32(&w, 1);
        pr_write_u32(&w, first);
    } else {
        write_honest(&w, s, named == 1);
    }
    write_absence(&w, s, &subject, view);
    for (uint32_t i = 0; i < s->n; i++) voters += i != subject.prover && (s->nodes[i].faulty || forged);
    pr_write_u32(&w, voters * times);
    for (uint32_t i = 0; i < s->n; i++) {
        if (i == subject.prover || (!s->nodes[i].faulty && !forged)) continue;
        pr_message m = {.kind = PR_MESSAGE_VOTE, .view = view, .subject = subject, .verdict = PR_VOTE_APPROVE};
        uint8_t bytes[PR_MESSAGE_MAX_BYTES];
        seal_for(s, bytes, &m, i, s->nodes[i].faulty ? i : liar, &s->terms.run);
        for (uint32_t k = 0; k < times; k++) pr_certificate_write_vote(&w, &m);
    }
    if (!w.failed) tell_some(s, liar, w.data, w.size);
    pr_writer_clear(&w);
}

/* A view that nobody but the liars wants, or that everybody wanted in another run. */
static void certify_view(sim *s, uint32_t liar) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    bool other_run = sim_chance(s, 30), forged = sim_chance(s, 30);
    uint32_t times = 1 + sim_below(s, 2) * 2, signers = other_run || forged ? s->n : s->n_faulty;
    pr_message m = {.kind = PR_MESSAGE_VIEW_CHANGE, .view = any_view(s) + 1};
    pr_writer w;
    pr_writer_init(&w);
    pr_write_u8(&w, PR_CONSENSUS_VERSION);
    pr_write_u8(&w, PR_MESSAGE_VIEW_CERTIFICATE);
    pr_hash run = other_run ? pr_blake2s_hash("another", 7) : s->terms.run;
    pr_write_bytes(&w, run.bytes, sizeof run.bytes);
    pr_write_u64(&w, m.view);
    pr_write_u32(&w, s->n);
    write_honest(&w, s, sim_chance(s, 30));
    pr_write_u32(&w, signers * times);
    for (uint32_t i = 0; i < s->n; i++) {
        if (!other_run && !forged && !s->nodes[i].faulty) continue;
        seal_for(s, bytes, &m, i, forged ? liar : i, &run);
        for (uint32_t k = 0; k < times; k++) {
            pr_write_u32(&w, i);
            pr_write_bytes(&w, m.signature, PR_SIGNATURE_BYTES);
        }
    }
    if (!w.failed) tell_some(s, liar, w.data, w.size);
    pr_writer_clear(&w);
}

static void sign_other_batch(sim *s, uint32_t liar) {
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    pr_message m = {.kind = PR_MESSAGE_BATCH, .root = s->terms.seed, .n_leaves = s->n_jobs};
    tell_some(s, liar, bytes, seal(s, bytes, &m, liar));
}

/* Keeps every job busy with proofs of its own that nobody can get, the next one before patience with the last one ends,
 * proposed by itself where it leads. Or with good ones, of which it tells half of the others alone: those vote on them,
 * and are missed where the rest votes. */
static void stall(sim *s, uint32_t liar) {
    uint64_t view = any_view(s);
    uint32_t step = s->weather.halving ? 2 : 1;
    for (uint32_t j = 0; j < s->n_jobs; j++) {
        uint8_t bytes[PR_MESSAGE_MAX_BYTES];
        uint32_t attempt = s->jobs[j].attempt + (uint32_t)s->lies;
        pr_message first = {.kind = PR_MESSAGE_ANNOUNCE};
        first.subject =
            sim_jobs_subject(s, j, attempt, liar, s->weather.halving ? SIM_PROOF_VALID : SIM_PROOF_WITHHELD);
        size_t size = seal(s, bytes, &first, liar);
        for (uint32_t to = s->weather.halving; to < s->n; to += step) tell(s, liar, to, bytes, size);
        pr_message proposal = {.kind = PR_MESSAGE_PROPOSE, .view = view, .subject = first.subject};
        memcpy(proposal.announcement, first.signature, PR_SIGNATURE_BYTES);
        size = seal(s, bytes, &proposal, liar);
        for (uint32_t to = s->weather.halving; to < s->n; to += step) tell(s, liar, to, bytes, size);
    }
}

/* One attempt after the other, far more than a scheduler gives, up to the highest number that there is, with what may
 * be put on record: announced, perhaps proposed as if it led, somebody said to be absent. */
static void climb(sim *s, uint32_t liar) {
    uint64_t view = any_view(s);
    uint32_t j = sim_below(s, s->n_jobs), first = s->jobs[j].attempt + 24 * (uint32_t)s->lies;
    if (sim_chance(s, 20)) first = UINT32_MAX - 23;
    bool leads = sim_chance(s, 50);
    for (uint32_t k = 0; k < 24; k++) {
        uint8_t bytes[PR_MESSAGE_MAX_BYTES];
        uint32_t attempt = first + k;
        pr_message m = {.kind = PR_MESSAGE_ANNOUNCE,
                        .subject = sim_jobs_subject(s, j, attempt, liar, SIM_PROOF_WITHHELD)};
        tell_some(s, liar, bytes, seal(s, bytes, &m, liar));
        memcpy(m.announcement, m.signature, PR_SIGNATURE_BYTES);
        m.kind = PR_MESSAGE_PROPOSE;
        m.view = view;
        if (leads) tell_some(s, liar, bytes, seal(s, bytes, &m, liar));
        m.kind = PR_MESSAGE_ABSENCE;
        m.absent = sim_below(s, s->n);
        tell_some(s, liar, bytes, seal(s, bytes, &m, liar));
    }
}

void sim_liar_lie(sim *s, uint32_t liar) {
    static void (*const lies[])(sim *, uint32_t) = {
        vote,
        vote,
        vote,
        announce,
        announce,
        announce,
        propose,
        propose,
        name_absent,
        name_absent,
        replay,
        impersonate,
        replay_run,
        flood,
        slander,
        slander,
        slander_from_elsewhere,
        certify,
        certify_view,
        sign_other_batch,
        want_view,
        ask,
        forge,
    };
    s->lies++;
    if (s->weather.stalling)
        stall(s, liar);
    else if (s->weather.climbing)
        climb(s, liar);
    else if (s->n_subjects == 0)
        announce(s, liar);
    else
        lies[sim_below(s, sizeof lies / sizeof *lies)](s, liar);
}
