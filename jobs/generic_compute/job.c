#include "generic_compute/job.h"
#include "vm/run.h"
#include "vm/source.h"

static pr_status load(pr_job_instance *job, const pr_params *params, pr_error *err) {
    return pr_vm_source_load(job, &pr_job_generic_compute, params, err);
}

static pr_status size_of(pr_job_size *out, const pr_params *params, pr_error *err) {
    return pr_vm_source_size(out, &pr_job_generic_compute, params, err);
}

static pr_status try_size(pr_job_size *out, const pr_params *params, uint64_t *effort, pr_error *err) {
    return pr_vm_source_try_size(out, &pr_job_generic_compute, params, effort, err);
}

static const pr_param_spec params_spec[] = {
    PR_VM_PARAM_PROGRAM,     PR_VM_PARAM_CODE,       PR_NUMBERS_PARAM_DATA, PR_NUMBERS_PARAM_DATASET,
    PR_NUMBERS_PARAM_COLUMN, PR_NUMBERS_PARAM_INPUT, PR_VM_PARAM_MAX_STEPS,
};

static const pr_param_rule rules[] = {
    {PR_RULE_ONE_OF, {"program", "code"}},
    {PR_RULE_ONE_OF, {"data", "input"}},
    PR_NUMBERS_RULES_DATA,
};

static const pr_param example[] = {
    {"code", "        LOADIMM r1, INPUT       ; the sum of the squares, modulo 2^32\n"
             "        LOAD    r2, r1\n"
             "        JZ      r2, done\n"
             "next:   LOAD    r3, r1, 1\n"
             "        MUL     r3, r3, r3      ; map\n"
             "        ADD     r4, r4, r3      ; reduce\n"
             "        ADD     r1, r1, 1\n"
             "        SUB     r2, r2, 1\n"
             "        JNZ     r2, next\n"
             "done:   LOADIMM r5, OUTPUT\n"
             "        LOADIMM r6, 1\n"
             "        STORE   r6, r5\n"
             "        STORE   r4, r5, 1\n"
             "        HALT\n"},
    {"input", "3 5 7 11"},
};

const pr_job_type pr_job_generic_compute = {
    .name = "generic_compute",
    .version = 1,
    .summary = "the program with this digest, given the numbers with this digest, stops with these outputs",
    PR_JOB_TABLE(params, params_spec),
    PR_JOB_TABLE(rules, rules),
    PR_JOB_TABLE(example, example),
    .load = load,
    .size = size_of,
    .try_size = try_size,
    PR_VM_JOB_FUNCTIONS,
};
