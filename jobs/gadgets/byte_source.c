#include "gadgets/byte_source.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "gadgets/column.h"
#include "gadgets/input_file.h"

static pr_status copy_text(uint8_t **data, size_t *size, const char *text, pr_error *err) {
    *size = strlen(text);
    *data = (uint8_t *)strdup(text);
    return *data ? PR_OK : pr_fail(err, PR_ERR_MEMORY, "out of memory for a text");
}

/* The list becomes the bytes, in place. */
static pr_status parse_list(uint8_t **data, size_t *size, const char *list, pr_error *err) {
    uint32_t *numbers;
    pr_status status = pr_numbers_parse(&numbers, size, PR_NUMBER_BYTE, list, strlen(list), "input", err);
    if (status != PR_OK) return pr_input_file_error(status, err);
    if (!numbers) return copy_text(data, size, "", err);
    *data = (uint8_t *)numbers;
    for (size_t k = 0; k < *size; k++) (*data)[k] = (uint8_t)numbers[k];
    return PR_OK;
}

static pr_status check_length(uint64_t length, const pr_job_type *type, uint64_t max, pr_error *err) {
    if (length <= max) return PR_OK;
    return pr_fail(err, PR_ERR_INPUT, "%" PRIu64 " bytes, and %s takes at most %" PRIu64, length, type->name, max);
}

static pr_status read_source(uint8_t **data, size_t *size, const pr_job_type *type, const pr_params *params,
                             uint64_t max, pr_error *err) {
    const char *path = pr_params_get(type, params, "path"), *text = pr_params_get(type, params, "text");
    const char *list = pr_params_get(type, params, "input"), *file = pr_params_get(type, params, "data");
    if (path) return pr_input_file_read(data, size, params->base_dir, path, max, type->name, err);
    if (text) return copy_text(data, size, text, err);
    if (list) return parse_list(data, size, list, err);
    return pr_column_read_bytes(data, size, params->base_dir, file, pr_params_get(type, params, "dataset"),
                                pr_numbers_column(type, params), (size_t)max, err);
}

pr_status pr_bytes_from_params(uint8_t **data, size_t *size, const pr_job_type *type, const pr_params *params,
                               uint64_t max, pr_error *err) {
    PR_TRY(read_source(data, size, type, params, max, err));
    pr_status status = check_length(*size, type, max, err);
    if (status == PR_OK) return PR_OK;
    free(*data);
    *data = NULL;
    return status;
}

pr_status pr_bytes_length(uint64_t *length, const pr_job_type *type, const pr_params *params, uint64_t max,
                          pr_error *err) {
    const char *path = pr_params_get(type, params, "path"), *file = pr_params_get(type, params, "data");
    if (path) return pr_input_file_length(length, params->base_dir, path, max, type->name, err);
    if (file)
        return pr_column_count_bytes(length, params->base_dir, file, pr_params_get(type, params, "dataset"),
                                     pr_numbers_column(type, params), max, err);
    uint8_t *data = NULL;
    size_t size = 0;
    PR_TRY(pr_bytes_from_params(&data, &size, type, params, max, err));
    free(data);
    *length = size;
    return PR_OK;
}

pr_bytes_label pr_bytes_label_of(const pr_job_type *type, const pr_params *params) {
    pr_bytes_label label = {""};
    const char *path = params ? pr_params_get(type, params, "path") : NULL;
    const char *file = params ? pr_params_get(type, params, "data") : NULL;
    if (path) snprintf(label.text, sizeof label.text, "%s", pr_file_name(path));
    if (file)
        snprintf(label.text, sizeof label.text, "%s:%s", pr_file_name(file), pr_params_get(type, params, "dataset"));
    return label;
}

size_t pr_bytes_outputs(pr_output *out, size_t capacity, const char *digest, uint64_t length,
                        const pr_bytes_label *label) {
    pr_output all[3] = {{.name = "digest"}, {.name = "length"}, {.name = "file"}};
    snprintf(all[0].value, sizeof all[0].value, "%s", digest);
    snprintf(all[1].value, sizeof all[1].value, "%" PRIu64, length);
    memcpy(all[2].value, label->text, sizeof all[2].value);
    size_t n = label->text[0] ? 3 : 2;
    for (size_t k = 0; k < n && k < capacity; k++) out[k] = all[k];
    return n;
}
