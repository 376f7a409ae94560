#include "vm/job.h"
#include <stdlib.h>
#include <string.h>
#include "vm/assemble.h"
#include "vm/input.h"
#include "vm/run.h"

struct pr_job_instance {
    pr_vm_run run;
};

static const char *text_of(const pr_params *params, const char *name) {
    return pr_params_get(&pr_job_vm, params, name);
}

static void destroy(pr_job_instance *job) {
    if (!job) return;
    pr_vm_run_clear(&job->run);
    free(job);
}

static pr_status load_inputs(uint32_t **words, size_t *n, const pr_params *params, pr_error *err) {
    const char *list = text_of(params, "input"), *file = text_of(params, "input_file");
    *words = NULL;
    *n = 0;
    if (list && file) return pr_fail(err, PR_ERR_USAGE, "vm: input and input_file exclude each other");
    if (list) return pr_vm_as_input_error(pr_vm_input_parse(words, n, list, strlen(list), "input", err), err);
    return file ? pr_vm_load_input_file(words, n, params, file, "vm", err) : PR_OK;
}

static pr_status load_program(pr_vm_program *program, const pr_params *params, pr_error *err) {
    const char *file = text_of(params, "program"), *code = text_of(params, "code");
    if (!file == !code) return pr_fail(err, PR_ERR_USAGE, "vm: one of program and code must be given");
    if (file) return pr_vm_load_program_file(program, params, file, "vm", err);
    return pr_vm_as_input_error(pr_vm_assemble(program, code, strlen(code), "code", err), err);
}

static pr_status create(pr_job_instance **out, const pr_params *params, pr_error *err) {
    uint32_t max_steps = (uint32_t)pr_params_get_uint(&pr_job_vm, params, "max_steps"), *inputs;
    size_t n;
    pr_vm_program program = {0};
    PR_TRY(load_inputs(&inputs, &n, params, err));
    pr_job_instance *job = calloc(1, sizeof *job);
    pr_status status = job ? load_program(&program, params, err) : pr_fail(err, PR_ERR_MEMORY, "out of memory for vm");
    if (status == PR_OK) status = pr_vm_run_init_take(&job->run, &program, inputs, n, max_steps, err);
    free(inputs);
    if (status == PR_OK)
        *out = job;
    else
        free(job);
    return status;
}

static pr_status create_public(pr_job_instance **out, const pr_params *params, const void *public_data, size_t size,
                               pr_error *err) {
    (void)params;
    pr_job_instance *job = calloc(1, sizeof *job);
    if (!job) return pr_fail(err, PR_ERR_MEMORY, "out of memory for vm");
    pr_status status = pr_vm_run_restore(&job->run, public_data, size, err);
    if (status == PR_OK)
        *out = job;
    else
        free(job);
    return status;
}

static const pr_air *air_of(const pr_job_instance *job) { return job->run.air; }
static void write_public(const pr_job_instance *job, pr_writer *out) { pr_vm_run_write(out, &job->run); }

static size_t outputs(const pr_job_instance *job, pr_output *out, size_t capacity) {
    return pr_vm_run_outputs(&job->run, out, capacity);
}

static pr_status public_terms(const pr_job_instance *job, pr_statement *st, pr_error *err) {
    return pr_vm_public_terms(st, &job->run.statement, err);
}

static pr_status trace(const pr_job_instance *job, uint32_t component, pr_m31 *const *columns, unsigned n_threads,
                       pr_error *err) {
    return pr_vm_run_trace(&job->run, PR_JOB_ROW_ORDER, component, columns, n_threads, err);
}

static pr_status trace_storage(const pr_job_instance *job, uint32_t component, pr_m31 *const *columns,
                               unsigned n_threads, pr_error *err) {
    return pr_vm_run_trace(&job->run, PR_JOB_STORAGE_ORDER, component, columns, n_threads, err);
}

static pr_status size_of(pr_job_size *out, const pr_params *params, pr_error *err) {
    enum { WORDS = 1 << 12 }; /* of input, output, data and what the program touches: unknown before it runs */
    (void)err;
    *out = pr_vm_run_size(pr_params_get_uint(&pr_job_vm, params, "max_steps"), WORDS);
    return PR_OK;
}

static const pr_param_spec params_spec[] = {
    {"program", PR_PARAM_PATH, false, NULL, 0, 0, "a file of assembler text, or what `proverun vm asm` wrote"},
    {"code", PR_PARAM_TEXT, false, NULL, 0, 0, "assembler text instead"},
    {"input", PR_PARAM_TEXT, false, NULL, 0, 0, "the inputs: numbers between commas or spaces"},
    {"input_file", PR_PARAM_PATH, false, NULL, 0, 0, "a text file of the inputs instead"},
    {"max_steps", PR_PARAM_UINT, false, "65536", 1, PR_VM_MAX_STEPS,
     "steps after which the job fails; memory and time are planned for as many"},
};

static const pr_param example[] = {
    {"code", "        LOADIMM r1, INPUT     ; the sum of the inputs\n"
             "        LOAD    r2, r1\n"
             "next:   LOAD    r3, r1, 1\n"
             "        ADD     r4, r4, r3\n"
             "        ADD     r1, r1, 1\n"
             "        SUB     r2, r2, 1\n"
             "        JNZ     r2, next\n"
             "        LOADIMM r5, OUTPUT\n"
             "        LOADIMM r6, 1\n"
             "        STORE   r6, r5        ; one output\n"
             "        STORE   r4, r5, 1\n"
             "        HALT\n"},
    {"input", "3 5 7 11"},
};

const pr_job_type pr_job_vm = {
    .name = "vm",
    .version = 1,
    .summary = "the program with this digest, given these inputs, stops in this way after this many steps with these "
               "outputs",
    .params = params_spec,
    .n_params = sizeof params_spec / sizeof *params_spec,
    .example = example,
    .n_example = sizeof example / sizeof *example,
    .create = create,
    .destroy = destroy,
    .air = air_of,
    .write_public = write_public,
    .outputs = outputs,
    .create_public = create_public,
    .trace = trace,
    .trace_storage = trace_storage,
    .size = size_of,
    .public_terms = public_terms,
};
