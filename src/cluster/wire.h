/* Messages between rank 0 and the supervisors of all ranks (its own too): encoding and decoding, no MPI.
 *
 * A message is magic, version, type, fields; little-endian; every length bounded. What arrives is checked like any
 * input from outside: a message that does not decode is refused, never trusted.
 *
 *   supervisor                   rank 0
 *     HELLO    ------------------>
 *              <------------------ MANIFEST     run: its number; what names another run is old and ignored
 *     READY    ------------------>
 *              <------------------ PROVE        one at a time
 *     ANSWER   ------------------>              a proof, or why there is none
 *              <------------------ CANCEL       the attempt is not needed any more
 *              <------------------ VERIFY       one at a time, beside PROVE
 *     VERDICT  ------------------>
 *     NOTE     ------------------>              an event worth keeping
 *     PING     <----------------->              about once a second, with what the rank does
 *              <------------------ STOP
 *     BYE      ------------------>              nothing comes after it
 */
#ifndef PR_CLUSTER_WIRE_H
#define PR_CLUSTER_WIRE_H
#include "schedule/schedule.h"
#include "store/record.h"

#define PR_WIRE_VERSION 2

typedef enum pr_wire_type {
    PR_WIRE_HELLO = 1,
    PR_WIRE_MANIFEST,
    PR_WIRE_READY,
    PR_WIRE_PROVE,
    PR_WIRE_ANSWER,
    PR_WIRE_CANCEL,
    PR_WIRE_VERIFY,
    PR_WIRE_VERDICT,
    PR_WIRE_NOTE,
    PR_WIRE_PING,
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
    char device[32];            /* PCI bus id; "": none */
    uint64_t device_bytes;
    char place[256]; /* why it runs where it runs */
} pr_wire_hello;

typedef struct pr_wire_manifest { /* pointers into the message */
    uint32_t run;
    const char *path, *base_dir, *text;
    size_t text_size;
    pr_hash digest;     /* of text, as it is here */
    pr_hash run_digest; /* that of the run, which commitments bind; another one after an edited resume */
} pr_wire_manifest;

typedef struct pr_wire_ready {
    uint32_t run, n_jobs;
    uint32_t status; /* pr_status */
    char reason[512];
} pr_wire_ready;

typedef struct pr_wire_task { /* what PROVE, CANCEL, VERIFY, ANSWER and VERDICT are about */
    uint32_t run, job, attempt;
} pr_wire_task;

typedef struct pr_wire_prove {
    pr_wire_task task;
    uint32_t cpu_only;      /* 0 or 1 */
    uint64_t time_limit_ms; /* 0: none */
    uint64_t quiet_ms;      /* no progress for so long: it hangs */
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

typedef struct pr_wire_verify {
    pr_wire_task task;
    pr_record record; /* owned */
} pr_wire_verify;

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
        pr_wire_prove prove;
        pr_wire_task cancel;
        pr_wire_answer answer;
        pr_wire_verify verify;
        pr_wire_verdict verdict;
        pr_wire_note note;
        pr_wire_ping ping;
        pr_wire_stop stop;
    } as;
} pr_wire;

/* Writers set out->failed when memory runs out. */
void pr_wire_encode(pr_writer *out, const pr_wire *message);
/* data must outlive a MANIFEST message. PR_ERR_MALFORMED, nothing to clear. */
PR_MUST_CHECK pr_status pr_wire_decode(pr_wire *out, const void *data, size_t size, pr_error *err);
void pr_wire_clear(pr_wire *message);
#endif
