#include "store/ballot.h"
#include "consensus/batch.h"
#include "consensus/consensus.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PR_VIEW_HEAD_BYTES 46u  /* of a view certificate, before the list of signatures */
#define PR_BATCH_HEAD_BYTES 78u /* of a batch certificate */

typedef struct ballot { /* a record, decoded; borrows */
    pr_consensus_record kind;
    uint64_t time_ns;
    const uint8_t *body;
    size_t size;
    union {
        pr_message message;
        pr_certificate certificate;
        pr_evidence evidence;
        uint64_t view;
        struct {
            pr_subject subject;
            uint64_t view;
            uint32_t outcome;
        } end;
    } as;
} ballot;

/* ---- decoding ---- */

static bool decode_outcome(ballot *b) {
    pr_reader r;
    pr_reader_init(&r, b->body, b->size);
    pr_subject_read(&r, &b->as.end.subject);
    b->as.end.view = pr_read_u64(&r);
    b->as.end.outcome = pr_read_u8(&r);
    return pr_reader_done(&r) && b->as.end.outcome < PR_ROUND_OUTCOMES;
}

static bool decode(ballot *b, uint64_t time_ns, const uint8_t *record, size_t size) {
    b->kind = (pr_consensus_record)pr_consensus_record_kind(record, size);
    b->time_ns = time_ns;
    b->body = record + 1;
    b->size = size ? size - 1 : 0;
    switch (b->kind) {
    case PR_CONSENSUS_RECORD_VALIDATOR:
        return b->size == PR_PUBLIC_KEY_BYTES + 8;
    case PR_CONSENSUS_RECORD_MESSAGE:
        return pr_message_decode(&b->as.message, b->body, b->size, NULL) == PR_OK;
    case PR_CONSENSUS_RECORD_VIEW:
        return pr_view_certificate_check(&b->as.view, b->body, b->size, NULL, NULL, NULL, NULL) == PR_OK;
    case PR_CONSENSUS_RECORD_CERTIFICATE:
        return pr_certificate_decode(&b->as.certificate, b->body, b->size, NULL) == PR_OK;
    case PR_CONSENSUS_RECORD_EVIDENCE:
        return pr_evidence_decode(&b->as.evidence, b->body, b->size, NULL) == PR_OK;
    case PR_CONSENSUS_RECORD_OUTCOME:
        return decode_outcome(b);
    case PR_CONSENSUS_RECORD_AWAY:
        return b->size == PR_AWAY_BYTES;
    case PR_CONSENSUS_RECORDS:
        break;
    }
    return false;
}

bool pr_ballot_is_record(const uint8_t *record, size_t size) {
    ballot b;
    return decode(&b, 0, record, size);
}

bool pr_ballot_is_batch(const uint8_t *certificate, size_t size) {
    pr_hash root;
    uint64_t leaves;
    return pr_batch_certificate_check(&root, &leaves, certificate, size, NULL, NULL, NULL, NULL) == PR_OK;
}

/* ---- in words ---- */

static void describe_subject(char *out, size_t size, const pr_subject *s, uint64_t view) {
    char proof[65];
    pr_hex_encode(proof, s->proof_hash.bytes, sizeof s->proof_hash.bytes);
    snprintf(out, size, ", attempt %u, view %llu, proof %s", s->attempt, (unsigned long long)view, proof);
}

static int describe_message(char *out, size_t size, const pr_message *m) {
    const char *verdict = m->kind != PR_MESSAGE_VOTE      ? ""
                          : m->verdict == PR_VOTE_APPROVE ? " to approve"
                                                          : " to reject";
    return snprintf(out, size, "%s%s of validator %u", pr_message_kind_name(m->kind), verdict, m->signer);
}

static void describe(char *out, size_t size, const ballot *b) {
    pr_reader r;
    const pr_subject *subject = NULL;
    uint64_t view = 0;
    int n = 0;
    pr_reader_init(&r, b->body, b->size);
    switch (b->kind) {
    case PR_CONSENSUS_RECORD_VALIDATOR:
        (void)pr_read_borrow(&r, PR_PUBLIC_KEY_BYTES);
        n = snprintf(out, size, "validator of stake %llu", (unsigned long long)pr_read_u64(&r));
        break;
    case PR_CONSENSUS_RECORD_MESSAGE:
        n = describe_message(out, size, &b->as.message);
        if (b->as.message.kind <= PR_MESSAGE_ABSENCE) subject = &b->as.message.subject;
        view = b->as.message.view;
        break;
    case PR_CONSENSUS_RECORD_VIEW:
        n = snprintf(out, size, "view certificate, view %llu", (unsigned long long)b->as.view);
        break;
    case PR_CONSENSUS_RECORD_CERTIFICATE:
        n = snprintf(out, size, "certificate");
        subject = &b->as.certificate.subject;
        view = b->as.certificate.view;
        break;
    case PR_CONSENSUS_RECORD_EVIDENCE:
        n = snprintf(out, size, "evidence of %s against validator %u", pr_evidence_kind_name(b->as.evidence.kind),
                     b->as.evidence.offender);
        break;
    case PR_CONSENSUS_RECORD_OUTCOME:
        n = snprintf(out, size, "outcome %s", pr_round_outcome_name((pr_round_outcome)b->as.end.outcome));
        subject = &b->as.end.subject;
        view = b->as.end.view;
        break;
    case PR_CONSENSUS_RECORD_AWAY:
        n = snprintf(out, size, "validator %u is away", pr_read_u32(&r));
        break;
    case PR_CONSENSUS_RECORDS:
        break;
    }
    if (subject && n >= 0 && (size_t)n < size) describe_subject(out + n, size - (size_t)n, subject, view);
}

