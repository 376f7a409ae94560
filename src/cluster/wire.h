/* Messages between rank 0 and the supervisors of all ranks (its own too): encoding and decoding, no MPI.
 *
 * A message is magic, version, type, fields; little-endian; every length bounded. What arrives is checked like any
 * input from outside: a message that does not decode is refused, never trusted.
 *
 *   supervisor                   rank 0
 *     HELLO    ------------------>
 *              <------------------ MANIFEST     run: its number; what names another run is old and ignored
 *     READY    ------------------>              the rank's key, and its lot opened
 *              <------------------ ROSTER       the validators, and how they vote
 *              <------------------ PROVE        several short ones ahead, to be begun in turn
 *     ANSWER   ------------------>              a proof, or why there is none
 *              <------------------ CANCEL       the attempt is not needed any more
 *     VERDICT  ------------------>              what its own verifier says, before or beside its vote
 *     NOTE     ------------------>              an event worth keeping
 *     PING     <----------------->              about once a second, with what the rank does
 *              <------------------ CLOSE        all jobs of the run have ended: the outcomes are signed
 *              <------------------ STOP
 *     BYE      ------------------>              nothing comes after it
 *
 * and between any two ranks: VOTE, a message of the consensus; FETCH and PROOF, a proof to verify, asked for and given.
 */
#ifndef PR_CLUSTER_WIRE_H
#define PR_CLUSTER_WIRE_H
#include "schedule/schedule.h"
#include "store/record.h"
#include "work/line.h"

#define PR_WIRE_VERSION 5

typedef enum pr_wire_type {
    PR_WIRE_HELLO = 1,
    PR_WIRE_MANIFEST,
    PR_WIRE_READY,
    PR_WIRE_ROSTER,
    PR_WIRE_PROVE,
    PR_WIRE_ANSWER,
    PR_WIRE_CANCEL,
    PR_WIRE_VOTE,
    PR_WIRE_FETCH,
    PR_WIRE_PROOF,
    PR_WIRE_VERDICT,
    PR_WIRE_NOTE,
    PR_WIRE_PING,
    PR_WIRE_CLOSE,
    PR_WIRE_STOP,
    PR_WIRE_BYE,
    PR_WIRE_TYPES
} pr_wire_type;
const char *pr_wire_type_name(uint32_t type);

typedef struct pr_wire_hello {
    char host[64], version[32];
    uint32_t pid, threads;
    uint32_t proves;            /* 0 or 1 */
    uint32_t bound_to_one_core; /* 0 or 1 */
    uint32_t node;              /* lowest rank on this node: its name */
    uint64_t node_bytes;        /* for all provers of the node; 0: not known */
    char device[32];            /* PCI bus id, of a slice with the beginning of its name; "": none */
    uint64_t device_bytes;
    char place[256];    /* why it runs where it runs */
    pr_hash sealed_lot; /* pr_lot_seal of its share of the seed of committees (cluster/lots.h) */
} pr_wire_hello;

typedef struct pr_wire_manifest { /* pointers into the message */
    uint32_t run;
    const char *path, *base_dir, *text;
    size_t text_size;
    pr_hash digest;     /* of text, as it is here */
    pr_hash run_digest; /* that of the run, which commitments bind; another one after an edited resume */
    const char *run_id;
    const char *key_folder; /* where ranks have their keys, unless they are told otherwise */
    pr_hash sealed_lots;    /* pr_lots_seal of all: only now are they opened */
} pr_wire_manifest;

typedef struct pr_wire_ready {
    uint32_t run, n_jobs;
    uint32_t status; /* pr_status */
    uint8_t public_key[32];
    pr_hash lot, next_sealed_lot; /* next: for the next run on these ranks */
    char reason[512];
} pr_wire_ready;

typedef struct pr_wire_votes { /* how the consensus works in this run */
    uint32_t committee_size, round_timeout_ms, view_timeout_ms, retries, threads;
} pr_wire_votes;

typedef struct pr_wire_validator {
    uint8_t public_key[32];
    uint64_t stake;
    int32_t rank;  /* -1: not in this session */
    uint64_t away; /* the sets of those away in a session that it is in: consensus/registry.h */
} pr_wire_validator;
#define PR_WIRE_VALIDATOR_BYTES 52u

