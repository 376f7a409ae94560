#include "data_pipeline/job.h"
#include <stdlib.h>
#include "data_pipeline/programs.h"
#include "vm/run.h"
#include "vm/source.h"

static const pr_job_type *const type = &pr_job_data_pipeline;

static pr_status load_program(pr_vm_program *program, const pr_params *params, pr_error *err) {
    pr_pipeline p = {.operation = pr_params_get(type, params, "operation"),
                     .from = (uint32_t)pr_params_get_uint(type, params, "from"),
                     .to = (uint32_t)pr_params_get_uint(type, params, "to"),
                     .width = (uint32_t)pr_params_get_uint(type, params, "width"),
                     .bins = (uint32_t)pr_params_get_uint(type, params, "bins")};
    return pr_pipeline_program(program, &p, err);
}

static pr_status load(pr_job_instance *job, const pr_params *params, pr_error *err) {
    uint32_t *values;
    size_t n;
    pr_vm_program program = {0};
    PR_TRY(load_program(&program, params, err));
    pr_status status = pr_vm_source_inputs(&values, &n, type, params, err);
    if (status != PR_OK) {
        pr_vm_program_clear(&program);
        return status;
    }
    uint32_t max_steps = (uint32_t)pr_params_get_uint(type, params, "max_steps");
    status = pr_vm_job_load_take(job, &program, values, n, max_steps, err);
    free(values);
    return status;
}

/* Each line of its loop runs once a value at most, and each other line once. */
static uint64_t most_steps(const pr_vm_program *program, uint64_t n_values) {
    uint64_t n_in_loop = 0;
    for (uint32_t pc = 0; pc < program->n_instructions; pc++) {
        const pr_vm_instruction *i = &program->instructions[pc];
        if (i->opcode == PR_VM_JNZ && i->imm <= pc) n_in_loop = pc - i->imm + 1;
    }
    return program->n_instructions - n_in_loop + n_in_loop * n_values;
}

static pr_status size_of(pr_job_size *out, const pr_params *params, pr_error *err) {
    pr_vm_program program = {0};
    uint64_t n_values, max_steps = pr_params_get_uint(type, params, "max_steps");
    PR_TRY(pr_vm_source_count(&n_values, type, params, err));
    PR_TRY(load_program(&program, params, err));
    uint64_t steps = most_steps(&program, n_values);
    pr_status status = pr_vm_program_size(out, &program, steps < max_steps ? steps : max_steps, n_values, err);
    pr_vm_program_clear(&program);
    return status;
}

static const pr_param_spec params_spec[] = {
    {"operation", PR_PARAM_TEXT, true, NULL, 0, 0, "sum, min, max, count or histogram"},
    PR_NUMBERS_PARAM_DATA,
    PR_NUMBERS_PARAM_DATASET,
    PR_NUMBERS_PARAM_COLUMN,
    PR_NUMBERS_PARAM_INPUT,
    {"from", PR_PARAM_UINT, false, "0", 0, UINT32_MAX, "count: the smallest value; histogram: where bin 0 begins"},
    {"to", PR_PARAM_UINT, false, "4294967295", 0, UINT32_MAX, "count: the largest value"},
    {"width", PR_PARAM_UINT, false, "1", 1, UINT32_MAX, "histogram: of a bin"},
    {"bins", PR_PARAM_UINT, false, "16", 1, PR_PIPELINE_MAX_BINS, "histogram: how many"},
    PR_VM_PARAM_MAX_STEPS,
};

static const pr_param_rule rules[] = {
    {PR_RULE_CHOICE, {"operation", "sum", "min", "max", "count", "histogram"}},
    {PR_RULE_ONE_OF, {"data", "input"}},
    PR_NUMBERS_RULES_DATA,
    {PR_RULE_ONLY_WITH, {"from", "operation", "count", "histogram"}},
    {PR_RULE_ONLY_WITH, {"to", "operation", "count"}},
    {PR_RULE_ONLY_WITH, {"width", "operation", "histogram"}},
    {PR_RULE_ONLY_WITH, {"bins", "operation", "histogram"}},
};

static const pr_param example[] = {{"operation", "histogram"}, {"input", "3 1 4 1 5 9 2 6 5 3 5"}, {"bins", "8"}};

const pr_job_type pr_job_data_pipeline = {
    .name = "data_pipeline",
    .version = 1,
    .summary =
        "the numbers with this digest have this sum, smallest or largest value, count within bounds, or histogram",
    PR_JOB_TABLE(params, params_spec),
    PR_JOB_TABLE(rules, rules),
    PR_JOB_TABLE(example, example),
    .load = load,
    .size = size_of,
    PR_VM_JOB_FUNCTIONS,
};
