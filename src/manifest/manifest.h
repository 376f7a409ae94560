/* The manifest of a run (YAML): which jobs, with which parameters, at which security profile.
 *
 *   version: 1
 *   name: nightly
 *   defaults: { profile: standard, retries: 2 }
 *   jobs:
 *     - id: fib                       # lists in params are a sweep: fib-1, fib-2, fib-3
 *       type: wide_fibonacci
 *       params: { log_rows: [12, 14, 16], columns: 100 }
 *       priority: 5
 *
 * A sweep over several lists is their product; the list that stands last varies fastest. Everything is checked before
 * any work: unknown keys, wrong types, duplicate ids, parameters against the job type's spec. Each problem is one line
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

typedef struct pr_manifest_job {
    char *id;
    const pr_job_type *type;
    pr_params params; /* as given, no defaults; items owned, texts borrowed from the manifest */
    const char *profile;
    pr_config config; /* the profile's */
    int32_t priority; /* higher first */
    uint32_t retries; /* further attempts after the first */
    pr_hash content;  /* pr_job_content_hash */
    size_t line, column;
} pr_manifest_job;

typedef struct pr_manifest {
    char *name, *path, *base_dir; /* base_dir: absolute, where relative paths of parameters start */
    char *text;
    size_t text_size;
    pr_hash digest; /* of text */
    size_t n_jobs;
    pr_manifest_job *jobs;         /* manifest order, sweeps expanded */
    const pr_manifest_job **by_id; /* sorted */
    struct pr_yaml *tree;          /* owner of texts */
} pr_manifest;

/* types: NULL-terminated. report (may be NULL) gets every problem found, a line each; err the first one.
 * PR_ERR_USAGE; nothing to clear then. */
PR_MUST_CHECK pr_status pr_manifest_load(pr_manifest *out, const char *path, const pr_job_type *const *types,
                                         pr_writer *report, pr_error *err);
/* The same from text that is already there; path for messages, base_dir for relative paths. Both are copied. */
PR_MUST_CHECK pr_status pr_manifest_parse(pr_manifest *out, const char *text, size_t size, const char *path,
                                          const char *base_dir, const pr_job_type *const *types, pr_writer *report,
                                          pr_error *err);
void pr_manifest_clear(pr_manifest *m);
const pr_manifest_job *pr_manifest_find(const pr_manifest *m, const char *id); /* NULL when absent */
#endif
