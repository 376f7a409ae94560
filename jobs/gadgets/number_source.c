#include "gadgets/number_source.h"
#include <stdlib.h>
#include <string.h>
#include "field/m31.h"
#include "gadgets/column.h"
#include "gadgets/input_file.h"

static pr_status read_text(uint32_t **numbers, size_t *n, const char *file, const pr_job_type *type,
                           const pr_params *params, const pr_number_limits *limits, pr_error *err) {
    uint8_t *data = NULL;
    size_t size = 0;
    PR_TRY(pr_input_file_read(&data, &size, params->base_dir, file, limits->max_bytes, type->name, err));
    pr_status status = pr_numbers_parse(numbers, n, limits->kind, (const char *)data, size, file, err);
    free(data);
    return pr_input_file_error(status, err);
}

static pr_status check_kind(const uint32_t *numbers, size_t n, const char *file, const char *dataset,
                            pr_number_kind kind, pr_error *err) {
    for (size_t k = 0; kind == PR_NUMBER_M31 && k < n; k++)
        if (numbers[k] >= PR_P)
            return pr_fail(err, PR_ERR_INPUT, "%s: dataset '%s': value %zu is not from 0 to 2147483646", file, dataset,
                           k);
    return PR_OK;
}

uint64_t pr_numbers_column(const pr_job_type *type, const pr_params *params) {
    return pr_params_get(type, params, "column") ? pr_params_get_uint(type, params, "column") : PR_COLUMN_ALL;
}

static pr_status read_dataset(uint32_t **numbers, size_t *n, const char *file, const pr_job_type *type,
                              const pr_params *params, const pr_number_limits *limits, pr_error *err) {
    const char *dataset = pr_params_get(type, params, "dataset");
    PR_TRY(pr_column_read(numbers, n, params->base_dir, file, dataset, pr_numbers_column(type, params),
                          limits->max_numbers, err));
    pr_status status = check_kind(*numbers, *n, file, dataset, limits->kind, err);
    if (status == PR_OK) return PR_OK;
    free(*numbers);
    *numbers = NULL;
    return status;
}

static pr_status read_list(uint32_t **numbers, size_t *n, const char *list, const pr_number_limits *limits,
                           pr_error *err) {
    return pr_input_file_error(pr_numbers_parse(numbers, n, limits->kind, list, strlen(list), "input", err), err);
}

pr_status pr_numbers_from_params(uint32_t **numbers, size_t *n, const pr_job_type *type, const pr_params *params,
                                 const pr_number_limits *limits, pr_error *err) {
    const char *list = pr_params_get(type, params, "input"), *file = pr_params_get(type, params, "input_file");
    const char *data = pr_params_get(type, params, "data");
    *numbers = NULL;
    *n = 0;
    if (list) return read_list(numbers, n, list, limits, err);
    if (file) return read_text(numbers, n, file, type, params, limits, err);
    return data ? read_dataset(numbers, n, data, type, params, limits, err) : PR_OK;
}

pr_status pr_numbers_count(uint64_t *n, const pr_job_type *type, const pr_params *params,
                           const pr_number_limits *limits, pr_error *err) {
    enum { BYTES_A_NUMBER = 4 };
    const char *list = pr_params_get(type, params, "input"), *file = pr_params_get(type, params, "input_file");
    const char *data = pr_params_get(type, params, "data");
    uint32_t *numbers = NULL;
    size_t n_listed = 0;
    *n = 0;
    if (data)
        return pr_column_count(n, params->base_dir, data, pr_params_get(type, params, "dataset"),
                               pr_numbers_column(type, params), limits->max_numbers, err);
    if (file) {
        PR_TRY(pr_input_file_length(n, params->base_dir, file, limits->max_bytes, type->name, err));
        *n = *n / BYTES_A_NUMBER < limits->max_numbers ? *n / BYTES_A_NUMBER : limits->max_numbers;
        return PR_OK;
    }
    if (list) PR_TRY(read_list(&numbers, &n_listed, list, limits, err));
    free(numbers);
    *n = n_listed;
    return PR_OK;
}
