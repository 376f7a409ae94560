/* All that is known of one job that ended: its row in /jobs and the parts that other tables hold. One record is what a
 * worker sends, what the store appends, and what a reader gets back.
 *
 * The fields of rows are described once, as data (pr_row_spec); the HDF5 types, the encoding and `show` follow. */
#ifndef PR_STORE_RECORD_H
#define PR_STORE_RECORD_H
#include "base/bytes.h"
#include "hash/blake2s.h"

#define PR_RECORD_MAX_PARAMS 64
#define PR_RECORD_MAX_OUTPUTS 64
#define PR_RECORD_MAX_HISTORY 64
#define PR_RECORD_MAX_PUBLIC ((size_t)64 << 20)
#define PR_RECORD_MAX_PROOF ((size_t)1 << 30)
#define PR_CHAIN_LIMIT_BYTES ((size_t)256 << 10) /* compressed; larger: not fit for on-chain submission */

/* How far a job came. */
typedef enum pr_job_state {
    PR_STATE_QUEUED,
    PR_STATE_PREPARED, /* inputs read, statement built */
    PR_STATE_PROVEN,
    PR_STATE_SELF_VERIFIED, /* by the rank that proved it */
    PR_STATE_VERIFIED,      /* by another rank, from the bytes */
    PR_STATE_COUNT
} pr_job_state;
const char *pr_job_state_name(uint32_t state);

typedef enum pr_outcome {
    PR_OUTCOME_NONE,
    PR_OUTCOME_APPROVED,
    PR_OUTCOME_SELF_VERIFIED, /* one rank: nobody else was there */
    PR_OUTCOME_REJECTED,      /* its proof was refused by those who verified it */
    PR_OUTCOME_FAILED,        /* no proof; the reason says why */
    PR_OUTCOME_REFUSED,       /* never begun: it cannot fit, or its deadline cannot be met */
    PR_OUTCOME_SKIPPED,       /* never begun: a job that it comes after has no proof */
    PR_OUTCOME_TIMEOUT,       /* its time limit or deadline ended it, or no quorum voted in time */
    PR_OUTCOME_UNVOTED,       /* the run's committees have no members: nobody but the prover verified it */
    PR_OUTCOME_MERGED,        /* was approved in a file that was merged into this one; the certificate is in that one */
    PR_OUTCOME_COUNT
} pr_outcome;
const char *pr_outcome_name(uint32_t outcome);
static inline bool pr_outcome_is_done(uint32_t o) {
    return o == PR_OUTCOME_APPROVED || o == PR_OUTCOME_SELF_VERIFIED || o == PR_OUTCOME_UNVOTED ||
           o == PR_OUTCOME_MERGED;
}

/* How one attempt at a job ended. */
typedef enum pr_attempt_end {
    PR_ATTEMPT_PROVED,    /* and the bytes verified, or at least were handed over */
    PR_ATTEMPT_FAILED,    /* the prover said why */
    PR_ATTEMPT_CRASHED,   /* the child died */
    PR_ATTEMPT_KILLED,    /* the child was killed for memory */
    PR_ATTEMPT_HUNG,      /* no progress: the supervisor ended it */
    PR_ATTEMPT_TIMEOUT,   /* over its time limit */
    PR_ATTEMPT_WRONG,     /* its proof did not verify */
    PR_ATTEMPT_RANK_LOST, /* with the rank that made it */
    PR_ATTEMPT_STOPPED,   /* given up in a drain */
    PR_ATTEMPT_COUNT
} pr_attempt_end;
const char *pr_attempt_end_name(uint32_t end);

/* What an operator wants to find again in /events. */
typedef enum pr_event_kind {
    PR_EVENT_NOTE,
    PR_EVENT_DRAIN, /* nothing new is handed out; the text says who asked */
    PR_EVENT_STOP,
    PR_EVENT_RANK_LOST,
    PR_EVENT_RANK_SILENT,
    PR_EVENT_RANK_BACK,
    PR_EVENT_RANK_DRAINED,
    PR_EVENT_CHILD_DIED,
    PR_EVENT_CHILD_HUNG,
    PR_EVENT_BACKEND_FAILED,
    PR_EVENT_BACKEND_DRAINED,
    PR_EVENT_REQUEUED,
    PR_EVENT_SPECULATIVE,   /* handed out a second time while the first rank is silent */
    PR_EVENT_LATE_ANSWER,   /* equal to the one that counts */
    PR_EVENT_CONTRADICTION, /* an answer that differs from the one that counts */
    PR_EVENT_BAD_MESSAGE,
    PR_EVENT_CLOCK, /* the wall clock jumped */
    PR_EVENT_DEADLINE,
    PR_EVENT_JOURNAL, /* a torn end dropped, a repair, what was lost */
    PR_EVENT_MERGE,
    PR_EVENT_REMOVED, /* a validator, for fraud: the text says which */
    PR_EVENT_VIEW,    /* another leader */
    PR_EVENT_COUNT
} pr_event_kind;
const char *pr_event_kind_name(uint32_t kind);

