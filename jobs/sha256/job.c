#include "sha256/job.h"
#include "sha256/layout.h"

static pr_status load(pr_job_instance *job, const pr_params *params, pr_error *err) {
    return pr_digest_load(job, &pr_sha256_kind, params, err);
}

static pr_status load_public(pr_job_instance *job, const pr_params *params, const void *public_data, size_t size,
                             pr_error *err) {
    return pr_digest_load_public(job, &pr_sha256_kind, params, public_data, size, err);
}

static pr_status size_of(pr_job_size *out, const pr_params *params, pr_error *err) {
    return pr_digest_size(out, &pr_sha256_kind, params, err);
}

static const pr_param_spec params_spec[] = {
    PR_BYTES_PARAMS,
};

static const pr_param_rule rules[] = {PR_BYTES_RULES};

static const pr_param example[] = {{"path", "/usr/share/common-licenses/BSD"}};

const pr_job_type pr_job_sha256 = {
    .name = "sha256",
    .version = 1,
    .summary = "A file of `length` bytes is known whose SHA-256 digest is `digest`, as `sha256sum` prints "
               "it.",
    PR_JOB_TABLE(params, params_spec),
    PR_JOB_TABLE(rules, rules),
    PR_JOB_TABLE(example, example),
    .instance_bytes = sizeof(pr_job_instance),
    .load = load,
    .clear = pr_digest_clear,
    .air = pr_digest_air,
    .write_public = pr_digest_write_public,
    .outputs = pr_digest_outputs,
    .load_public = load_public,
    .trace = pr_digest_trace,
    .fills_storage = true,
    .size = size_of,
};