typedef struct pr_wire_roster { /* pointers into the message */
    uint32_t run;
    const char *folder; /* where each rank keeps what it signs */
    uint32_t resumed;   /* 0 or 1: the seed is that of the run's first session */
    pr_hash seed;       /* of committees; of a new run: pr_lots_draw of the lots */
    pr_wire_votes votes;
    uint32_t n_lots;
    const uint8_t *seals, *lots; /* [n_lots * 32] each, by rank; a lot of zeros: not opened */
    uint32_t n_validators;
    const uint8_t *validators; /* [n_validators * PR_WIRE_VALIDATOR_BYTES], in the order of their registration */
} pr_wire_roster;

typedef struct pr_wire_task { /* what PROVE, CANCEL, ANSWER, VERDICT, FETCH and PROOF are about */
    uint32_t run, job, attempt;
} pr_wire_task;

typedef struct pr_wire_prove {
    pr_wire_task task;
    uint32_t cpu_only;                        /* 0 or 1 */
    uint32_t begins_ahead;                    /* 0 or 1: what comes after it may be begun beside it */
    uint32_t n_next, next[PR_WORK_MOST_NEXT]; /* jobs that may come after what the rank was given: guesses */
    uint64_t time_limit_ms;                   /* 0: none */
    uint64_t quiet_ms;                        /* no progress for so long: it hangs */
} pr_wire_prove;

#define PR_WIRE_PROVED UINT32_MAX
typedef struct pr_wire_answer {
    pr_wire_task task;
    uint32_t failure; /* pr_failure, or PR_WIRE_PROVED */
    uint32_t end;     /* pr_attempt_end */
    uint32_t cpu_only, child_restarts;
    uint64_t started_ns, finished_ns; /* since 1970 UTC */
    char stage[24], reason[512];
    pr_record record; /* owned; without a proof when there is none */
} pr_wire_answer;

typedef struct pr_wire_vote { /* a message of the consensus; data: in the message */
    uint32_t run;
    const uint8_t *data;
    size_t size;
} pr_wire_vote;

typedef struct pr_wire_fetch {
    pr_wire_task task;
    pr_hash proof_hash;
} pr_wire_fetch;

typedef struct pr_wire_proof {
    pr_wire_task task;
    pr_record record; /* owned */
} pr_wire_proof;

typedef struct pr_wire_verdict {
    pr_wire_task task;
    uint32_t verdict; /* pr_verdict */
    double verify_ms;
    char reason[512];
} pr_wire_verdict;

typedef struct pr_wire_note {
    uint32_t kind; /* pr_event_kind */
    uint32_t has_job;
    pr_wire_task task; /* where has_job */
    char text[512];
} pr_wire_note;

typedef struct pr_wire_ping {
    uint32_t has_job;
    pr_wire_task task; /* what is proven, where has_job */
    uint32_t step;
    uint32_t verifying; /* 0 or 1 */
    char stage[24];
} pr_wire_ping;

typedef enum pr_stop_how {
    PR_STOP_IN_ORDER, /* all ranks end together: MPI_Finalize */
    PR_STOP_AT_ONCE,  /* a rank was lost: nothing collective any more */
    PR_STOP_HOWS
} pr_stop_how;
typedef struct pr_wire_stop {
    uint32_t how;
    uint32_t exit_code;
} pr_wire_stop;

typedef struct pr_wire {
    pr_wire_type type;
    union {
        pr_wire_hello hello;
        pr_wire_manifest manifest;
        pr_wire_ready ready;
        pr_wire_roster roster;
        pr_wire_prove prove;
        pr_wire_task cancel;
        pr_wire_answer answer;
        pr_wire_vote vote;
        pr_wire_fetch fetch;
        pr_wire_proof proof;
        pr_wire_verdict verdict;
        pr_wire_note note;
        pr_wire_ping ping;
        uint32_t close; /* run */
        pr_wire_stop stop;
    } as;
} pr_wire;

/* Writers set out->failed when memory runs out. */
void pr_wire_encode(pr_writer *out, const pr_wire *message);
void pr_wire_validator_put(pr_writer *out, const pr_wire_validator *validator);
void pr_wire_validator_get(pr_wire_validator *out, const pr_wire_roster *m, uint32_t index);
/* data must outlive a MANIFEST, ROSTER or VOTE message. PR_ERR_MALFORMED, nothing to clear. */
PR_MUST_CHECK pr_status pr_wire_decode(pr_wire *out, const void *data, size_t size, pr_error *err);
void pr_wire_clear(pr_wire *message);
#endif