typedef enum pr_rank_activity {
    PR_ACTIVITY_IDLE,
    PR_ACTIVITY_PROVING,
    PR_ACTIVITY_VERIFYING, /* and nothing else */
    PR_ACTIVITY_SILENT,
    PR_ACTIVITY_DRAINED,
    PR_ACTIVITY_LOST,
    PR_ACTIVITY_ENDED,
    PR_ACTIVITY_COUNT
} pr_rank_activity;
const char *pr_rank_activity_name(uint32_t state);

typedef enum pr_assigned { PR_ASSIGNED_PROVE, PR_ASSIGNED_VERIFY, PR_ASSIGNED_COUNT } pr_assigned;
const char *pr_assigned_name(uint32_t what);

typedef struct pr_job_row {
    char id[128], type[48], profile[32];
    uint32_t type_version, state, outcome;
    int32_t prover_rank, verifier_rank; /* -1: none */
    char prover_host[64], backend[24], device[32];
    int32_t priority;
    uint32_t attempts, retries, child_restarts, session, manifest;
    uint32_t gpu_used, cpu_fallbacks, insecure, flagged_large;
    double conjectured_bits, proven_bits, field_bits;
    uint32_t pow_bits, log_blowup, n_queries, log_last_layer_degree_bound, fold_step, interaction_pow_bits;
    int32_t lifting_log_size;
    uint32_t log_rows, n_columns, n_constraints, threads;
    char content_hash[65], air_digest[65], statement_digest[65], proof_hash[65], commitment[65];
    uint64_t public_bytes, proof_bytes, proof_json_bytes, proof_compressed_bytes, peak_rss_bytes;
    uint64_t predicted_bytes, predicted_device_bytes;
    double expected_ms, queue_ms;
    double prove_ms, self_verify_ms, verify_ms;
    double trace_ms, extend_ms, merkle_ms, lookups_ms, composition_ms, samples_ms, quotients_ms, fri_ms, grind_ms,
        open_ms;
    uint64_t time_limit_ns, deadline_ns, started_ns, finished_ns;
    char started_at[32], finished_at[32];
    char after[256];
    char reason[512];
    char encrypted_to[67]; /* a public key, 0x and 64 digits; "": not encrypted (work/seal.h) */
} pr_job_row;

typedef struct pr_attempt_row { /* one attempt at a job: its history */
    char id[128];
    uint32_t attempt, end; /* attempt: from 1, over all sessions */
    int32_t rank;
    char host[64], backend[24], stage[24]; /* stage: the last one heard of */
    uint64_t started_ns, finished_ns;
    char reason[256];
} pr_attempt_row;

typedef struct pr_param_row {
    char id[128], name[64], value[1024];
} pr_param_row;
typedef struct pr_output_row {
    char id[128], name[64], value[160];
} pr_output_row;
typedef struct pr_proof_row {
    char id[128];
    uint64_t offset, length;
    char codec[16], hash[65];
} pr_proof_row;
typedef struct pr_public_row {
    char id[128];
    uint64_t offset, length;
} pr_public_row;
typedef struct pr_session_row { /* one start of the program on this run */
    char id[24];
    uint32_t ranks, threads, jobs, done_before; /* jobs: of the manifest */
    char started_at[32], finished_at[32], status[16];
    char hosts[512], command_line[1024];
} pr_session_row;
typedef struct pr_event_row {
    char id[128]; /* of the job; "": none */
    uint64_t time_ns;
    char time_at[32];
    uint32_t kind;
    int32_t rank;
    char text[512];
} pr_event_row;
typedef struct pr_sample_row { /* one point of a time series */
    char id[96];               /* as Prometheus writes it: proverun_jobs_total{outcome="approved"} */
    uint64_t time_ns;
    double value;
} pr_sample_row;