void pr_store_describe_consensus(char *out, size_t size, const uint8_t *record, size_t record_size) {
    ballot b;
    out[0] = 0;
    if (decode(&b, 0, record, record_size)) describe(out, size, &b);
}

void pr_store_describe_batch(char *out, size_t size, const uint8_t *certificate, size_t certificate_size) {
    pr_hash root;
    uint64_t leaves;
    out[0] = 0;
    if (pr_batch_certificate_check(&root, &leaves, certificate, certificate_size, NULL, NULL, NULL, NULL) == PR_OK)
        snprintf(out, size, "certificate over %llu outcomes", (unsigned long long)leaves);
}

/* ---- names of jobs ---- */

static pr_named_job *place_of(const pr_product *p, const pr_hash *name) {
    uint64_t h;
    memcpy(&h, name->bytes, sizeof h);
    size_t i = (size_t)h & (p->name_capacity - 1);
    while (p->names[i].id[0] && !pr_hash_equal(&p->names[i].name, name)) i = (i + 1) & (p->name_capacity - 1);
    return &p->names[i];
}

static pr_named_job *find_named(const pr_product *p, const pr_hash *name) {
    pr_named_job *j = p->name_capacity ? place_of(p, name) : NULL;
    return j && j->id[0] ? j : NULL;
}

static pr_status grow_names(pr_product *p, pr_error *err) {
    if (2 * (p->n_names + 1) < p->name_capacity) return PR_OK;
    pr_named_job *old = p->names;
    size_t n = p->name_capacity, room = n ? 2 * n : 64;
    pr_named_job *fresh = calloc(room, sizeof *fresh);
    if (!fresh) return pr_fail(err, PR_ERR_MEMORY, "%s: out of memory for names of jobs", p->path);
    p->names = fresh;
    p->name_capacity = room;
    for (size_t i = 0; i < n; i++)
        if (old[i].id[0]) *place_of(p, &old[i].name) = old[i];
    free(old);
    return PR_OK;
}

pr_status pr_product_name_job(pr_product *p, const char *id, pr_error *err) {
    pr_hash name = pr_job_name(id);
    if (!id[0] || find_named(p, &name)) return PR_OK;
    PR_TRY(grow_names(p, err));
    pr_named_job *j = place_of(p, &name);
    j->name = name;
    snprintf(j->id, sizeof j->id, "%s", id);
    p->n_names++;
    return PR_OK;
}

pr_status pr_product_assign(pr_product *p, const char *id, uint32_t attempt, pr_error *err) {
    pr_hash name = pr_job_name(id);
    PR_TRY(pr_product_name_job(p, id, err));
    pr_named_job *j = find_named(p, &name);
    if (j && attempt > j->last_assigned) j->last_assigned = attempt;
    return PR_OK;
}

uint32_t pr_product_last_assigned(const pr_product *p, const char *id) {
    pr_hash name = pr_job_name(id);
    const pr_named_job *j = find_named(p, &name);
    return j ? j->last_assigned : 0;
}

static void write_hash(char out[65], const pr_hash *h) { pr_hex_encode(out, h->bytes, sizeof h->bytes); }

static void write_job(char id[128], const pr_product *p, const pr_hash *name) {
    const pr_named_job *j = find_named(p, name);
    char hex[65];
    write_hash(hex, name);
    snprintf(id, 128, "%s", j ? j->id : hex);
}

/* ---- rows ---- */

static pr_status add_row(pr_product *p, pr_vote_table table, const void *row, pr_error *err) {
    return pr_product_row(p, (pr_place)(PR_TABLE_VOTES + (int)table), row, err);
}

static pr_status add_bytes(pr_product *p, const ballot *b, uint64_t *offset, uint64_t *length, pr_error *err) {
    *length = b->size;
    return pr_product_bytes(p, PR_BLOB_SIGNED, offset, b->body, b->size, err);
}

