/* A seeded, deterministic simulator of the consensus: the machines of src/consensus on 4, 7 or 10 nodes with journals
 * that are written late, a network that loses, delays, doubles and reorders, crashes in the midst of a write, and up to
 * f of 3f + 1 nodes, by stake, that lie. Some runs have several sessions, in each of which other nodes are away, and
 * some have committees of fewer than everybody. Time is simulated; the same seed is the same run, to the last byte.
 *
 *   sim_world   nodes, journals, the network, time          sim_liar   what faulty nodes say
 *   sim_jobs    who proves what, and what has to be approved sim_check  what must never happen
 *   sim_events  the queue of what is to happen               sim_choose what a seed decides at the start
 *
 * A run has two parts. In the first anything happens; from `healed_at` on messages arrive within 10 ms, nobody crashes
 * and every honest verifier works. Liars lie in both. */
#ifndef TEST_CONSENSUS_SIM_H
#define TEST_CONSENSUS_SIM_H
#include "base/random.h"
#include "consensus/batch.h"
#include "consensus/consensus.h"

enum {
    SIM_NODES = 10,
    SIM_JOBS = 4,
    SIM_SUBJECTS = 64,
    SIM_RECENT = 64,
    SIM_SIGNED = 8192,
    SIM_CERTIFICATES = 256,
    SIM_SESSIONS = 3
};

/* ---- what is to happen ---- */

typedef enum sim_event_kind {
    SIM_DELIVER,  /* data from `from` to node */
    SIM_TIMER,    /* of node */
    SIM_VERIFIED, /* node's verifier answers on subject */
    SIM_FLUSH,    /* node's journal is written */
    SIM_CRASH,
    SIM_RETURN, /* node comes back from its journal */
    SIM_LIE,    /* node, a liar, says something of its own */
    SIM_SCHEDULE,
    SIM_SESSION /* everybody stops; the next session begins */
} sim_event_kind;

typedef struct sim_event {
    uint64_t at, order; /* ms; then in the order of their making */
    sim_event_kind kind;
    uint32_t node, from;
    uint32_t life;    /* of the node when this was made: a crash voids timers, answers and writes */
    uint32_t session; /* of DELIVER and RETURN: void in a later one */
    uint32_t setting;
    uint64_t timer;
    pr_subject subject;
    size_t size;
    uint8_t data[];
} sim_event;

typedef struct sim_queue {
    sim_event **heap; /* [n] owned */
    size_t n, capacity;
    uint64_t order;
} sim_queue;

sim_event *sim_event_new(sim_event_kind kind, uint32_t node, size_t size);
void sim_queue_put(sim_queue *q, sim_event *event, uint64_t at); /* takes event */
sim_event *sim_queue_take(sim_queue *q);                         /* NULL: empty; the caller frees it */
void sim_queue_clear(sim_queue *q);

/* ---- nodes ---- */

typedef struct sim_record {
    uint8_t *data;
    size_t size;
} sim_record;

/* An action that waits for what was to be written before it. */
typedef struct sim_effect {
    pr_consensus_action_kind kind;
    uint32_t to;
    pr_subject subject;
    pr_round_outcome outcome;
    sim_record bytes; /* owned */
} sim_effect;

typedef struct sim_node {
    struct sim *sim;
    uint32_t index;
    pr_consensus *c; /* NULL: down */
    bool faulty;
    uint32_t life, settings[SIM_JOBS + 1];
    uint64_t opened_at[SIM_JOBS + 1]; /* by timer: since when the round that it belongs to is open; 0: none is */
    pr_subject recorded[SIM_JOBS];    /* of the last record of a message of another node about a job */
    uint32_t n_recorded[SIM_JOBS];    /* different ones in a row, in this view and life, with no round's end between */
    sim_record *journal;              /* [n_journal] durable */
    size_t n_journal, journal_capacity;
    sim_effect *effects; /* [n_effects] waiting */
    size_t n_effects, effects_capacity;
    bool batch_certified;
} sim_node;

/* ---- the run ---- */

typedef struct sim_job {
    pr_hash name, statement;
    uint32_t attempt, prover; /* handed out last */
    uint64_t begins_at, given_at;
    bool failed;   /* that attempt has ended without an approval */
    bool approved; /* somebody honest has said so */
    bool twofold;  /* honest nodes are bound to a liar's second proof, or liars are a quorum: it need not be approved */
    bool certified;
    pr_hash certified_proof;
} sim_job;

typedef struct sim_weather {
    uint32_t loss, doubling; /* of 100 messages */
    uint32_t delay_ms, write_ms, verify_ms;
    uint32_t unable;    /* of 100 answers of a verifier */
    uint32_t crash_ms;  /* mean time between crashes of a node; 0: none */
    uint32_t silence;   /* of 100 honest messages of a liar's machine, not sent */
    uint32_t lie_ms;    /* mean time between the lies of one */
    bool second_proofs; /* liars have other valid proofs */
    bool stalling;      /* liars do nothing but keep jobs busy */
    bool halving;       /* they do so with good proofs, of which half of the nodes hear */
    bool climbing;      /* liars do nothing but announce, propose and vote on higher and higher attempts */
} sim_weather;

