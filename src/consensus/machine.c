/* Life of the machine, jobs by name, and how actions leave it. */
#include "consensus/internal.h"
#include <stdlib.h>
#include <string.h>

/* ---- bytes ---- */

void pr_kept_clear(pr_kept *blob) {
    free(blob->data);
    *blob = (pr_kept){0};
}

bool pr_kept_set(pr_kept *blob, const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size ? size : 1);
    if (copy) memcpy(copy, data, size);
    pr_kept_clear(blob);
    *blob = (pr_kept){copy, copy ? size : 0};
    return copy != NULL;
}

pr_kept pr_kept_take(pr_writer *w) {
    if (w->failed) pr_writer_clear(w);
    pr_kept blob = {w->data, w->size};
    *w = (pr_writer){0};
    return blob;
}

/* ---- actions ---- */

void pr_machine_emit(pr_consensus *c, const pr_consensus_action *action) {
    bool early = action->kind == PR_CONSENSUS_PERSIST || action->kind == PR_CONSENSUS_METRIC;
    if (c->started || (early && !c->restoring)) c->sink.act(c->sink.context, action);
}

void pr_machine_count(pr_consensus *c, pr_consensus_metric metric, uint32_t label) {
    pr_machine_emit(c, &(pr_consensus_action){.kind = PR_CONSENSUS_METRIC, .metric = metric, .label = label});
}

void pr_machine_refuse(pr_consensus *c, pr_refusal why) { pr_machine_count(c, PR_COUNT_REFUSED, why); }

void pr_machine_persist(pr_consensus *c, pr_consensus_record kind, const uint8_t *data, size_t size) {
    pr_writer w;
    pr_writer_init(&w);
    pr_write_u8(&w, (uint8_t)kind);
    pr_write_bytes(&w, data, size);
    PR_ASSERT(!w.failed); /* to go on without a record would break a promise; a record is a few KiB */
    pr_machine_emit(c, &(pr_consensus_action){.kind = PR_CONSENSUS_PERSIST, .data = w.data, .size = w.size});
    pr_writer_clear(&w);
}

void pr_machine_send(pr_consensus *c, uint32_t to, const pr_kept *bytes) {
    if (to >= c->registry.n || to == c->self || !bytes->data) return;
    pr_machine_emit(
        c, &(pr_consensus_action){.kind = PR_CONSENSUS_SEND, .to = to, .data = bytes->data, .size = bytes->size});
}

void pr_machine_broadcast(pr_consensus *c, const uint8_t *data, size_t size) {
    if (data) pr_machine_emit(c, &(pr_consensus_action){.kind = PR_CONSENSUS_BROADCAST, .data = data, .size = size});
}

bool pr_machine_is_active(const pr_consensus *c) { return pr_registry_is_active(&c->registry, c->self); }

bool pr_machine_sign(pr_consensus *c, uint8_t out[PR_MESSAGE_MAX_BYTES], size_t *size, pr_message *m) {
    if (!pr_machine_is_active(c)) return false;
    m->run = c->config.terms.run;
    m->signer = c->self;
    if (m->kind != PR_MESSAGE_ANNOUNCE) m->n_validators = c->registry.n;
    if (!pr_message_sign(m, &c->crypto)) return false;
    *size = pr_message_encode(out, m);
    return true;
}

size_t pr_machine_announcement(const pr_consensus *c, uint8_t out[PR_MESSAGE_MAX_BYTES], pr_message *m,
                               const pr_subject *subject, const uint8_t signature[PR_SIGNATURE_BYTES]) {
    *m = (pr_message){
        .kind = PR_MESSAGE_ANNOUNCE, .run = c->config.terms.run, .signer = subject->prover, .subject = *subject};
    memcpy(m->signature, signature, PR_SIGNATURE_BYTES);
    return pr_message_encode(out, m);
}

/* ---- life ---- */

static pr_status check_config(const pr_consensus_config *f, pr_error *err) {
    if (f->terms.committee_size > PR_COMMITTEE_MAX)
        return pr_fail(err, PR_ERR_USAGE, "committee of %u: at most %u are allowed", f->terms.committee_size,
                       PR_COMMITTEE_MAX);
    if (f->round_timeout_ms == 0 || f->view_timeout_ms == 0 || f->max_open_rounds == 0)
        return pr_fail(err, PR_ERR_USAGE, "round timeout, view timeout and open rounds must be at least 1");
    uint64_t round_ms = ((uint64_t)f->retries + 1) * f->round_timeout_ms;
    if (2 * (uint64_t)f->view_timeout_ms >= round_ms)
        return pr_fail(err, PR_ERR_USAGE, "view timeout %u ms: twice that must be less than the %llu ms of a round",
                       f->view_timeout_ms, (unsigned long long)round_ms);
    return PR_OK;
}

