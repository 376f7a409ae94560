/* Frames between a supervisor and its prover child: encoding and decoding, no I/O.
 *
 * A frame is magic, version, type, length of what follows, fields; little-endian; one packet each. Every text and
 * number is bounded. What is large (manifest, records) does not travel in frames but in sealed memory beside them.
 *
 *   child                        supervisor
 *              <------------------ CONFIG      once, first, with memory to tell progress in (beat.h)
 *              <------------------ MANIFEST    with memory: its text; again when it changes
 *     READY    ------------------>             for each manifest
 *              <------------------ JOB         a few ahead of their answers, which come in the same order
 *     ANSWER   ------------------>             with memory: the record
 *              <------------------ STOP
 */
#ifndef PR_CHILD_FRAME_H
#define PR_CHILD_FRAME_H
#include "store/record.h"
#include "work/line.h"

#define PR_CHILD_FRAME_VERSION 3
#define PR_CHILD_FRAME_HEADER 12 /* bytes */
#define PR_CHILD_FRAME_MAX 16384 /* bytes, with the header */
#define PR_CHILD_MAX_TEXT ((size_t)16 << 20)
#define PR_CHILD_MAX_RECORD (PR_RECORD_MAX_PROOF + PR_RECORD_MAX_PUBLIC + ((size_t)1 << 20))

typedef enum pr_child_frame_type {
    PR_CHILD_FRAME_CONFIG = 1,
    PR_CHILD_FRAME_MANIFEST,
    PR_CHILD_FRAME_JOB,
    PR_CHILD_FRAME_STOP,
    PR_CHILD_FRAME_READY,
    PR_CHILD_FRAME_ANSWER,
    PR_CHILD_FRAME_TYPES
} pr_child_frame_type;
const char *pr_child_frame_name(uint32_t type);

typedef struct pr_child_config {
    char backend[32], host[64];
    uint32_t threads, log; /* pr_log_format */
    int32_t rank;
    uint64_t max_bytes, max_device_bytes, share_bytes, memory_limit_bytes;
} pr_child_config;

typedef struct pr_child_text { /* a manifest, all but its text */
    char path[4096], base_dir[4096];
    uint32_t generation; /* counts manifests, from 1 */
    uint64_t size;
    pr_hash digest, run_digest;
} pr_child_text;

typedef struct pr_child_job {
    uint32_t job, attempt, cpu_only;
    uint32_t n_next, next[PR_WORK_MOST_NEXT]; /* likely to come after it */
    uint32_t failures; /* of answers that the supervisor had heard of: after one that it had not, this is not begun */
    uint64_t fault;
} pr_child_job;

typedef struct pr_child_ready {
    uint32_t generation, n_jobs, status;
    char text[512];
} pr_child_ready;

typedef struct pr_child_answer {
    uint32_t job, attempt, status; /* PR_ERR_INTERRUPTED: not begun */
    uint32_t stage, step;          /* the last ones */
    uint64_t size;                 /* of the record in the memory beside it; 0: there is none */
    char text[512];
} pr_child_answer;

typedef struct pr_child_frame {
    pr_child_frame_type type;
    union {
        pr_child_config config;
        pr_child_text manifest;
        pr_child_job job;
        pr_child_ready ready;
        pr_child_answer answer;
    } as;
} pr_child_frame;

/* Texts are cut to their room, control characters become spaces. Sets out->failed when memory runs out. */
void pr_child_frame_encode(pr_writer *out, const pr_child_frame *frame);
/* PR_ERR_MALFORMED on any byte that encode would not write: short, long, foreign, numbers beyond their range, control
 * characters in texts. */
PR_MUST_CHECK pr_status pr_child_frame_decode(pr_child_frame *out, const void *data, size_t size, pr_error *err);
#endif
