/* The consensus of the ranks on proofs: a pure state machine. Events go in by the functions below, actions come out
 * through the sink, during the call. No clock, no message passing, no file, no randomness: the runner, the simulator
 * and the tests drive the same code. Every node runs one: any may prove, vote, and lead a later view. docs/consensus.md
 * has the protocol; message.h, certificate.h, evidence.h, view.h and batch.h the bytes.
 *
 *   pr_consensus_create(&c, &config, &crypto, sink, err);
 *   for each job of the run, on every node:   pr_consensus_add_job(c, &job, err);
 *   after a crash, each record in order:      pr_consensus_restore(c, record, size, err);
 *   for each validator, in one order on every node, self included, unless it was restored:
 *                                             pr_consensus_register(c, public_key, stake, err);
 *   pr_consensus_start(c);
 *   then, as they happen:  _announce (a proof of ours is there), _receive, _expire, _verified, _suspect_leader, ...
 *
 * A round: the prover's node is told with _announce, and every node hears of it; the leader proposes it; members of the
 * committee get a VERIFY action, answer with _verified, and their votes go to everybody; whoever has a quorum closes.
 *
 * Order is the contract. Actions must take effect in the order emitted: what PERSIST hands over must be durable before
 * any later SEND, BROADCAST, OUTCOME or REMOVED takes effect (queue those behind the write; nothing need be answered).
 * Then no node ever signs two different votes for one (job, attempt, view), whatever crashes. Bytes in an action are
 * borrowed until the sink returns. The sink must not call into this module; it queues.
 *
 * Messages may be lost, late, doubled, reordered or forged. `from` is a claim and only says whom to answer.
 * Memory: per validator one view request and one piece of evidence; per job known to _add_job its name and, once it was
 * heard of, about 500 bytes and its certificate; per open round one vote per validator, and one signature per validator
 * and absent member of the committee. Open rounds are bounded by the configuration: so many of others' proofs, and so
 * many of own ones. Nothing is kept for a job that is not known, and nothing that is not rightly signed by a validator
 * who is active. When memory is short an event counts as a message lost. Not thread safe. */
#ifndef PR_CONSENSUS_CONSENSUS_H
#define PR_CONSENSUS_CONSENSUS_H
#include "consensus/certificate.h"
#include "consensus/evidence.h"
#include "consensus/outcome.h"
#include "consensus/view.h"

/* ---- what comes out ---- */

typedef enum pr_consensus_action_kind {
    PR_CONSENSUS_PERSIST,      /* data: append this record to the journal */
    PR_CONSENSUS_SEND,         /* data to validator `to` */
    PR_CONSENSUS_BROADCAST,    /* data to every validator but oneself */
    PR_CONSENSUS_START_TIMER,  /* timer, ms; starting a running one sets it anew */
    PR_CONSENSUS_CANCEL_TIMER, /* timer */
    PR_CONSENSUS_VERIFY,       /* get the bytes with subject.proof_hash, run the verifier on them against the job and
                                  subject.statement, and always answer with _verified, also if it cannot be done */
    PR_CONSENSUS_OUTCOME,      /* subject's round has ended: outcome, view; data: the certificate of an approval. It may
                                  come again for a job as APPROVED after REJECTED or TIMEOUT, never after APPROVED */
    PR_CONSENSUS_REMOVED,      /* validator, removal; data: the evidence. Its unfinished work goes elsewhere */
    PR_CONSENSUS_VIEW,         /* view, validator: the new leader; data: the view certificate. Also at a new leader of
                                  the same view, when the old one was removed (data empty) */
    PR_CONSENSUS_BATCH,        /* hash: the root; data: the batch certificate */
    PR_CONSENSUS_METRIC        /* metric, label */
} pr_consensus_action_kind;

typedef enum pr_consensus_metric {
    PR_COUNT_VOTE,        /* counted votes; label: validator */
    PR_COUNT_ROUND,       /* label: pr_round_outcome */
    PR_COUNT_FRAUD,       /* label: pr_evidence_kind */
    PR_COUNT_REMOVED,     /* label: pr_removal */
    PR_COUNT_VIEW_CHANGE, /* label: pr_view_reason */
    PR_COUNT_REFUSED      /* label: pr_refusal; a message or a request that had no effect */
} pr_consensus_metric;

typedef enum pr_view_reason { PR_VIEW_TIMEOUT, PR_VIEW_LEADER_REMOVED, PR_VIEW_REASONS } pr_view_reason;
const char *pr_view_reason_name(pr_view_reason reason); /* "timeout", "leader_removed" */

