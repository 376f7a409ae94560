/* The parameters by which job types take bytes: from a file, inline as a text or as numbers, or from an HDF5 dataset.
 * Of these a manifest gives one. */
#ifndef PR_JOBS_GADGETS_BYTE_SOURCE_H
#define PR_JOBS_GADGETS_BYTE_SOURCE_H
#include "air/job_type.h"
#include "gadgets/number_source.h"

#define PR_BYTES_PARAMS                                                                                                \
    {"path", PR_PARAM_PATH, false, NULL, 0, 0, "the file, relative to the manifest's folder or absolute"},             \
        {"text", PR_PARAM_ANY_TEXT, false, NULL, 0, 0, "the bytes of a text (UTF-8, no line end added) instead"},      \
        {"input", PR_PARAM_TEXT, false, NULL, 0, 0, "bytes as numbers from 0 to 255 instead"},                         \
        {"data", PR_PARAM_PATH, false, NULL, 0, 0, "an HDF5 file instead: the bytes of its dataset"},                  \
        {"dataset", PR_PARAM_TEXT, false, NULL, 0, 0, "of the HDF5 file: whole or IEEE 754 numbers, as stored"},       \
        PR_NUMBERS_PARAM_COLUMN
#define PR_BYTES_RULES {PR_RULE_ONE_OF, {"path", "text", "input", "data"}}, PR_NUMBERS_RULES_DATA

/* The bytes, at most max; the caller frees them. Of a dataset those that pr_column_read_bytes gives. PR_ERR_INPUT:
 * unreadable, no bytes, too many. */
PR_MUST_CHECK pr_status pr_bytes_from_params(uint8_t **data, size_t *size, const pr_job_type *type,
                                             const pr_params *params, uint64_t max, pr_error *err);
/* How many they are, for a plan: nothing is read but lengths, and of an HDF5 file the dataset's header. PR_ERR_INPUT as
 * above, where that can be known. */
PR_MUST_CHECK pr_status pr_bytes_length(uint64_t *length, const pr_job_type *type, const pr_params *params,
                                        uint64_t max, pr_error *err);
/* A label of the source: the file's name, or name:dataset of an HDF5 file; empty for what stands inline, and where
 * params is NULL. */
typedef struct pr_bytes_label {
    char text[sizeof((pr_output *)0)->value];
} pr_bytes_label;
pr_bytes_label pr_bytes_label_of(const pr_job_type *type, const pr_params *params);
/* What a digest of bytes has for output: digest, length and, where the label is not empty, file. */
size_t pr_bytes_outputs(pr_output *out, size_t capacity, const char *digest, uint64_t length,
                        const pr_bytes_label *label);
#endif