typedef struct sim_signed { /* what an honest node has signed and sent: one statement a key */
    bool used;
    uint32_t signer, attempt;
    int kind;
    uint64_t view;
    pr_hash job, said;
} sim_signed;

typedef struct sim_lock { /* the proof of a job that an honest node has approved */
    bool held;
    pr_hash proof;
} sim_lock;

typedef struct sim_session {
    uint64_t at;
    bool away[SIM_NODES];
    uint32_t set; /* its number, 0: nobody is away */
} sim_session;

typedef enum sim_sabotage { SIM_SOUND, SIM_SEND_BEFORE_WRITE, SIM_LOSE_WRITTEN } sim_sabotage;

typedef struct sim {
    uint64_t seed, now, healed_at, end, n_events;
    pr_prng random;
    bool trace;
    sim_sabotage sabotage; /* of the harness, to show that it would be noticed */
    char failure[512];     /* empty: none */
    sim_weather weather;
    uint32_t n, n_faulty, n_jobs, max_open; /* max_open: rounds of a node, and jobs in the scheduler's hands */
    uint64_t stakes[SIM_NODES];
    sim_session sessions[SIM_SESSIONS];
    uint32_t n_sessions, session; /* session: the one that is on */
    bool limited; /* two certificates of a job may name different proofs, when a liar has two (consensus.md) */
    uint8_t keys[SIM_NODES][PR_PUBLIC_KEY_BYTES];
    pr_consensus_terms terms;
    sim_node nodes[SIM_NODES];
    sim_job jobs[SIM_JOBS];
    sim_queue queue;
    pr_registry auditor;               /* everybody; removed are those against whom evidence was checked */
    pr_subject subjects[SIM_SUBJECTS]; /* announced by somebody; the newest takes the oldest's place */
    uint8_t announcements[SIM_SUBJECTS][PR_SIGNATURE_BYTES];
    uint32_t n_subjects;
    sim_record recent[SIM_RECENT]; /* messages on the network, for replays */
    uint32_t n_recent;
    sim_signed *said; /* [SIM_SIGNED] */
    sim_lock locks[SIM_NODES][SIM_JOBS];
    uint64_t certificates[SIM_CERTIFICATES]; /* digests of those checked */
    uint32_t n_certificates;
    uint64_t messages, crashes, lies, removals, views, conflicts; /* what happened, for the summary */
} sim;

/* Runs seed to its end; true: every promise was kept. */
bool sim_run(sim *s, uint64_t seed);
void sim_fail(sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_say(const sim *s, const char *format, ...) __attribute__((format(printf, 2, 3))); /* with --trace */
static inline uint32_t sim_below(sim *s, uint32_t bound) { return pr_prng_below(&s->random, bound); }
static inline bool sim_chance(sim *s, uint32_t of_100) { return sim_below(s, 100) < of_100; }
static inline bool sim_is_away(const sim *s, uint32_t node) { return s->sessions[s->session].away[node]; }
static inline bool sim_is_healed(const sim *s) { return s->now >= s->healed_at; }

/* ---- choices ---- */
void sim_choose(sim *s);

/* ---- world ---- */
void sim_world_begin(sim *s);
void sim_world_end(sim *s);
void sim_world_handle(sim *s, const sim_event *event);
void sim_world_send(sim *s, uint32_t from, uint32_t to, const uint8_t *data, size_t size); /* over the network */
pr_crypto sim_crypto(sim_node *node);
bool sim_mac_is(const uint8_t key[PR_PUBLIC_KEY_BYTES], const pr_hash *digest, const uint8_t mac[PR_SIGNATURE_BYTES]);
pr_proof_verdict sim_truth(const sim *s, const pr_subject *subject, pr_vote_reason *reason);

/* ---- jobs ---- */
void sim_jobs_begin(sim *s);
void sim_jobs_schedule(sim *s);
void sim_jobs_hear(sim *s, uint32_t node, const pr_subject *subject, pr_round_outcome outcome);
bool sim_jobs_admit(void *sim_node, const pr_subject *subject);
bool sim_jobs_are_done(const sim *s);
void sim_jobs_sign_batch(sim *s);
void sim_jobs_begin_session(sim *s);
pr_subject sim_jobs_subject(const sim *s, uint32_t job, uint32_t attempt, uint32_t prover, uint8_t proof);
enum { SIM_PROOF_INVALID, SIM_PROOF_VALID, SIM_PROOF_WITHHELD };

/* ---- liars ---- */
void sim_liar_lie(sim *s, uint32_t node);
void sim_liar_note(sim *s, const uint8_t *data, size_t size); /* a message that passed */

/* ---- checks ---- */
void sim_check_sent(sim *s, uint32_t node, const uint8_t *data, size_t size); /* by somebody honest */
void sim_check_record(sim *s, uint32_t node, const uint8_t *data, size_t size);
void sim_check_certificate(sim *s, uint32_t node, const uint8_t *data, size_t size);
void sim_check_batch(sim *s, uint32_t node, const uint8_t *data, size_t size);
void sim_check_memory(sim *s);
void sim_check_rounds(sim *s);
void sim_check_end(sim *s);
#endif
