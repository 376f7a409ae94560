/* Messages between rank 0 and the other ranks: encoding and decoding, no MPI.
 *
 * A message is magic, version, type, fields; little-endian; every length bounded. What arrives is checked like any
 * input from outside: a message that does not decode is refused, never trusted.
 *
 *   worker                       rank 0
 *     HELLO    ------------------>
 *              <------------------ MANIFEST
 *     READY    ------------------>
 *              <------------------ PROVE       } one of the two at a time,
 *     PROVED   ------------------>             } until
 *              <------------------ VERIFY      }
 *     VERIFIED ------------------>             }
 *              <------------------ STOP
 */
#ifndef PR_CLUSTER_WIRE_H
#define PR_CLUSTER_WIRE_H
#include "store/record.h"

#define PR_WIRE_VERSION 1
#define PR_WIRE_MAX_BYTES ((size_t)1536 << 20)

typedef enum pr_wire_type {
    PR_WIRE_HELLO = 1,
    PR_WIRE_MANIFEST,
    PR_WIRE_READY,
    PR_WIRE_PROVE,
    PR_WIRE_PROVED,
    PR_WIRE_VERIFY,
    PR_WIRE_VERIFIED,
    PR_WIRE_STOP,
    PR_WIRE_TYPES
} pr_wire_type;
const char *pr_wire_type_name(uint32_t type);

typedef struct pr_wire_hello {
    char host[64], version[32];
    uint32_t threads;
    uint32_t bound_to_one_core; /* 0 or 1 */
} pr_wire_hello;

typedef struct pr_wire_manifest { /* pointers into the message */
    const char *path, *base_dir, *text;
    size_t text_size;
    pr_hash digest;     /* of text, as it is here */
    pr_hash run_digest; /* that of the run, which commitments bind; another one after an edited resume */
} pr_wire_manifest;

typedef struct pr_wire_ready {
    uint32_t n_jobs;
    uint32_t status; /* pr_status */
    char reason[512];
} pr_wire_ready;

typedef struct pr_wire_prove {
    uint32_t job, attempt;
} pr_wire_prove;

typedef struct pr_wire_proof { /* PROVED and VERIFY */
    uint32_t job, attempt;
    uint32_t status;  /* pr_status; reason in the record's row */
    pr_record record; /* owned */
} pr_wire_proof;

typedef struct pr_wire_verified {
    uint32_t job, attempt, accepted;
    double verify_ms;
    char reason[512];
} pr_wire_verified;

typedef struct pr_wire {
    pr_wire_type type;
    union {
        pr_wire_hello hello;
        pr_wire_manifest manifest;
        pr_wire_ready ready;
        pr_wire_prove prove;
        pr_wire_proof proof;
        pr_wire_verified verified;
    } as;
} pr_wire;

/* Writers set out->failed when memory runs out. */
void pr_wire_encode(pr_writer *out, const pr_wire *message);
/* data must outlive a MANIFEST message. PR_ERR_MALFORMED, nothing to clear. */
PR_MUST_CHECK pr_status pr_wire_decode(pr_wire *out, const void *data, size_t size, pr_error *err);
void pr_wire_clear(pr_wire *message);
#endif
