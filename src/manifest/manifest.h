/* The manifest of a run (YAML): which jobs, with which parameters, at which security profile.
 *
 *   version: 1
 *   name: nightly
 *   defaults: { profile: standard, retries: 2, time_limit: 10min }
 *   jobs:
 *     - id: fib                       # lists in params are a sweep: fib-1, fib-2, fib-3
 *       type: wide_fibonacci
 *       params: { log_rows: [12, 14, 16], columns: 100 }
 *       priority: 5
 *     - id: report
 *       type: file_hash
 *       params: { path: report.pdf }
 *       after: [licence, fib]         # ids of jobs; fib: all of the sweep, fib-2: one of it
 *       deadline: 2h                  # from the start of the run, or 2026-11-25T22:00:00Z
 *       encrypt_to: outputs.pub       # or 0x and hex digits, or none: who can read the results (work/seal.h)
 *
 * A sweep over several lists is their product; the list that stands last varies fastest. Everything is checked before
 * any work: unknown keys, wrong types, duplicate ids, parameters against the job type's spec, unknown ids and cycles of
 * `after`. Each problem is one line
 * "file:line:column: what was found; what is allowed". Read-only after loading: any thread may read. */
#ifndef PR_MANIFEST_MANIFEST_H
#define PR_MANIFEST_MANIFEST_H
#include "air/job_type.h"
#include "air/statement.h"
#include "hash/blake2s.h"

#define PR_MANIFEST_MAX_JOBS 1000000u
#define PR_MANIFEST_MAX_ID 100     /* bytes, with the sweep's number */
#define PR_MANIFEST_MAX_VALUE 1000 /* bytes of a parameter's value */
#define PR_MANIFEST_MAX_RETRIES 100
#define PR_MANIFEST_MAX_PROBLEMS 50 /* reported at once */

/* Jobs first .. first + count - 1. */
typedef struct pr_manifest_range {
    uint32_t first, count;
} pr_manifest_range;

typedef struct pr_manifest_job {
    char *id;
    const pr_job_type *type;
    pr_params params; /* as given, no defaults; items owned, texts borrowed from the manifest */
    const char *profile;
    pr_config config;               /* the profile's */
    int32_t priority;               /* higher first */
    uint32_t retries;               /* further attempts after the first */
    uint64_t time_limit_ns;         /* of one attempt; 0: none */
    uint64_t deadline_ns;           /* from the start of the run; 0: none */
    uint64_t deadline_wall_ns;      /* since 1970, UTC; 0: none. At most one of the two is there */
    const char *encrypt_to;         /* a public key or a file with one, as written; NULL: results are not encrypted */
    uint8_t encrypt_key[32];        /* once pr_manifest_read_keys was there */
    const pr_manifest_range *after; /* jobs that must have ended well before; borrowed from the manifest */
    size_t n_after;
    pr_hash content; /* pr_job_content_hash: what is proven, not when or how often it is tried */
    size_t line, column;
} pr_manifest_job;

/* A job as it is written: the jobs of its sweep, or itself. */
typedef struct pr_manifest_group {
    const char *id; /* borrowed */
    uint32_t first, count;
    pr_manifest_range *after; /* owned */
    size_t n_after;
} pr_manifest_group;

typedef struct pr_manifest {
    char *name, *path, *base_dir; /* base_dir: absolute, where relative paths of parameters start */
    char *text;
    size_t text_size;
    pr_hash digest; /* of text */
    size_t n_jobs;
    pr_manifest_job *jobs;         /* manifest order, sweeps expanded */
    const pr_manifest_job **by_id; /* sorted */
    size_t n_groups;
    pr_manifest_group *groups; /* manifest order */
    struct pr_yaml *tree;      /* owner of texts */
} pr_manifest;

/* types: NULL-terminated. report (may be NULL) gets every problem found, a line each; err the first one.
 * PR_ERR_USAGE; nothing to clear then. */
PR_MUST_CHECK pr_status pr_manifest_load(pr_manifest *out, const char *path, const pr_job_type *const *types,
                                         pr_writer *report, pr_error *err);
/* The same from text that is already there; path for messages, base_dir for relative paths. Both are copied. */
PR_MUST_CHECK pr_status pr_manifest_parse(pr_manifest *out, const char *text, size_t size, const char *path,
                                          const char *base_dir, const pr_job_type *const *types, pr_writer *report,
                                          pr_error *err);
/* Reads the public keys of encrypt_to, from files too (relative to base_dir): for who writes the results, rank 0 alone.
 * PR_ERR_USAGE names the first job whose key cannot be had; report as in pr_manifest_load. */
PR_MUST_CHECK pr_status pr_manifest_read_keys(pr_manifest *m, pr_writer *report, pr_error *err);
/* What the job comes after, ids as they are written, with commas between them; cut to fit. */
void pr_manifest_describe_after(char *out, size_t size, const pr_manifest *m, const pr_manifest_job *job);
void pr_manifest_clear(pr_manifest *m);
const pr_manifest_job *pr_manifest_find(const pr_manifest *m, const char *id); /* NULL when absent */
#endif