pr_status pr_consensus_create(pr_consensus **out, const pr_consensus_config *config, const pr_crypto *crypto,
                              pr_consensus_sink sink, pr_error *err) {
    PR_TRY(check_config(config, err));
    pr_consensus *c = calloc(1, sizeof *c);
    uint32_t *open = calloc(config->max_open_rounds, 2 * sizeof *open);
    if (!c || !open) {
        free(c);
        free(open);
        return pr_fail(err, PR_ERR_MEMORY, "out of memory for %u open rounds", config->max_open_rounds);
    }
    c->config = *config;
    c->crypto = *crypto;
    c->sink = sink;
    c->open = open;
    c->self = c->leader = PR_NO_VALIDATOR;
    pr_registry_init(&c->registry);
    *out = c;
    return PR_OK;
}

void pr_consensus_destroy(pr_consensus *c) {
    if (!c) return;
    for (uint32_t i = 0; i < c->n_entries; i++) {
        if (!c->entries[i].known) continue;
        pr_round_drop(c, &c->entries[i]);
        pr_kept_clear(&c->entries[i].known->certificate);
        pr_kept_clear(&c->entries[i].known->own.vote);
        free(c->entries[i].known);
    }
    for (uint32_t i = 0; i < c->registry.n; i++) {
        pr_kept_clear(&c->peers[i].evidence);
        pr_kept_clear(&c->peers[i].accusation);
    }
    pr_kept_clear(&c->view_certificate);
    pr_registry_clear(&c->registry);
    free(c->peers);
    free(c->entries);
    free(c->slots);
    free(c->open);
    free(c);
}

void pr_consensus_put_validator(pr_writer *out, const uint8_t public_key[PR_PUBLIC_KEY_BYTES], uint64_t stake) {
    pr_write_bytes(out, public_key, PR_PUBLIC_KEY_BYTES);
    pr_write_u64(out, stake);
}

pr_status pr_consensus_register(pr_consensus *c, const uint8_t public_key[PR_PUBLIC_KEY_BYTES], uint64_t stake,
                                pr_error *err) {
    if (c->started && c->n_open > 0)
        return pr_fail(err, PR_ERR_REFUSED, "%u rounds are open: validators register before or between rounds",
                       c->n_open);
    while (c->n_open > 0)
        pr_round_drop(c, &c->entries[c->open[0]]); /* before start: of fewer validators, so begun anew */
    pr_peer *grown = realloc(c->peers, ((size_t)c->registry.n + 1) * sizeof *grown);
    if (!grown) return pr_fail(err, PR_ERR_MEMORY, "out of memory for %u validators", c->registry.n + 1);
    c->peers = grown;
    PR_TRY(pr_registry_add(&c->registry, public_key, stake, err));
    uint32_t index = c->registry.n - 1;
    c->peers[index] = (pr_peer){0};
    if (memcmp(public_key, c->config.public_key, PR_PUBLIC_KEY_BYTES) == 0) c->self = index;
    c->leader = pr_registry_leader(&c->registry, c->view);
    uint8_t record[PR_CONSENSUS_VALIDATOR_BYTES];
    pr_writer w = {.data = record, .capacity = sizeof record};
    pr_consensus_put_validator(&w, public_key, stake);
    pr_machine_persist(c, PR_CONSENSUS_RECORD_VALIDATOR, record, w.size);
    return PR_OK;
}

void pr_consensus_set_was_away(pr_consensus *c, uint32_t validator, uint64_t sets) {
    PR_ASSERT(!c->started && validator < c->registry.n && !(sets & 1));
    c->registry.validators[validator].away |= sets;
}

void pr_consensus_put_away(pr_writer *out, uint32_t validator, uint64_t sets) {
    pr_write_u32(out, validator);
    pr_write_u64(out, sets);
}

void pr_consensus_set_away(pr_consensus *c, uint32_t validator, uint64_t sets) {
    PR_ASSERT(sets != 0);
    pr_consensus_set_was_away(c, validator, sets);
    if (pr_registry_is_active(&c->registry, validator)) pr_registry_remove(&c->registry, validator, PR_REMOVAL_AWAY);
}

void pr_consensus_set_attestation(pr_consensus *c, const pr_attestation *attestation) {
    c->attestation = attestation ? *attestation : (pr_attestation){0};
}

/* ---- jobs by name: names are digests, so their first bytes spread well ---- */

