#include "air/job_type.h"
#include <stdlib.h>

static pr_status allocate(pr_job_instance **out, const pr_job_type *type, pr_error *err) {
    *out = calloc(1, type->instance_bytes);
    return *out ? PR_OK : pr_fail(err, PR_ERR_MEMORY, "out of memory for a job of type %s", type->name);
}

static pr_status keep(pr_job_instance **job, const pr_job_type *type, pr_status status) {
    if (status == PR_OK) return PR_OK;
    pr_instance_destroy(type, *job);
    *job = NULL;
    return status;
}

pr_status pr_instance_create(pr_job_instance **out, const pr_job_type *type, const pr_params *params, pr_error *err) {
    PR_TRY(allocate(out, type, err));
    return keep(out, type, type->load(*out, params, err));
}

pr_status pr_instance_create_public(pr_job_instance **out, const pr_job_type *type, const pr_params *params,
                                    const void *public_data, size_t size, pr_error *err) {
    PR_TRY(allocate(out, type, err));
    return keep(out, type, type->load_public(*out, params, public_data, size, err));
}

void pr_instance_destroy(const pr_job_type *type, pr_job_instance *job) {
    if (!job) return;
    type->clear(job);
    free(job);
}
