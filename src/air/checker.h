/* The tool a job author lives in: runs a trace through its constraints, row by row, and names what fails: the first
 * failing constraint by component, name, row and the values involved; relations whose fractions do not cancel, with
 * the tuples that are produced and not consumed (or the reverse). Exact, no randomness: tuples are counted mod p. */
#ifndef PR_AIR_CHECKER_H
#define PR_AIR_CHECKER_H
#include "air/statement.h"
#include "base/bytes.h"

typedef struct pr_check_report {
    bool ok;
    uint64_t n_rows, n_constraints; /* looked at: rows over all components, constraints over all components */
    bool constraint_failed;         /* the first failure, in component and row order */
    uint32_t component, constraint, row;
    uint64_t n_unbalanced; /* tuples whose multiplicities do not cancel */
} pr_check_report;

/* trace[component][column][row], preprocessed values from the AIR, row order; offsets are cyclic. Public terms of the
 * statement take part. text (may be NULL) gets a line a finding. PR_ERR_MEMORY, or PR_ERR_REFUSED when a preprocessed
 * column that a component reads has no values. */
PR_MUST_CHECK pr_status pr_check_trace(pr_check_report *report, pr_writer *text, const pr_statement *st,
                                       pr_m31 *const *const *trace, pr_error *err);
#endif
