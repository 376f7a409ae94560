/* The state behind consensus.h. Files: machine (life, actions), receive (one function a message kind), round (opening,
 * counting, closing), vote (own part in a round), lead (proposals, views), accuse (evidence, removal), batch_sign,
 * restore. Events change state and mark rounds; pr_machine_settle then draws every conclusion, so no handler does. */
#ifndef PR_CONSENSUS_INTERNAL_H
#define PR_CONSENSUS_INTERNAL_H
#include "consensus/batch.h"
#include "consensus/consensus.h"

typedef struct pr_kept {
    uint8_t *data; /* owned */
    size_t size;
} pr_kept;

/* Signatures on "I have no vote of this member". */
typedef struct pr_absence {
    struct pr_absence *next;
    uint32_t absent;
    pr_validator_set signers;
    uint8_t signatures[][PR_SIGNATURE_BYTES]; /* [registry.n] */
} pr_absence;

typedef struct pr_held_vote {
    pr_kept bytes; /* NULL: none */
    pr_vote_verdict verdict;
} pr_held_vote;

typedef struct pr_round {
    pr_subject subject;
    uint8_t announcement[PR_SIGNATURE_BYTES];
    bool ever_proposed; /* in this view or an earlier one */
    bool asked;         /* the verifier was asked and has not answered */
    bool unable;        /* it answered that it cannot tell */
    bool withheld;      /* this node could not get the proof */
    bool locked_out;    /* this node approved another proof of the job, and that was counted */
    bool dirty;         /* settle has to look at it */
    uint32_t age;       /* its timer has run out, or the view has changed, so often */
    /* of the current view */
    bool proposed, waited;
    bool overtook;        /* another one of the job was proposed before it, and has not ended */
    uint32_t overtakings; /* proposals of the job in whose place others were proposed */
    uint32_t timeouts;
    pr_kept proposal;
    pr_held_vote *votes; /* [registry.n] */
    pr_absence *absences;
    bool has_absent;
    pr_validator_set absent; /* those whose absence is established */
} pr_round;

/* What a node remembers of itself about a job, so as never to contradict it. */
typedef struct pr_own {
    uint32_t announced_attempt, voted_attempt;
    uint64_t voted_view, proposed_view;
    bool announced, voted, proposed, locked;
    pr_hash lock;                /* the proof approved, or said to be waited for: no other one will be approved */
    pr_subject proposed_subject; /* the last one: also another prover of the same proof would contradict it */
    pr_kept vote;                /* the last one, signed */
    bool pending;                /* own proof, not decided */
    pr_subject subject;          /* announced last */
    uint8_t announcement[PR_SIGNATURE_BYTES];
} pr_own;

typedef struct pr_known { /* about a job that was heard of */
    pr_round *round;      /* or NULL */
    pr_subject decided;   /* the last round that ended */
    pr_round_outcome as;  /* how; OPEN: none has */
    uint64_t decided_view;
    pr_hash judged_statement, judged_proof;
    pr_proof_verdict judged; /* by the verifier, here */
    pr_vote_reason reason;
    pr_kept certificate;
    pr_own own;
} pr_known;

typedef struct pr_entry {
    pr_hash job;
    pr_round_outcome outcome; /* OPEN: none yet */
    pr_known *known;          /* or NULL */
} pr_entry;

typedef struct pr_peer {  /* beside each validator */
    uint64_t wanted_view; /* 0: no request */
    uint8_t view_signature[PR_SIGNATURE_BYTES];
    pr_kept evidence;   /* with which it was removed */
    pr_kept accusation; /* rightly signed, waits for the verifier */
    bool signed_batch;
    uint8_t batch_signature[PR_SIGNATURE_BYTES];
} pr_peer;

struct pr_consensus {
    pr_consensus_config config;
    pr_crypto crypto;
    pr_consensus_sink sink;
    pr_registry registry;
    pr_peer *peers; /* [registry.n] */
    uint32_t self;
    bool started, restoring, dirty;
    pr_entry *entries; /* [n_entries] */
    uint32_t n_entries, entry_capacity;
    uint32_t *slots; /* [n_slots] open addressing: index + 1 of an entry, 0: free */
    uint32_t n_slots;
    uint32_t *open;              /* [n_open] entries with a round, room for twice config.max_open_rounds */
    uint32_t n_open, n_open_own; /* own: this node is the prover */
    uint64_t view, target;       /* target: the view asked for, if above view */
    uint32_t leader;
    pr_kept view_certificate;
    bool view_timer;
    pr_hash batch_root;
    uint64_t batch_leaves;
    bool has_batch, batch_done;
    pr_attestation attestation;
};

/* ---- machine ---- */
pr_entry *pr_machine_find(pr_consensus *c, const pr_hash *job); /* NULL: unknown */
pr_known *pr_machine_know(pr_consensus *c, pr_entry *entry);    /* NULL: no memory */
void pr_machine_emit(pr_consensus *c, const pr_consensus_action *action);
void pr_machine_count(pr_consensus *c, pr_consensus_metric metric, uint32_t label);
void pr_machine_refuse(pr_consensus *c, pr_refusal why);
void pr_machine_persist(pr_consensus *c, pr_consensus_record kind, const uint8_t *data, size_t size);
void pr_machine_send(pr_consensus *c, uint32_t to, const pr_kept *bytes); /* to NO_VALIDATOR: nowhere */
void pr_machine_broadcast(pr_consensus *c, const uint8_t *data, size_t size);
void pr_machine_settle(pr_consensus *c);
bool pr_machine_is_active(const pr_consensus *c); /* oneself */
/* A message of one's own with its header filled; false: not signed. */
bool pr_machine_sign(pr_consensus *c, uint8_t out[PR_MESSAGE_MAX_BYTES], size_t *size, pr_message *m);
/* A prover's announcement, out of what it is about and the prover's signature; returns its size. */
size_t pr_machine_announcement(const pr_consensus *c, uint8_t out[PR_MESSAGE_MAX_BYTES], pr_message *m,
                               const pr_subject *subject, const uint8_t signature[PR_SIGNATURE_BYTES]);