static uint32_t u32_at(const uint8_t *data) {
    pr_reader r;
    pr_reader_init(&r, data, 4);
    return pr_read_u32(&r);
}

static pr_status put_validator(pr_product *p, const ballot *b, pr_error *err) {
    pr_validator_row row = {.registered_ns = b->time_ns};
    pr_reader r;
    pr_reader_init(&r, b->body + PR_PUBLIC_KEY_BYTES, 8);
    row.stake = pr_read_u64(&r);
    snprintf(row.id, sizeof row.id, "%u", p->n_validators);
    pr_hex_encode(row.public_key, b->body, PR_PUBLIC_KEY_BYTES);
    pr_validator_row *grown = realloc(p->validators, (p->n_validators + 1) * sizeof *grown);
    if (!grown) return pr_fail(err, PR_ERR_MEMORY, "%s: out of memory for validators", p->path);
    p->validators = grown;
    grown[p->n_validators++] = row;
    return add_row(p, PR_VOTES_VALIDATORS, &row, err);
}

/* NULL: its registration is lost with a damaged part of the journal. */
static pr_validator_row *find_validator(const pr_product *p, uint32_t index) {
    return index < p->n_validators ? &p->validators[index] : NULL;
}

static pr_status rewrite_validator(pr_product *p, uint32_t index, pr_error *err) {
    return pr_product_replace(p, (pr_place)(PR_TABLE_VOTES + PR_VOTES_VALIDATORS), index, &p->validators[index], err);
}

static pr_status put_away(pr_product *p, const ballot *b, pr_error *err) {
    uint32_t index = u32_at(b->body);
    pr_validator_row *row = find_validator(p, index);
    if (!row) return PR_OK;
    pr_reader r;
    pr_reader_init(&r, b->body + 4, b->size - 4);
    row->away_sets |= pr_read_u64(&r);
    row->sessions_away++;
    return rewrite_validator(p, index, err);
}

static pr_status put_vote(pr_product *p, const ballot *b, pr_error *err) {
    const pr_message *m = &b->as.message;
    pr_vote_row row = {.attempt = m->subject.attempt,
                       .view = m->view,
                       .signer = m->signer,
                       .prover = m->subject.prover,
                       .verdict = m->verdict,
                       .reason = m->reason,
                       .attestation = m->attestation.kind,
                       .attestation_verified = m->attestation.verified,
                       .time_ns = b->time_ns};
    write_job(row.id, p, &m->subject.job);
    write_hash(row.statement_digest, &m->subject.statement);
    write_hash(row.proof_hash, &m->subject.proof_hash);
    PR_TRY(add_bytes(p, b, &row.offset, &row.length, err));
    return add_row(p, PR_VOTES_VOTES, &row, err);
}

static pr_status put_message(pr_product *p, const ballot *b, pr_error *err) {
    const pr_message *m = &b->as.message;
    if (m->kind == PR_MESSAGE_VOTE) return put_vote(p, b, err);
    pr_named_job *j = m->kind == PR_MESSAGE_ANNOUNCE ? find_named(p, &m->subject.job) : NULL;
    if (j && m->subject.attempt != j->announced_attempt) {
        j->announced_attempt = m->subject.attempt;
        j->announced_ns = b->time_ns;
    }
    return PR_OK;
}

static pr_status put_certificate(pr_product *p, const ballot *b, pr_error *err) {
    const pr_certificate *c = &b->as.certificate;
    pr_certificate_row row = {.attempt = c->subject.attempt,
                              .view = c->view,
                              .prover = c->subject.prover,
                              .n_validators = c->n_validators,
                              .n_votes = c->n_votes,
                              .n_absent = c->n_absent,
                              .n_removed = c->n_removed,
                              .time_ns = b->time_ns};
    write_job(row.id, p, &c->subject.job);
    write_hash(row.statement_digest, &c->subject.statement);
    write_hash(row.proof_hash, &c->subject.proof_hash);
    PR_TRY(add_bytes(p, b, &row.offset, &row.length, err));
    return add_row(p, PR_VOTES_CERTIFICATES, &row, err);
}

/* The counts of a list of signatures, whose shape is known to be right. */
static void count_signatures(const uint8_t *list, size_t size, uint32_t *n_removed, uint32_t *n_signers) {
    pr_reader r;
    pr_reader_init(&r, list, size);
    *n_removed = pr_read_u32(&r);
    (void)pr_read_borrow(&r, 4 * (size_t)*n_removed);
    *n_signers = pr_read_u32(&r);
}

