#include "vm/source.h"
#include <stdlib.h>
#include <string.h>
#include "gadgets/input_file.h"
#include "vm/assemble.h"
#include "vm/run.h"

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
    static const pr_number_limits limits = {PR_NUMBER_WORD, PR_VM_MAX_FILE, PR_VM_MAX_WORDS};
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

pr_status pr_vm_source_size(pr_job_size *out, const pr_job_type *type, const pr_params *params) {
    enum { WORDS = 1 << 12, STEPS_A_WORD = 4 };
    uint64_t max_steps = pr_params_get_uint(type, params, "max_steps");
    *out = pr_vm_run_size(max_steps, WORDS + max_steps / STEPS_A_WORD);
    return PR_OK;
}
