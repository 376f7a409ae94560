/* Nodes with journals, the network between them, crashes. */
#include "sim.h"
#include <stdlib.h>
#include <string.h>

enum { ROUND_MS = 100, VIEW_MS = 150, RETRIES = 3, HEALED_DELAY_MS = 10, HALVING_MS = 70 };

/* ---- signatures: a keyed digest, and nobody in here looks for collisions ---- */

static uint64_t stir(uint64_t h, uint64_t word) {
    h = (h ^ word) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

static void mac(uint8_t out[PR_SIGNATURE_BYTES], const uint8_t key[PR_PUBLIC_KEY_BYTES], const pr_hash *digest) {
    uint64_t words[8], h = 0x5ec7e7;
    memcpy(words, key, 32);
    memcpy(words + 4, digest->bytes, 32);
    for (int k = 0; k < 8; k++) h = stir(h, words[k]);
    for (int k = 0; k < 8; k++) {
        h = stir(h, words[k]);
        memcpy(out + 8 * k, &h, 8);
    }
}

static bool sign(void *context, uint8_t signature[PR_SIGNATURE_BYTES], const pr_hash *digest) {
    const sim_node *node = context;
    mac(signature, node->sim->keys[node->index], digest);
    return true;
}

bool sim_mac_is(const uint8_t key[PR_PUBLIC_KEY_BYTES], const pr_hash *digest,
                const uint8_t signature[PR_SIGNATURE_BYTES]) {
    uint8_t right[PR_SIGNATURE_BYTES];
    mac(right, key, digest);
    return memcmp(right, signature, PR_SIGNATURE_BYTES) == 0;
}

static bool verify(void *context, const uint8_t key[PR_PUBLIC_KEY_BYTES], const pr_hash *digest,
                   const uint8_t signature[PR_SIGNATURE_BYTES]) {
    (void)context;
    return sim_mac_is(key, digest, signature);
}

pr_crypto sim_crypto(sim_node *node) { return (pr_crypto){node, sign, verify}; }

/* ---- proofs ---- */

pr_proof_verdict sim_truth(const sim *s, const pr_subject *subject, pr_vote_reason *reason) {
    *reason = PR_VOTE_REASON_NONE;
    if (subject->proof_hash.bytes[0] == SIM_PROOF_WITHHELD) return PR_PROOF_UNKNOWN;
    for (uint32_t j = 0; j < s->n_jobs; j++) {
        if (!pr_hash_equal(&s->jobs[j].name, &subject->job)) continue;
        *reason = PR_VOTE_REASON_STATEMENT;
        if (!pr_hash_equal(&s->jobs[j].statement, &subject->statement)) return PR_PROOF_INVALID;
        *reason = PR_VOTE_REASON_NONE;
        if (subject->proof_hash.bytes[0] == SIM_PROOF_VALID) return PR_PROOF_VALID;
    }
    *reason = PR_VOTE_REASON_INVALID;
    return PR_PROOF_INVALID;
}

static void answer(sim *s, sim_node *node, const pr_subject *subject) {
    pr_vote_reason reason;
    pr_proof_verdict verdict = sim_truth(s, subject, &reason);
    if (!sim_is_healed(s) && sim_chance(s, s->weather.unable)) verdict = PR_PROOF_UNKNOWN;
    pr_consensus_verified(node->c, subject, verdict, reason);
}

/* ---- network ---- */

static void deliver_later(sim *s, uint32_t from, uint32_t to, const uint8_t *data, size_t size) {
    sim_event *event = sim_event_new(SIM_DELIVER, to, size);
    event->from = from;
    event->session = s->session;
    memcpy(event->data, data, size);
    uint32_t delay = sim_is_healed(s) ? HEALED_DELAY_MS : s->weather.delay_ms;
    if (!sim_is_healed(s) && sim_chance(s, 3)) delay *= 30; /* some are very late, and so out of order */
    sim_queue_put(&s->queue, event, s->now + 1 + sim_below(s, delay));
}

void sim_world_send(sim *s, uint32_t from, uint32_t to, const uint8_t *data, size_t size) {
    s->messages++;
    if (sim_is_healed(s)) {
        deliver_later(s, from, to, data, size);
        return;
    }
    if (!sim_chance(s, s->weather.loss)) deliver_later(s, from, to, data, size);
    if (sim_chance(s, s->weather.doubling)) deliver_later(s, from, to, data, size);
}

static void send(sim_node *node, uint32_t to, const sim_record *bytes) {
    sim *s = node->sim;
    if (node->faulty && sim_chance(s, s->weather.silence)) return;
    sim_liar_note(s, bytes->data, bytes->size);
    for (uint32_t i = 0; i < s->n; i++)
        if (i != node->index && (to == PR_NO_VALIDATOR || to == i))
            sim_world_send(s, node->index, i, bytes->data, bytes->size);
}

/* ---- actions: they wait for the journal in the order in which they came ---- */

static void *grown(void *list, size_t n, size_t *capacity, size_t item) {
    if (n < *capacity) return list;
    *capacity = *capacity ? 2 * *capacity : 64;
    list = realloc(list, *capacity * item);
    PR_ASSERT(list);
    return list;
}

static void append_record(sim_node *node, sim_record record) { /* takes it */
    node->journal = grown(node->journal, node->n_journal, &node->journal_capacity, sizeof *node->journal);
    node->journal[node->n_journal++] = record;
}

static void take_effect(sim_node *node, sim_effect *e) {
    sim *s = node->sim;
    bool honest = !node->faulty;
    if (e->kind == PR_CONSENSUS_PERSIST) {
        append_record(node, e->bytes);
        e->bytes = (sim_record){0};
    } else if (e->kind == PR_CONSENSUS_SEND || e->kind == PR_CONSENSUS_BROADCAST) {
        if (honest) sim_check_sent(s, node->index, e->bytes.data, e->bytes.size);
        send(node, e->to, &e->bytes);
    } else if (e->kind == PR_CONSENSUS_OUTCOME && honest) {
        sim_jobs_hear(s, node->index, &e->subject, e->outcome);
        if (e->outcome == PR_ROUND_APPROVED) sim_check_certificate(s, node->index, e->bytes.data, e->bytes.size);
    } else if (e->kind == PR_CONSENSUS_BATCH && honest) {
        sim_check_batch(s, node->index, e->bytes.data, e->bytes.size);
        node->batch_certified = true;
    }
    free(e->bytes.data);
    e->bytes = (sim_record){0};
}

static void flush(sim_node *node) {
    for (size_t k = 0; k < node->n_effects; k++) take_effect(node, &node->effects[k]);
    node->n_effects = 0;
}

static void queue_effect(sim_node *node, const pr_consensus_action *a) {
    sim *s = node->sim;
    sim_effect e = {.kind = a->kind,
                    .to = a->kind == PR_CONSENSUS_SEND ? a->to : PR_NO_VALIDATOR,
                    .subject = a->subject,
                    .outcome = a->outcome,
                    .bytes = {malloc(a->size ? a->size : 1), a->size}};
    PR_ASSERT(e.bytes.data);
    if (a->size) memcpy(e.bytes.data, a->data, a->size);
    bool sends = a->kind == PR_CONSENSUS_SEND || a->kind == PR_CONSENSUS_BROADCAST;
    bool waits = node->n_effects > 0 && !(sends && s->sabotage == SIM_SEND_BEFORE_WRITE);
    if (a->kind != PR_CONSENSUS_PERSIST && !waits) {
        take_effect(node, &e);
        return;
    }
    if (!sim_is_healed(s) && s->weather.crash_ms > 0 && sim_chance(s, 1)) /* in the midst of a write */
        sim_queue_put(&s->queue, sim_event_new(SIM_CRASH, node->index, 0),
                      s->now + 1 + sim_below(s, s->weather.write_ms));
    if (node->n_effects == 0) {
        sim_event *event = sim_event_new(SIM_FLUSH, node->index, 0);
        event->life = node->life;
        sim_queue_put(&s->queue, event, s->now + 1 + sim_below(s, s->weather.write_ms));
    }
    node->effects = grown(node->effects, node->n_effects, &node->effects_capacity, sizeof *node->effects);
    node->effects[node->n_effects++] = e;
}

static void start_timer(sim_node *node, uint64_t timer, uint64_t ms) {
    sim *s = node->sim;
    PR_ASSERT(timer <= SIM_JOBS);
    sim_event *event = sim_event_new(SIM_TIMER, node->index, 0);
    event->timer = timer;
    event->setting = ++node->settings[timer];
    if (node->opened_at[timer] == 0) node->opened_at[timer] = s->now + 1;
    event->life = node->life;
    sim_queue_put(&s->queue, event, s->now + ms - ms / 10 + sim_below(s, (uint32_t)ms / 5)); /* clocks differ */
}

static void ask_verifier(sim_node *node, const pr_subject *subject) {
    sim *s = node->sim;
    sim_event *event = sim_event_new(SIM_VERIFIED, node->index, 0);
    event->subject = *subject;
    event->life = node->life;
    sim_queue_put(&s->queue, event, s->now + 1 + sim_below(s, s->weather.verify_ms));
}

static void act(void *context, const pr_consensus_action *a) {
    sim_node *node = context;
    switch (a->kind) {
    case PR_CONSENSUS_PERSIST:
        if (!node->faulty) sim_check_record(node->sim, node->index, a->data, a->size);
        queue_effect(node, a);
        break;
    case PR_CONSENSUS_SEND:
    case PR_CONSENSUS_BROADCAST:
    case PR_CONSENSUS_OUTCOME:
    case PR_CONSENSUS_BATCH:
        queue_effect(node, a);
        break;
    case PR_CONSENSUS_START_TIMER:
        start_timer(node, a->timer, a->ms);
        break;
    case PR_CONSENSUS_CANCEL_TIMER:
        node->settings[a->timer]++;
        node->opened_at[a->timer] = 0;
        break;
    case PR_CONSENSUS_VERIFY:
        ask_verifier(node, &a->subject);
        break;
    case PR_CONSENSUS_VIEW:
        sim_say(node->sim, "node %u: view %llu, led by %u", node->index, (unsigned long long)a->view, a->validator);
        node->sim->views++;
        break;
    case PR_CONSENSUS_REMOVED:
        sim_say(node->sim, "node %u removes %u: %s", node->index, a->validator, pr_removal_name(a->removal));
        node->sim->removals++;
        break;
    default:
        break;
    }
}

/* ---- life of a node ---- */

static void make_machine(sim_node *node) {
    sim *s = node->sim;
    pr_consensus_config config = {.terms = s->terms,
                                  .round_timeout_ms = ROUND_MS,
                                  .view_timeout_ms = VIEW_MS,
                                  .retries = RETRIES,
                                  .max_open_rounds = s->max_open,
                                  .admits = sim_jobs_admit,
                                  .admits_context = node};
    memcpy(config.public_key, s->keys[node->index], PR_PUBLIC_KEY_BYTES);
    pr_crypto crypto = sim_crypto(node);
    pr_status status = pr_consensus_create(&node->c, &config, &crypto, (pr_consensus_sink){node, act}, NULL);
    for (uint32_t j = 0; j < s->n_jobs && status == PR_OK; j++)
        status = pr_consensus_add_job(node->c, &s->jobs[j].name, NULL);
    PR_ASSERT(status == PR_OK);
    /* Another one in every life: who signs anew what it had signed before a crash contradicts itself. */
    pr_attestation attestation = {.kind = PR_ATTESTATION_TPM, .size = 4};
    memcpy(attestation.bytes, &node->life, 4);
    pr_consensus_set_attestation(node->c, &attestation);
}

static void be_born(sim_node *node) {
    sim *s = node->sim;
    make_machine(node);
    for (uint32_t i = 0; i < s->n; i++) {
        pr_status status = pr_consensus_register(node->c, s->keys[i], s->stakes[i], NULL);
        PR_ASSERT(status == PR_OK);
    }
    flush(node);
    pr_consensus_start(node->c);
}

/* What was written before, and perhaps some of what was just being written; of the rest nobody hears. */
static void stop(sim_node *node) {
    sim *s = node->sim;
    size_t done = sim_below(s, (uint32_t)node->n_effects + 1);
    size_t written = done + sim_below(s, (uint32_t)(node->n_effects - done) + 1);
    for (size_t k = 0; k < node->n_effects; k++) {
        sim_effect *e = &node->effects[k];
        if (k < done || (k < written && e->kind == PR_CONSENSUS_PERSIST))
            take_effect(node, e);
        else
            free(e->bytes.data);
    }
    node->n_effects = 0;
    if (s->sabotage == SIM_LOSE_WRITTEN && node->n_journal > s->n) free(node->journal[--node->n_journal].data);
    pr_consensus_destroy(node->c);
    memset(node->opened_at, 0, sizeof node->opened_at);
    memset(node->n_recorded, 0, sizeof node->n_recorded);
    node->c = NULL;
    node->life++;
    sim_say(s, "node %u stops, %zu records", node->index, node->n_journal);
}

static void crash(sim_node *node) {
    sim *s = node->sim;
    if (!node->c) return;
    stop(node);
    s->crashes++;
    uint64_t back = s->now + 1 + sim_below(s, 300);
    sim_event *event = sim_event_new(SIM_RETURN, node->index, 0);
    event->session = s->session;
    sim_queue_put(&s->queue, event, back < s->healed_at ? back : s->healed_at);
}

/* Everybody is told the same. */
static void call_roll(sim_node *node) {
    const sim *s = node->sim;
    for (uint32_t i = 0; i < s->n; i++) {
        uint64_t sets = s->auditor.validators[i].away;
        if (sim_is_away(s, i))
            pr_consensus_set_away(node->c, i, sets);
        else
            pr_consensus_set_was_away(node->c, i, sets);
    }
}

static void come_back(sim_node *node) {
    sim *s = node->sim;
    sim_say(s, "node %u comes back", node->index);
    make_machine(node);
    for (size_t k = 0; k < node->n_journal; k++) {
        pr_error err = {0};
        if (pr_consensus_restore(node->c, node->journal[k].data, node->journal[k].size, &err) != PR_OK)
            sim_fail(s, "node %u, record %zu: %s", node->index, k, err.text);
    }
    call_roll(node);
    pr_consensus_start(node->c);
}

static void plan_crash(sim *s, uint32_t node) {
    if (s->weather.crash_ms == 0) return;
    uint64_t at = s->now + 1 + sim_below(s, 2 * s->weather.crash_ms);
    if (at < s->healed_at) sim_queue_put(&s->queue, sim_event_new(SIM_CRASH, node, 0), at);
}

/* The run is taken up again, by other nodes. What was on its way is lost, but for what the liars keep. */
static void begin_session(sim *s) {
    s->session++;
    const sim_session *session = &s->sessions[s->session];
    sim_say(s, "session %u, set %u of those away", s->session, session->set);
    for (uint32_t i = 0; i < s->n; i++) {
        if (s->nodes[i].c) stop(&s->nodes[i]);
        if (session->away[i]) s->auditor.validators[i].away |= (uint64_t)1 << session->set;
    }
    for (uint32_t i = 0; i < s->n; i++) {
        if (session->away[i]) continue;
        come_back(&s->nodes[i]);
        plan_crash(s, i);
    }
    sim_jobs_begin_session(s);
}

static void plan_lie(sim *s, uint32_t node) {
    uint32_t ms = sim_is_healed(s) ? 4 * s->weather.lie_ms : s->weather.lie_ms;
    uint32_t after = s->weather.halving ? HALVING_MS : 1 + sim_below(s, 2 * ms);
    sim_queue_put(&s->queue, sim_event_new(SIM_LIE, node, 0), s->now + after);
}

/* ---- events ---- */

void sim_world_handle(sim *s, const sim_event *event) {
    sim_node *node = &s->nodes[event->node];
    bool current = node->c && event->life == node->life;
    switch (event->kind) {
    case SIM_DELIVER:
        if (node->c && event->session == s->session)
            pr_consensus_receive(node->c, event->from, event->data, event->size);
        break;
    case SIM_TIMER:
        if (current && event->setting == node->settings[event->timer]) pr_consensus_expire(node->c, event->timer);
        break;
    case SIM_VERIFIED:
        if (current) answer(s, node, &event->subject);
        break;
    case SIM_FLUSH:
        if (current) flush(node);
        break;
    case SIM_CRASH:
        if (!sim_is_healed(s)) crash(node);
        break;
    case SIM_RETURN:
        if (event->session != s->session) break;
        come_back(node);
        plan_crash(s, event->node);
        break;
    case SIM_LIE:
        if (!sim_is_away(s, event->node)) sim_liar_lie(s, event->node);
        plan_lie(s, event->node);
        break;
    case SIM_SCHEDULE:
        sim_jobs_schedule(s);
        break;
    case SIM_SESSION:
        begin_session(s);
        break;
    }
}

/* ---- begin and end ---- */

void sim_world_begin(sim *s) {
    sim_choose(s);
    sim_jobs_begin(s);
    for (uint32_t i = 0; i < s->n; i++) {
        pr_hash key = pr_blake2s_hash(&i, sizeof i);
        memcpy(s->keys[i], key.bytes, PR_PUBLIC_KEY_BYTES);
        pr_status status = pr_registry_add(&s->auditor, s->keys[i], s->stakes[i], NULL);
        PR_ASSERT(status == PR_OK);
        s->nodes[i].sim = s;
        s->nodes[i].index = i;
    }
    for (uint32_t i = 0; i < s->n; i++) {
        be_born(&s->nodes[i]);
        if (s->nodes[i].faulty) plan_lie(s, i);
        plan_crash(s, i);
    }
    sim_jobs_schedule(s);
}

void sim_world_end(sim *s) {
    for (uint32_t i = 0; i < s->n; i++) {
        sim_node *node = &s->nodes[i];
        pr_consensus_destroy(node->c);
        for (size_t k = 0; k < node->n_journal; k++) free(node->journal[k].data);
        for (size_t k = 0; k < node->n_effects; k++) free(node->effects[k].bytes.data);
        free(node->journal);
        free(node->effects);
    }
    for (uint32_t k = 0; k < SIM_RECENT; k++) free(s->recent[k].data);
    sim_queue_clear(&s->queue);
    pr_registry_clear(&s->auditor);
}
