/* Files that are a job's input, by a path relative to the manifest's folder or absolute. */
#ifndef PR_JOBS_GADGETS_INPUT_FILE_H
#define PR_JOBS_GADGETS_INPUT_FILE_H
#include "air/job_type.h"

/* The length of a regular file of at most max bytes, from stat alone (a pipe or device might never end).
 * PR_ERR_INPUT: there is none, it is no regular file, or it is longer than job type `type` takes. */
PR_MUST_CHECK pr_status pr_input_file_length(uint64_t *length, const char *base_dir, const char *path, uint64_t max,
                                             const char *type, pr_error *err);
/* Its bytes, which the caller frees. Errors as above. */
PR_MUST_CHECK pr_status pr_input_file_read(uint8_t **data, size_t *size, const char *base_dir, const char *path,
                                           uint64_t max, const char *type, pr_error *err);
/* The path from where the process is; the caller frees it. NULL: out of memory. */
char *pr_input_file_path(const char *base_dir, const char *path);
/* What a manifest names that is not what it should be is an input that is wrong: PR_ERR_MALFORMED becomes PR_ERR_INPUT,
 * in err too. */
pr_status pr_input_file_error(pr_status status, pr_error *err);
#endif