typedef enum pr_refusal {
    PR_REFUSED_MALFORMED,
    PR_REFUSED_OTHER_RUN,
    PR_REFUSED_UNKNOWN_JOB,
    PR_REFUSED_UNKNOWN_ROUND,
    PR_REFUSED_OTHER_VIEW,
    PR_REFUSED_SIGNATURE,
    PR_REFUSED_VALIDATOR, /* unknown, removed, or not of the number of validators known here */
    PR_REFUSED_NOT_LEADER,
    PR_REFUSED_STALE,       /* of an attempt that has ended or was overtaken */
    PR_REFUSED_LOCKED,      /* this node approved another proof of the job */
    PR_REFUSED_FULL,        /* no room for another round, or no memory */
    PR_REFUSED_CERTIFICATE, /* one that does not hold (here, yet) */
    PR_REFUSED_CONFLICT,    /* a certificate that holds, against what this node knows: beyond what may be faulty */
    PR_REFUSED_EVIDENCE,    /* evidence that does not hold */
    PR_REFUSALS
} pr_refusal;
const char *pr_refusal_name(pr_refusal refusal); /* "malformed", "other_run", ... */

typedef struct pr_consensus_action {
    pr_consensus_action_kind kind;
    const uint8_t *data; /* borrowed */
    size_t size;
    uint32_t to;
    uint64_t timer, ms;
    pr_subject subject;
    pr_round_outcome outcome;
    uint64_t view;
    uint32_t validator;
    pr_removal removal;
    pr_hash hash;
    pr_consensus_metric metric;
    uint32_t label;
} pr_consensus_action;

typedef struct pr_consensus_sink {
    void *context;
    void (*act)(void *context, const pr_consensus_action *action);
} pr_consensus_sink;

/* ---- at the start ---- */

typedef struct pr_consensus_config {
    pr_consensus_terms terms;
    uint8_t public_key[PR_PUBLIC_KEY_BYTES]; /* this node's */
    uint32_t round_timeout_ms;               /* > 0: then a round is said again, and the silent are named */
    uint32_t view_timeout_ms;                /* > 0: a leader that lets an announced proof lie for one to two of these
                                                is left; twice it < (retries + 1) x round_timeout_ms */
    uint32_t retries;                        /* round timeouts in one view that do not end the round */
    uint32_t max_open_rounds;                /* > 0; of others' proofs, and as many of own ones */
    /* Whether this node, as a leader, proposes what was announced (the scheduler handed that attempt to that prover).
     * NULL: everything. A round that it no longer admits gives way to a higher attempt that it does. Must not call into
     * this module. */
    bool (*admits)(void *context, const pr_subject *subject);
    void *admits_context;
} pr_consensus_config;

typedef struct pr_consensus pr_consensus;

/* PR_ERR_USAGE for a configuration out of its bounds, PR_ERR_MEMORY. crypto is copied; its context stays the caller's.
 */
PR_MUST_CHECK pr_status pr_consensus_create(pr_consensus **out, const pr_consensus_config *config,
                                            const pr_crypto *crypto, pr_consensus_sink sink, pr_error *err);
void pr_consensus_destroy(pr_consensus *c); /* NULL allowed */
/* PR_ERR_REFUSED as pr_registry_add, and after start while a round is open: nobody's stake appears in the midst of one.
 * Before start, rounds that were restored are dropped: their provers announce them anew. */
PR_MUST_CHECK pr_status pr_consensus_register(pr_consensus *c, const uint8_t public_key[PR_PUBLIC_KEY_BYTES],
                                              uint64_t stake, pr_error *err);
/* Adding one twice does nothing. At any time. */
PR_MUST_CHECK pr_status pr_consensus_add_job(pr_consensus *c, const pr_hash *job, pr_error *err);
/* Before start, after add_job. Records are one's own: signatures are not checked again. PR_ERR_MALFORMED. No actions;
 * so an OUTCOME or REMOVED that was on record but had not taken effect before the crash does not come again: after
 * start, ask _outcome and _certificate for the jobs, and _registry for who is removed. */
PR_MUST_CHECK pr_status pr_consensus_restore(pr_consensus *c, const uint8_t *record, size_t size, pr_error *err);
/* Before start: in which sets of those away in a session of this run (registry.h) the validator is, by the word of
 * whoever called the roll; every node must be told the same. Certificates of those sessions leave it out. */
void pr_consensus_set_was_away(pr_consensus *c, uint32_t validator, uint64_t sets);
/* The same, and it is not in this session: it counts as removed until the next start, and certificates say so. One that
 * was removed stays so. Not persisted: whoever calls the roll has it on record (AWAY) before anybody hears of it. */
