/* The parameters by which job types take a list of numbers: inline, from a text file, or from an HDF5 dataset. A type
 * offers those of them that are in its list. */
#ifndef PR_JOBS_GADGETS_NUMBER_SOURCE_H
#define PR_JOBS_GADGETS_NUMBER_SOURCE_H
#include "air/job_type.h"
#include "gadgets/numbers.h"

#define PR_NUMBERS_PARAM_INPUT                                                                                         \
    { "input", PR_PARAM_TEXT, false, NULL, 0, 0, "the inputs: numbers between commas or spaces" }
#define PR_NUMBERS_PARAM_INPUT_FILE                                                                                    \
    { "input_file", PR_PARAM_PATH, false, NULL, 0, 0, "a text file of the inputs instead" }
#define PR_NUMBERS_PARAM_DATA                                                                                          \
    { "data", PR_PARAM_PATH, false, NULL, 0, 0, "an HDF5 file of the inputs instead" }
#define PR_NUMBERS_PARAM_DATASET                                                                                       \
    { "dataset", PR_PARAM_TEXT, false, NULL, 0, 0, "of the HDF5 file: whole numbers in one or two dimensions" }
#define PR_NUMBERS_PARAM_COLUMN                                                                                        \
    {                                                                                                                  \
        "column", PR_PARAM_UINT, false, NULL, 0, UINT32_MAX,                                                           \
            "of the dataset, from 0; all columns, row by row, if left out"                                             \
    }

/* What belongs to data. */
#define PR_NUMBERS_RULES_DATA                                                                                          \
    {PR_RULE_NEEDS, {"data", "dataset"}}, {PR_RULE_NEEDS, {"dataset", "data"}}, {                                      \
        PR_RULE_NEEDS, { "column", "data" }                                                                            \
    }

typedef struct pr_number_limits {
    pr_number_kind kind;
    size_t max_bytes, max_numbers; /* of a text file; of a dataset */
} pr_number_limits;

/* From input, input_file, or data with dataset and perhaps column; no numbers if none is given. That there is but one,
 * and a dataset with data, the type's rules say. PR_ERR_INPUT: unreadable, not numbers of the kind. numbers: [*n], the
 * caller frees it. */
PR_MUST_CHECK pr_status pr_numbers_from_params(uint32_t **numbers, size_t *n, const pr_job_type *type,
                                               const pr_params *params, const pr_number_limits *limits, pr_error *err);
/* How many they are, for a plan: of a list and of a dataset exactly, of a text file a number in four bytes, for nothing
 * is read of files but a dataset's header. PR_ERR_INPUT as above, where that can be known. */
PR_MUST_CHECK pr_status pr_numbers_count(uint64_t *n, const pr_job_type *type, const pr_params *params,
                                         const pr_number_limits *limits, pr_error *err);
/* The column of a dataset that is asked for; PR_COLUMN_ALL: none is named. */
uint64_t pr_numbers_column(const pr_job_type *type, const pr_params *params);
#endif
