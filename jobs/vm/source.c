#include "vm/source.h"
#include <stdlib.h>
#include <string.h>
#include "gadgets/input_file.h"
#include "vm/assemble.h"
#include "vm/run.h"
#include "vm/size.h"

static const pr_number_limits limits = {PR_NUMBER_WORD, PR_VM_MAX_FILE, PR_VM_MAX_WORDS};

pr_status pr_vm_source_program(pr_vm_program *out, const pr_job_type *type, const pr_params *params, pr_error *err) {
    const char *file = pr_params_get(type, params, "program"), *code = pr_params_get(type, params, "code");
    uint8_t *data = NULL;
    size_t size = 0;
    if (code) return pr_input_file_error(pr_vm_assemble(out, code, strlen(code), "code", err), err);
    PR_TRY(pr_input_file_read(&data, &size, params->base_dir, file, PR_VM_MAX_FILE, type->name, err));
    pr_status status = pr_vm_program_parse(out, data, size, file, err);
    free(data);
    return pr_input_file_error(status, err);
}

pr_status pr_vm_source_inputs(uint32_t **words, size_t *n, const pr_job_type *type, const pr_params *params,
                              pr_error *err) {
    return pr_numbers_from_params(words, n, type, params, &limits, err);
}

pr_status pr_vm_source_load(pr_job_instance *job, const pr_job_type *type, const pr_params *params, pr_error *err) {
    uint32_t max_steps = (uint32_t)pr_params_get_uint(type, params, "max_steps"), *inputs;
    size_t n;
    pr_vm_program program = {0};
    PR_TRY(pr_vm_source_inputs(&inputs, &n, type, params, err));
    pr_status status = pr_vm_source_program(&program, type, params, err);
    if (status == PR_OK) status = pr_vm_job_load_take(job, &program, inputs, n, max_steps, err);
    free(inputs);
    return status;
}

pr_status pr_vm_source_count(uint64_t *n, const pr_job_type *type, const pr_params *params, pr_error *err) {
    PR_TRY(pr_numbers_count(n, type, params, &limits, err));
    if (*n > PR_VM_MAX_WORDS) *n = PR_VM_MAX_WORDS; /* of a list: the job will fail */
    return PR_OK;
}

pr_status pr_vm_program_size(pr_job_size *out, const pr_vm_program *program, uint64_t max_steps, uint64_t n_inputs,
                             pr_error *err) {
    pr_vm_rows rows;
    PR_TRY(pr_vm_expect_rows(&rows, program, max_steps, n_inputs, err));
    *out = pr_vm_size_of_rows(program, &rows);
    return PR_OK;
}

pr_status pr_vm_source_size(pr_job_size *out, const pr_job_type *type, const pr_params *params, pr_error *err) {
    pr_vm_program program = {0};
    uint64_t n_inputs;
    PR_TRY(pr_vm_source_count(&n_inputs, type, params, err));
    PR_TRY(pr_vm_source_program(&program, type, params, err));
    pr_status status = pr_vm_program_size(out, &program, pr_params_get_uint(type, params, "max_steps"), n_inputs, err);
    pr_vm_program_clear(&program);
    return status;
}

/* The words are not read where there are too many, nor from a file that may crash the HDF5 library: whoever plans must
 * live. */
static pr_status count_run(pr_vm_rows *rows, const pr_vm_program *program, const pr_job_type *type,
                           const pr_params *params, uint64_t *steps, pr_error *err) {
    const uint64_t most = *steps, max_steps = pr_params_get_uint(type, params, "max_steps");
    uint32_t *inputs;
    size_t n;
    uint64_t n_inputs;
    *steps = 0;
    if (pr_params_get(type, params, "data")) return pr_fail(err, PR_ERR_INPUT, "columns of a file");
    PR_TRY(pr_vm_source_count(&n_inputs, type, params, err));
    if (n_inputs > most) return pr_fail(err, PR_ERR_INPUT, "%llu inputs", (unsigned long long)n_inputs);
    PR_TRY(pr_vm_source_inputs(&inputs, &n, type, params, err));
    *steps = most < n + max_steps ? most : n + max_steps;
    pr_status status = pr_vm_count_rows(rows, program, inputs, n, steps, err);
    free(inputs);
    return status;
}

pr_status pr_vm_source_try_size(pr_job_size *out, const pr_job_type *type, const pr_params *params, uint64_t *effort,
                                pr_error *err) {
    enum { MOST_STEPS = 1 << 20 };
    uint64_t steps = *effort < MOST_STEPS ? *effort : MOST_STEPS;
    pr_vm_program program = {0};
    pr_vm_rows rows;
    PR_TRY(pr_vm_source_program(&program, type, params, err));
    pr_status status = count_run(&rows, &program, type, params, &steps, err);
    *effort -= steps;
    if (status == PR_OK) *out = pr_vm_size_of_rows(&program, &rows);
    pr_vm_program_clear(&program);
    return status;
}