static uint32_t slot_of(const pr_consensus *c, const pr_hash *job) {
    uint32_t at;
    memcpy(&at, job->bytes, sizeof at);
    for (at &= c->n_slots - 1;; at = (at + 1) & (c->n_slots - 1))
        if (c->slots[at] == 0 || pr_hash_equal(&c->entries[c->slots[at] - 1].job, job)) return at;
}

pr_entry *pr_machine_find(pr_consensus *c, const pr_hash *job) {
    if (c->n_slots == 0) return NULL;
    uint32_t slot = c->slots[slot_of(c, job)];
    return slot ? &c->entries[slot - 1] : NULL;
}

static bool grow_entries(pr_consensus *c) {
    uint32_t capacity = c->entry_capacity ? 2 * c->entry_capacity : 64;
    pr_entry *entries = realloc(c->entries, capacity * sizeof *entries);
    if (!entries) return false;
    c->entries = entries;
    uint32_t *slots = calloc((size_t)capacity * 2, sizeof *slots);
    if (!slots) return false;
    free(c->slots);
    c->slots = slots;
    c->n_slots = 2 * capacity;
    c->entry_capacity = capacity;
    for (uint32_t i = 0; i < c->n_entries; i++) c->slots[slot_of(c, &c->entries[i].job)] = i + 1;
    return true;
}

pr_status pr_consensus_add_job(pr_consensus *c, const pr_hash *job, pr_error *err) {
    if (pr_machine_find(c, job)) return PR_OK;
    if (c->n_entries == c->entry_capacity && (c->n_entries >= 1u << 29 || !grow_entries(c)))
        return pr_fail(err, PR_ERR_MEMORY, "out of memory for job %u of the consensus", c->n_entries);
    c->entries[c->n_entries] = (pr_entry){.job = *job};
    c->slots[slot_of(c, job)] = ++c->n_entries;
    return PR_OK;
}

pr_known *pr_machine_know(pr_consensus *c, pr_entry *entry) {
    if (!entry->known) entry->known = calloc(1, sizeof *entry->known);
    if (!entry->known) pr_machine_refuse(c, PR_REFUSED_FULL);
    return entry->known;
}

uint64_t pr_timer_of(const pr_consensus *c, const pr_entry *entry) { return (uint64_t)(entry - c->entries) + 1; }

/* ---- conclusions ---- */

/* A round that closes leaves its place to the last one; going backwards, each is seen. What a removal found in one
 * round changes others, so this repeats until nothing is marked: at most once per removal. */
void pr_machine_settle(pr_consensus *c) {
    if (!c->started) return;
    do {
        c->dirty = false;
        for (uint32_t i = c->n_open; i-- > 0;) {
            if (i >= c->n_open) continue;
            pr_entry *entry = &c->entries[c->open[i]];
            if (!entry->known->round->dirty) continue;
            entry->known->round->dirty = false;
            pr_round_settle(c, entry);
        }
    } while (c->dirty);
    pr_lead_watch(c);
}

void pr_consensus_start(pr_consensus *c) {
    PR_ASSERT(!c->started);
    c->started = true;
    c->leader = pr_registry_leader(&c->registry, c->view);
    for (uint32_t i = 0; i < c->n_open; i++) {
        pr_entry *entry = &c->entries[c->open[i]];
        entry->known->round->dirty = true;
        pr_machine_emit(c, &(pr_consensus_action){.kind = PR_CONSENSUS_START_TIMER,
                                                  .timer = pr_timer_of(c, entry),
                                                  .ms = c->config.round_timeout_ms});
    }
    if (c->view > 0 || c->n_open > 0) pr_vote_send_status(c, PR_NO_VALIDATOR, NULL);
    for (uint32_t i = 0; i < c->n_entries; i++) { /* whoever was away then hears of it now */
        pr_entry *entry = &c->entries[i];
        if (!entry->known || entry->outcome != PR_ROUND_OPEN) continue;
        if (entry->known->round)
            pr_round_say_again(c, entry);
        else
            pr_vote_announce(c, entry);
    }
    pr_machine_settle(c);
}

void pr_consensus_expire(pr_consensus *c, uint64_t timer) {
    if (timer == PR_VIEW_TIMER)
        pr_lead_expire(c);
    else if (timer <= c->n_entries)
        pr_round_expire(c, &c->entries[timer - 1]);
    pr_machine_settle(c);
}

/* ---- questions ---- */

uint64_t pr_consensus_view(const pr_consensus *c) { return c->view; }
uint32_t pr_consensus_leader(const pr_consensus *c) { return c->leader; }
uint32_t pr_consensus_self(const pr_consensus *c) { return c->self; }
const pr_registry *pr_consensus_registry(const pr_consensus *c) { return &c->registry; }
uint32_t pr_consensus_open_rounds(const pr_consensus *c) { return c->n_open; }