bool pr_kept_set(pr_kept *blob, const uint8_t *data, size_t size); /* copies; false: no memory, blob is empty */
void pr_kept_clear(pr_kept *blob);
pr_kept pr_kept_take(pr_writer *w); /* empty when the writer failed */
uint64_t pr_timer_of(const pr_consensus *c, const pr_entry *entry);
#define PR_VIEW_TIMER 0u

/* ---- round ---- */
pr_round *pr_round_open(pr_consensus *c, pr_entry *entry, const pr_subject *subject,
                        const uint8_t announcement[PR_SIGNATURE_BYTES]); /* NULL: refused as FULL */
void pr_round_drop(pr_consensus *c, pr_entry *entry);                    /* without an outcome */
pr_round *pr_round_replace(pr_consensus *c, pr_entry *entry, const pr_subject *subject,
                           const uint8_t announcement[PR_SIGNATURE_BYTES]); /* as open, in the place of one, if any */
void pr_round_make_room(pr_consensus *c, const pr_entry *entry, const pr_subject *subject);
#define PR_ROUND_OVERTAKINGS 8u /* proposals of one job in one view that may be overtaken: more are refused */
/* The leader of the view, oneself or another, proposes it; data: its proposal. False: no memory. From now on the round
 * is on record: nobody else makes one's journal grow. */
bool pr_round_propose(pr_consensus *c, pr_round *round, const uint8_t *data, size_t size);
void pr_round_record(pr_consensus *c, const pr_round *round, const uint8_t *data, size_t size); /* of one on record */
void pr_round_begin_view(pr_consensus *c, pr_entry *entry);
void pr_round_settle(pr_consensus *c, pr_entry *entry);
void pr_round_end(pr_consensus *c, pr_entry *entry, const pr_subject *subject, uint64_t view, pr_round_outcome outcome);
void pr_round_close(pr_consensus *c, pr_entry *entry, pr_round_outcome outcome);
void pr_round_approve(pr_consensus *c, pr_entry *entry, const pr_subject *subject, uint64_t view, pr_kept certificate);
bool pr_round_hold_vote(pr_entry *entry, const pr_message *vote, const uint8_t *data, size_t size);
bool pr_round_hold_absence(pr_consensus *c, pr_entry *entry, const pr_message *m);
void pr_round_committee(const pr_consensus *c, pr_committee *out, const pr_subject *subject,
                        const pr_validator_set *absent);
/* What this node has said in an open round, for those who have not heard it. */
void pr_round_say_again(pr_consensus *c, pr_entry *entry);
void pr_round_expire(pr_consensus *c, pr_entry *entry);
pr_proof_verdict pr_known_verdict(const pr_known *known, const pr_subject *subject);
void pr_round_ask(pr_consensus *c, pr_round *round, const pr_subject *subject); /* round: or NULL */

/* ---- certify ---- */
pr_kept pr_round_certify(const pr_consensus *c, const pr_round *round, const pr_committee *committee,
                         const pr_validator_set *absent);

/* ---- vote ---- */
void pr_vote_cast(pr_consensus *c, pr_entry *entry);
typedef enum pr_naming { PR_NAME_NEW, PR_NAME_ALL /* also whom this node has named before */ } pr_naming;
void pr_vote_name_absent(pr_consensus *c, pr_entry *entry, const pr_committee *committee, pr_naming naming);
void pr_vote_announce(pr_consensus *c, pr_entry *entry); /* one's own proof again */
void pr_vote_send_status(pr_consensus *c, uint32_t to /* NO_VALIDATOR: everybody */, const pr_hash *job);

/* ---- lead ---- */
bool pr_lead_hands_out(const pr_consensus *c, const pr_subject *subject); /* this node leads and knows the attempt */
void pr_lead_propose(pr_consensus *c, pr_entry *entry);
void pr_lead_update(pr_consensus *c); /* after a removal or a view: who leads now */
void pr_lead_advance(pr_consensus *c, uint64_t view, pr_kept certificate);
void pr_lead_ask(pr_consensus *c, uint64_t view);
void pr_lead_leave(pr_consensus *c);                   /* asks for the next view */
void pr_lead_consider(pr_consensus *c, uint64_t view); /* requests for view have changed */
void pr_lead_expire(pr_consensus *c);
void pr_lead_watch(pr_consensus *c); /* the view's timer runs while rounds are open */

/* ---- accuse ---- */
void pr_accuse(pr_consensus *c, pr_evidence_kind kind, uint32_t offender, const uint8_t *first, size_t first_size,
               const uint8_t *second, size_t second_size);
void pr_accuse_prover(pr_consensus *c, const pr_subject *subject, const uint8_t announcement[PR_SIGNATURE_BYTES]);
void pr_accuse_take(pr_consensus *c, const uint8_t *data, size_t size);
void pr_accuse_resolve(pr_consensus *c, const pr_known *known); /* a verdict has come in */
void pr_accuse_forget(pr_consensus *c, const pr_subject *subject);
void pr_accuse_apply(pr_consensus *c, const pr_evidence *e, const uint8_t *data, size_t size);

/* ---- receive ---- */
void pr_receive_announcement(pr_consensus *c, uint32_t from, const pr_message *m, const uint8_t *data, size_t size);
void pr_receive_batch(pr_consensus *c, const pr_message *m);
#endif
