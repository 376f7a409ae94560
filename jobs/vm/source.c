#include "vm/source.h"
#include <stdlib.h>
#include <string.h>
#include "gadgets/column.h"
#include "gadgets/input_file.h"
#include "vm/assemble.h"
#include "vm/input.h"
#include "vm/run.h"

/* What a manifest names that is not what it should be is an input that is wrong. */
static pr_status as_input_error(pr_status status, pr_error *err) {
    if (status != PR_ERR_MALFORMED) return status;
    if (err) err->status = PR_ERR_INPUT;
    return PR_ERR_INPUT;
}

pr_status pr_vm_source_program(pr_vm_program *out, const pr_job_type *type, const pr_params *params, pr_error *err) {
    const char *file = pr_params_get(type, params, "program"), *code = pr_params_get(type, params, "code");
    uint8_t *data = NULL;
    size_t size = 0;
    if (!file == !code) return pr_fail(err, PR_ERR_USAGE, "%s: one of program and code must be given", type->name);
    if (code) return as_input_error(pr_vm_assemble(out, code, strlen(code), "code", err), err);
    PR_TRY(pr_input_file_read(&data, &size, params->base_dir, file, PR_VM_MAX_FILE, type->name, err));
    pr_status status = pr_vm_program_parse(out, data, size, file, err);
    free(data);
    return as_input_error(status, err);
}

static pr_status read_text(uint32_t **words, size_t *n, const char *file, const pr_job_type *type,
                           const pr_params *params, pr_error *err) {
    uint8_t *data = NULL;
    size_t size = 0;
    PR_TRY(pr_input_file_read(&data, &size, params->base_dir, file, PR_VM_MAX_FILE, type->name, err));
    pr_status status = pr_vm_input_parse(words, n, (const char *)data, size, file, err);
    free(data);
    return as_input_error(status, err);
}

static pr_status read_dataset(uint32_t **words, size_t *n, const char *file, const pr_job_type *type,
                              const pr_params *params, pr_error *err) {
    const char *dataset = pr_params_get(type, params, "dataset");
    if (!dataset) return pr_fail(err, PR_ERR_USAGE, "%s: data needs a dataset", type->name);
    bool all = !pr_params_get(type, params, "column");
    uint64_t column = all ? PR_COLUMN_ALL : pr_params_get_uint(type, params, "column");
    return pr_column_read(words, n, params->base_dir, file, dataset, column, PR_VM_MAX_WORDS, err);
}

pr_status pr_vm_source_inputs(uint32_t **words, size_t *n, const pr_job_type *type, const pr_params *params,
                              pr_error *err) {
    const char *list = pr_params_get(type, params, "input"), *file = pr_params_get(type, params, "input_file");
    const char *data = pr_params_get(type, params, "data");
    *words = NULL;
    *n = 0;
    if ((list != NULL) + (file != NULL) + (data != NULL) > 1)
        return pr_fail(err, PR_ERR_USAGE, "%s: input, input_file and data exclude each other", type->name);
    if (!data && (pr_params_get(type, params, "dataset") || pr_params_get(type, params, "column")))
        return pr_fail(err, PR_ERR_USAGE, "%s: dataset and column are of data, which is missing", type->name);
    if (list) return as_input_error(pr_vm_input_parse(words, n, list, strlen(list), "input", err), err);
    if (file) return read_text(words, n, file, type, params, err);
    return data ? read_dataset(words, n, data, type, params, err) : PR_OK;
}

pr_status pr_vm_source_create(pr_job_instance **out, const pr_job_type *type, const pr_params *params, pr_error *err) {
    uint32_t max_steps = (uint32_t)pr_params_get_uint(type, params, "max_steps"), *inputs;
    size_t n;
    pr_vm_program program = {0};
    PR_TRY(pr_vm_source_inputs(&inputs, &n, type, params, err));
    pr_status status = pr_vm_source_program(&program, type, params, err);
    if (status == PR_OK) status = pr_vm_job_create_take(out, &program, inputs, n, max_steps, err);
    free(inputs);
    return status;
}

pr_status pr_vm_source_size(pr_job_size *out, const pr_job_type *type, const pr_params *params) {
    enum { WORDS = 1 << 12, STEPS_A_WORD = 4 };
    uint64_t max_steps = pr_params_get_uint(type, params, "max_steps");
    *out = pr_vm_run_size(max_steps, WORDS + max_steps / STEPS_A_WORD);
    return PR_OK;
}
