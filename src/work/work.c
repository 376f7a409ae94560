#include "work/work.h"
#include "base/clock.h"
#include <stdlib.h>
#include <string.h>

const char *pr_work_stage_name(uint32_t stage) {
    if (stage >= PR_WORK_STAGE_COUNT) return "unknown";
    if (stage == PR_WORK_STAGE_INPUTS) return "inputs";
    if (stage == PR_WORK_STAGE_PLAN) return "plan";
    if (stage == PR_WORK_STAGE_SELF_VERIFY) return "self-verification";
    if (stage == PR_WORK_STAGE_ENCODE) return "encoding";
    return pr_stage_name((pr_stage)(stage - PR_WORK_STAGE_PROVER));
}

pr_status pr_work_check(const pr_work *work, const pr_manifest_job *job, const pr_record *record, pr_check_depth depth,
                        pr_check_verdict *verdict, char *reason, size_t reason_size, double *ms, pr_error *err) {
    const pr_check check = {job->type, &job->params, &job->config, work->manifest_digest, record, depth};
    uint64_t start = pr_clock_monotonic_ns();
    pr_status status = pr_check_run(&check, verdict, reason, reason_size, err);
    *ms = (double)(pr_clock_monotonic_ns() - start) / 1e6;
    return status;
}

void pr_work_set_identity(pr_job_row *row, const pr_manifest_job *job) {
    pr_row_set_text(row->id, sizeof row->id, job->id);
    pr_row_set_text(row->type, sizeof row->type, job->type->name);
    pr_row_set_text(row->profile, sizeof row->profile, job->profile);
    row->encrypted_to[0] = 0; /* pr_work_seal sets it */
    row->type_version = job->type->version;
    row->priority = job->priority;
    row->retries = job->retries;
    row->time_limit_ns = job->time_limit_ns;
    pr_hex_encode(row->content_hash, job->content.bytes, sizeof job->content.bytes);
}

pr_status pr_work_add_params(pr_record *record, const pr_manifest_job *job, pr_error *err) {
    free(record->params);
    record->n_params = 0;
    record->params = calloc(job->params.n ? job->params.n : 1, sizeof *record->params);
    if (!record->params) return pr_fail(err, PR_ERR_MEMORY, "out of memory for parameters");
    record->n_params = job->params.n;
    for (size_t i = 0; i < job->params.n; i++) {
        pr_param_row *p = &record->params[i];
        pr_row_set_text(p->id, sizeof p->id, job->id);
        pr_row_set_text(p->name, sizeof p->name, job->params.items[i].name);
        pr_row_set_text(p->value, sizeof p->value, job->params.items[i].value);
    }
    return PR_OK;
}

bool pr_work_may_retry(pr_status status) {
    return status != PR_ERR_INPUT && status != PR_ERR_REFUSED && status != PR_ERR_USAGE;
}
