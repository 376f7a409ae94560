/* The readers of a case's parts. They fill what they are given piece by piece; on failure the owner clears it. */
#ifndef PR_CASEFILE_READ_H
#define PR_CASEFILE_READ_H
#include "casefile/casefile.h"
#include "casefile/json.h"

/* air: zeroed. References and sizes are checked here with their path, degrees by pr_air_validate. */
PR_MUST_CHECK pr_status pr_case_read_air(pr_air *air, const pr_case_cursor *at);
/* c->air is there and valid. root: the case. */
PR_MUST_CHECK pr_status pr_case_read_statement(pr_case *c, const pr_case_cursor *root);
PR_MUST_CHECK pr_status pr_case_read_expected(pr_case *c, const pr_case_cursor *at);
/* "trace" as the scan found it in the text. */
PR_MUST_CHECK pr_status pr_case_read_trace(pr_case *c, const pr_case_doc *doc);
PR_MUST_CHECK pr_status pr_case_read_formula(pr_case *c, const pr_case_cursor *at);
/* Trace and missing values of preprocessed columns from an HDF5 file beside the case. at: "trace_file". PR_ERR_INPUT
 * for everything that is wrong with the file. */
PR_MUST_CHECK pr_status pr_case_read_trace_file(pr_case *c, const pr_case_cursor *at);
/* c->trace with room for all pointers, none for columns. */
PR_MUST_CHECK pr_status pr_case_alloc_trace(pr_case *c, const pr_case_doc *doc);
#endif