/* Nothing but a timeout begins a view: where a leader is removed the next one takes over within the same. */
pr_status pr_store_read_view(pr_view_row *row, const uint8_t *certificate, size_t size, pr_error *err) {
    uint64_t view;
    *row = (pr_view_row){.reason = "timeout"};
    PR_TRY(pr_view_certificate_check(&view, certificate, size, NULL, NULL, NULL, err));
    row->leader = pr_view_certificate_leader(certificate, size);
    snprintf(row->id, sizeof row->id, "%llu", (unsigned long long)view);
    row->n_validators = u32_at(certificate + PR_VIEW_HEAD_BYTES - 4);
    count_signatures(certificate + PR_VIEW_HEAD_BYTES, size - PR_VIEW_HEAD_BYTES, &row->n_removed, &row->n_signers);
    return PR_OK;
}

static pr_status put_view(pr_product *p, const ballot *b, pr_error *err) {
    pr_view_row row;
    PR_TRY(pr_store_read_view(&row, b->body, b->size, err));
    row.time_ns = b->time_ns;
    PR_TRY(add_bytes(p, b, &row.offset, &row.length, err));
    return add_row(p, PR_VOTES_VIEWS, &row, err);
}

static pr_status put_evidence(pr_product *p, const ballot *b, pr_error *err) {
    const pr_evidence *e = &b->as.evidence;
    pr_validator_row *offender = find_validator(p, e->offender);
    pr_evidence_row row = {
        .kind = e->kind, .offender = e->offender, .attempt = e->subject.attempt, .time_ns = b->time_ns};
    write_job(row.id, p, &e->subject.job);
    write_hash(row.proof_hash, &e->subject.proof_hash);
    PR_TRY(add_bytes(p, b, &row.offset, &row.length, err));
    PR_TRY(add_row(p, PR_VOTES_EVIDENCE, &row, err));
    if (!offender || offender->removal != PR_REMOVAL_NONE) return PR_OK; /* the first reason stays */
    offender->removal = e->removal;
    offender->removed_ns = b->time_ns;
    return rewrite_validator(p, e->offender, err);
}

static pr_status put_outcome(pr_product *p, const ballot *b, pr_error *err) {
    const pr_subject *s = &b->as.end.subject;
    const pr_named_job *j = find_named(p, &s->job);
    pr_round_row row = {.attempt = s->attempt,
                        .outcome = b->as.end.outcome,
                        .view = b->as.end.view,
                        .prover = s->prover,
                        .decided_ns = b->time_ns};
    if (j && j->announced_attempt == s->attempt) row.announced_ns = j->announced_ns;
    write_job(row.id, p, &s->job);
    write_hash(row.statement_digest, &s->statement);
    write_hash(row.proof_hash, &s->proof_hash);
    return add_row(p, PR_VOTES_ROUNDS, &row, err);
}

pr_status pr_ballot_put(pr_product *p, uint64_t time_ns, const uint8_t *record, size_t size, pr_error *err) {
    ballot b;
    if (!decode(&b, time_ns, record, size))
        return pr_fail(err, PR_ERR_MALFORMED, "%s: a record of the consensus does not decode", p->path);
    p->n_ballots++;
    switch (b.kind) {
    case PR_CONSENSUS_RECORD_VALIDATOR:
        return put_validator(p, &b, err);
    case PR_CONSENSUS_RECORD_MESSAGE:
        return put_message(p, &b, err);
    case PR_CONSENSUS_RECORD_VIEW:
        return put_view(p, &b, err);
    case PR_CONSENSUS_RECORD_CERTIFICATE:
        return put_certificate(p, &b, err);
    case PR_CONSENSUS_RECORD_EVIDENCE:
        return put_evidence(p, &b, err);
    case PR_CONSENSUS_RECORD_OUTCOME:
        return put_outcome(p, &b, err);
    case PR_CONSENSUS_RECORD_AWAY:
        return put_away(p, &b, err);
    case PR_CONSENSUS_RECORDS:
        break;
    }
    return PR_OK;
}

pr_status pr_store_read_batch(pr_batch_row *row, const uint8_t *certificate, size_t size, pr_error *err) {
    pr_hash root;
    memset(row, 0, sizeof *row);
    PR_TRY(pr_batch_certificate_check(&root, &row->leaves, certificate, size, NULL, NULL, NULL, err));
    write_hash(row->id, &root);
    row->n_validators = u32_at(certificate + 34); /* behind version, kind and run */
    count_signatures(certificate + PR_BATCH_HEAD_BYTES, size - PR_BATCH_HEAD_BYTES, &row->n_removed, &row->n_signers);
    return PR_OK;
}

pr_status pr_ballot_put_batch(pr_product *p, uint64_t time_ns, const uint8_t *certificate, size_t size, pr_error *err) {
    const ballot b = {.time_ns = time_ns, .body = certificate, .size = size};
    pr_batch_row row;
    PR_TRY(pr_store_read_batch(&row, certificate, size, err));
    row.time_ns = time_ns;
    PR_TRY(add_bytes(p, &b, &row.offset, &row.length, err));
    return add_row(p, PR_VOTES_BATCHES, &row, err);
}