void pr_consensus_set_away(pr_consensus *c, uint32_t validator, uint64_t sets);
/* What is vouched for this machine, in every vote from now on; NULL: none. */
void pr_consensus_set_attestation(pr_consensus *c, const pr_attestation *attestation);
void pr_consensus_start(pr_consensus *c);

/* ---- events ---- */

/* This node has proved: subject.prover is it, the bytes can be had by whoever gets VERIFY. Attempts at a job rise.
 * PR_ERR_REFUSED: the job is unknown or approved, the attempt not above the last one of ours, we are no active
 * validator. */
PR_MUST_CHECK pr_status pr_consensus_announce(pr_consensus *c, const pr_subject *subject, pr_error *err);
void pr_consensus_receive(pr_consensus *c, uint32_t from, const uint8_t *data, size_t size); /* from: or NO_VALIDATOR */
void pr_consensus_expire(pr_consensus *c, uint64_t timer); /* one that was started; unknown ones are ignored */
/* The answer to VERIFY. reason: why INVALID. UNKNOWN: it could not be run (no bytes, no memory). */
void pr_consensus_verified(pr_consensus *c, const pr_subject *subject, pr_proof_verdict verdict, pr_vote_reason reason);
/* Whoever watches heartbeats thinks the leader is gone: this node asks for the next view. To be said again while that
 * lasts: with no round open the request is not repeated. */
void pr_consensus_suspect_leader(pr_consensus *c);
/* Asks everybody for what came of a job that is not approved here: a certificate may have passed while this node was
 * away, or after it had given a round up. */
void pr_consensus_ask(pr_consensus *c, const pr_hash *job);
/* This node finds this root over the outcomes of the run, signs it, and gathers the others' signatures on it. */
void pr_consensus_sign_batch(pr_consensus *c, const pr_hash *root, uint64_t n_leaves);

/* ---- what can be asked ---- */

uint64_t pr_consensus_view(const pr_consensus *c);
uint32_t pr_consensus_leader(const pr_consensus *c); /* or PR_NO_VALIDATOR */
uint32_t pr_consensus_self(const pr_consensus *c);   /* own index, or PR_NO_VALIDATOR before it is registered */
const pr_registry *pr_consensus_registry(const pr_consensus *c);
uint32_t pr_consensus_open_rounds(const pr_consensus *c);
uint64_t pr_consensus_pending_votes(const pr_consensus *c);                       /* in open rounds */
pr_round_outcome pr_consensus_outcome(const pr_consensus *c, const pr_hash *job); /* OPEN also for an unknown one */
/* What the outcome is about, borrowed until the next event; NULL while it is OPEN. */
const pr_subject *pr_consensus_decided(const pr_consensus *c, const pr_hash *job);
/* The highest attempt at the job that this node has heard of or signed for; 0: none. */
uint32_t pr_consensus_last_attempt(const pr_consensus *c, const pr_hash *job);
/* Borrowed until the next event; NULL when the job has none. */
const uint8_t *pr_consensus_certificate(const pr_consensus *c, const pr_hash *job, size_t *size);
/* Bytes on the heap, for tests of bounds. */
size_t pr_consensus_memory_bytes(const pr_consensus *c);

/* ---- records, for who stores more than their bytes ---- */

typedef enum pr_consensus_record {
    PR_CONSENSUS_RECORD_VALIDATOR = 1, /* public key 32 | u64 stake */
    PR_CONSENSUS_RECORD_MESSAGE,       /* a signed message, one's own or another's */
    PR_CONSENSUS_RECORD_VIEW,          /* a view certificate */
    PR_CONSENSUS_RECORD_CERTIFICATE,
    PR_CONSENSUS_RECORD_EVIDENCE, /* with it the offender is removed */
    PR_CONSENSUS_RECORD_OUTCOME,  /* subject 104 | u64 view | u8 outcome */
    PR_CONSENSUS_RECORD_AWAY,     /* u32 index | u64 sets: a validator that is away in the session that begins, and in
                                     which sets of those away it is now; by and for whoever calls the roll, so restore
                                     ignores it */
    PR_CONSENSUS_RECORDS
} pr_consensus_record;
#define PR_CONSENSUS_VALIDATOR_BYTES (PR_PUBLIC_KEY_BYTES + 8)
#define PR_AWAY_BYTES 12u
/* What follows the kind in a record of a validator, and of one that is away. */
void pr_consensus_put_validator(pr_writer *out, const uint8_t public_key[PR_PUBLIC_KEY_BYTES], uint64_t stake);
void pr_consensus_put_away(pr_writer *out, uint32_t validator, uint64_t sets);
/* A record is a byte of this kind, then what the list above says. 0: no record. */
int pr_consensus_record_kind(const uint8_t *record, size_t size);
#endif