uint64_t pr_consensus_pending_votes(const pr_consensus *c) {
    uint64_t n = 0;
    for (uint32_t i = 0; i < c->n_open; i++)
        for (uint32_t k = 0; k < c->registry.n; k++)
            n += c->entries[c->open[i]].known->round->votes[k].bytes.data != NULL;
    return n;
}

static const pr_entry *find_const(const pr_consensus *c, const pr_hash *job) {
    return pr_machine_find((pr_consensus *)(uintptr_t)c, job); /* which changes nothing */
}

pr_round_outcome pr_consensus_outcome(const pr_consensus *c, const pr_hash *job) {
    const pr_entry *entry = find_const(c, job);
    return entry ? entry->outcome : PR_ROUND_OPEN;
}

const pr_subject *pr_consensus_decided(const pr_consensus *c, const pr_hash *job) {
    const pr_entry *entry = find_const(c, job);
    return entry && entry->known && entry->outcome != PR_ROUND_OPEN ? &entry->known->decided : NULL;
}

void pr_consensus_ask(pr_consensus *c, const pr_hash *job) {
    const pr_entry *entry = find_const(c, job);
    bool may_be_approved = entry && (entry->outcome == PR_ROUND_OPEN || entry->outcome == PR_ROUND_TIMEOUT ||
                                     entry->outcome == PR_ROUND_REJECTED);
    if (may_be_approved) pr_vote_send_status(c, PR_NO_VALIDATOR, job);
    pr_machine_settle(c);
}

uint32_t pr_consensus_last_attempt(const pr_consensus *c, const pr_hash *job) {
    const pr_entry *entry = find_const(c, job);
    if (!entry || !entry->known) return 0;
    const pr_own *own = &entry->known->own;
    const uint32_t all[] = {own->announced_attempt, own->voted_attempt, own->proposed_subject.attempt,
                            entry->known->decided.attempt,
                            entry->known->round ? entry->known->round->subject.attempt : 0};
    uint32_t last = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i] > last) last = all[i];
    return last;
}

const uint8_t *pr_consensus_certificate(const pr_consensus *c, const pr_hash *job, size_t *size) {
    const pr_entry *entry = find_const(c, job);
    *size = entry && entry->known ? entry->known->certificate.size : 0;
    return *size ? entry->known->certificate.data : NULL;
}

static size_t round_bytes(const pr_consensus *c, const pr_round *round) {
    size_t bytes = sizeof *round + round->proposal.size + c->registry.n * sizeof *round->votes;
    for (uint32_t k = 0; k < c->registry.n; k++) bytes += round->votes[k].bytes.size;
    for (const pr_absence *a = round->absences; a; a = a->next)
        bytes += sizeof *a + (size_t)c->registry.n * PR_SIGNATURE_BYTES;
    return bytes;
}

size_t pr_consensus_memory_bytes(const pr_consensus *c) {
    size_t bytes = sizeof *c + c->registry.capacity * sizeof(pr_validator) + c->registry.n * sizeof(pr_peer) +
                   c->entry_capacity * sizeof(pr_entry) +
                   (c->n_slots + 2 * c->config.max_open_rounds) * sizeof(uint32_t) + c->view_certificate.size;
    for (uint32_t i = 0; i < c->registry.n; i++) bytes += c->peers[i].evidence.size + c->peers[i].accusation.size;
    for (uint32_t i = 0; i < c->n_entries; i++) {
        const pr_known *known = c->entries[i].known;
        if (!known) continue;
        bytes += sizeof *known + known->certificate.size + known->own.vote.size;
        if (known->round) bytes += round_bytes(c, known->round);
    }
    return bytes;
}

/* ---- names ---- */

const char *pr_round_outcome_name(pr_round_outcome outcome) {
    static const char *const names[PR_ROUND_OUTCOMES] = {"open",    "approved",      "rejected",
                                                         "timeout", "self_verified", "unvoted"};
    return (unsigned)outcome < PR_ROUND_OUTCOMES ? names[outcome] : "unknown";
}

const char *pr_view_reason_name(pr_view_reason reason) {
    static const char *const names[PR_VIEW_REASONS] = {"timeout", "leader_removed"};
    return (unsigned)reason < PR_VIEW_REASONS ? names[reason] : "unknown";
}

const char *pr_refusal_name(pr_refusal refusal) {
    static const char *const names[PR_REFUSALS] = {
        "malformed",  "other_run", "unknown_job", "unknown_round", "other_view",  "signature", "validator",
        "not_leader", "stale",     "locked",      "full",          "certificate", "conflict",  "evidence"};
    return (unsigned)refusal < PR_REFUSALS ? names[refusal] : "unknown";
}
