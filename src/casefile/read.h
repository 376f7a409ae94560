/* The readers of a case's parts. They fill what they are given piece by piece; on failure the owner clears it. */
#ifndef PR_CASEFILE_READ_H
#define PR_CASEFILE_READ_H
#include "casefile/casefile.h"
#include "casefile/json.h"

/* air: zeroed. References and sizes are checked here with their path, degrees by pr_air_validate. */
PR_MUST_CHECK pr_status pr_case_read_air(pr_air *air, bool with_values, const pr_case_cursor *at);
/* c->air is there and valid. root: the case. */
PR_MUST_CHECK pr_status pr_case_read_statement(pr_case *c, const pr_case_cursor *root);
PR_MUST_CHECK pr_status pr_case_read_expected(pr_case *c, const pr_case_cursor *at);
/* "trace": its shape; its cells stay in the text. */
PR_MUST_CHECK pr_status pr_case_read_trace(pr_case *c, const pr_case_cursor *at);
PR_MUST_CHECK pr_status pr_case_read_formula(pr_case *c, const pr_case_cursor *at);
/* Missing values of preprocessed columns from an HDF5 file beside the case, and the shape of the trace there, which
 * stays where it is. at: "trace_file". PR_ERR_INPUT for everything that is wrong with the file. */
PR_MUST_CHECK pr_status pr_case_read_trace_file(pr_case *c, const pr_case_cursor *at);

/* Where a trace is that is not in memory yet: in a text, or in an HDF5 file. */
typedef struct pr_case_source {
    const char *text; /* of the case */
    size_t size;
    bool is_mapped, is_owned; /* text: munmap it, free it, or leave it */
    uint64_t **columns;       /* [component][column] its '[' in the text; NULL: not inline */
    char *h5_path;            /* NULL: not in an HDF5 file */
} pr_case_source;

PR_MUST_CHECK pr_status pr_case_fill_from_file(const pr_case *c, uint32_t component, pr_m31 *const *columns,
                                               unsigned n_threads, pr_error *err);
void pr_case_close_source(pr_case *c);
void pr_case_release_text(pr_case_source *source);
/* Gives the memory of a mapped text back; it is read again when it is needed. */
void pr_case_forget_text(const pr_case_source *source);
/* The whole trace into c->trace; the source is closed. */
PR_MUST_CHECK pr_status pr_case_load_trace(pr_case *c, pr_error *err);
#endif