/* Rows that live in the journal alone, for those who look at a run that goes on. */
typedef struct pr_assignment_row {
    char id[128];
    uint32_t attempt, what;
    int32_t rank;
} pr_assignment_row;
typedef struct pr_rank_row {
    char id[128]; /* the job at hand; "": none */
    int32_t rank;
    uint32_t state;
    char host[64], stage[24];
    double progress;   /* of the stage, 0 to 1 */
    uint64_t heard_ns; /* since 1970 UTC: the last message of that rank */
} pr_rank_row;

typedef enum pr_field_kind {
    PR_FIELD_TEXT,
    PR_FIELD_U32,
    PR_FIELD_I32,
    PR_FIELD_U64,
    PR_FIELD_F64,
    PR_FIELD_FLAG,    /* uint32_t 0 or 1 */
    PR_FIELD_STATE,   /* uint32_t, pr_job_state */
    PR_FIELD_OUTCOME, /* uint32_t, pr_outcome */
    PR_FIELD_ATTEMPT_END,
    PR_FIELD_EVENT,
    PR_FIELD_RANK_STATE,
    PR_FIELD_ASSIGNED,
    PR_FIELD_REMOVAL, /* from here on: of the consensus */
    PR_FIELD_VERDICT,
    PR_FIELD_VOTE_REASON,
    PR_FIELD_ATTESTATION,
    PR_FIELD_EVIDENCE,
    PR_FIELD_ROUND_OUTCOME,
    PR_FIELD_KINDS
} pr_field_kind;

/* The names of an enumeration, from 0; count 0 for kinds that are none. */
typedef struct pr_enumeration {
    uint32_t count;
    const char *(*name)(uint32_t value);
} pr_enumeration;
pr_enumeration pr_field_enumeration(pr_field_kind kind);

typedef struct pr_field {
    const char *name;
    pr_field_kind kind;
    size_t offset, size; /* in the row's struct */
    const char *help;
} pr_field;
/* "ns", "ms", "bytes", "bits", or "1" where there is none. Names carry units. */
const char *pr_field_unit(const pr_field *field);

typedef struct pr_row_spec {
    size_t row_bytes, n_fields;
    const pr_field *fields;
} pr_row_spec;
extern const pr_row_spec pr_job_row_spec, pr_param_row_spec, pr_output_row_spec, pr_proof_row_spec, pr_public_row_spec,
    pr_session_row_spec, pr_attempt_row_spec, pr_event_row_spec, pr_sample_row_spec, pr_assignment_row_spec,
    pr_rank_row_spec;

/* A row in little-endian bytes, fields in order. */
void pr_row_encode(pr_writer *out, const pr_row_spec *spec, const void *row);
/* Sets r->failed on anything that a row cannot hold: texts with control characters, numbers out of their enumeration.
 */
void pr_row_decode(pr_reader *r, const pr_row_spec *spec, void *row);
/* Makes any bytes a valid row: terminates texts, replaces control characters; false when something had to change or an
 * enumeration is out of range. For rows read from files. */
bool pr_row_sanitize(const pr_row_spec *spec, void *row);
/* Cuts text to fit, control characters become spaces. */
void pr_row_set_text(char *out, size_t size, const char *text);
/* A field as text, for tables. */
void pr_row_show(char *out, size_t size, const pr_field *field, const void *row);

typedef struct pr_record {
    pr_job_row row;
    size_t n_params, n_outputs, n_history;
    pr_param_row *params;
    pr_output_row *outputs;
    pr_attempt_row *history; /* of this session's attempts */
    uint8_t *public_data;    /* row.public_bytes */
    uint8_t *proof;          /* row.proof_compressed_bytes; zstd around the canonical encoding */
} pr_record;                 /* owns its pointers */

void pr_record_clear(pr_record *record);
/* Adds a copy of row, with the record's id; what is over PR_RECORD_MAX_HISTORY is left out. */
PR_MUST_CHECK pr_status pr_record_add_attempt(pr_record *record, const pr_attempt_row *row, pr_error *err);
void pr_record_encode(pr_writer *out, const pr_record *record);
/* PR_ERR_MALFORMED, nothing to clear. */
PR_MUST_CHECK pr_status pr_record_decode(pr_record *out, const void *data, size_t size, pr_error *err);
#endif
