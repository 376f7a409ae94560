/* The tool a job author lives in: runs a trace through its constraints, row by row, and names what fails: the first
 * failing constraint by component, name, row and the values involved; relations whose fractions do not cancel, with
 * the tuples that are produced and not consumed (or the reverse) and who touches them.
 *
 * Exact, no randomness: tuples are counted mod p, relation by relation. The verifier looks at one total of all
 * relations, but each relation has challenges of its own, so the total vanishes only when every relation's does. */
#ifndef PR_AIR_CHECKER_H
#define PR_AIR_CHECKER_H
#include "air/statement.h"
#include "base/bytes.h"

typedef struct pr_check_report {
    bool ok;
    uint64_t n_rows, n_constraints; /* looked at: rows over all components, constraints over all components */
    uint64_t n_failures;            /* pairs of constraint and row where the value is not zero */
    bool constraint_failed;         /* the first failure: by component, then row, then constraint */
    uint32_t component, constraint, row;
    uint64_t n_unbalanced; /* tuples whose multiplicities do not cancel */
} pr_check_report;

/* Puts a component's columns, row order; as prove's trace sources and pr_case_fill_trace do. */
typedef pr_status (*pr_check_fill)(void *context, uint32_t component, pr_m31 *const *columns, unsigned n_threads,
                                   pr_error *err);

/* trace[component][column][row], preprocessed values from the AIR, row order; offsets are cyclic. Public terms of the
 * statement take part. text (may be NULL) gets a line a finding; tuples: the first 20. PR_ERR_MEMORY, or PR_ERR_REFUSED
 * when a preprocessed column that a component reads has no values or a component does not lower. */
PR_MUST_CHECK pr_status pr_check_trace(pr_check_report *report, pr_writer *text, const pr_statement *st,
                                       pr_m31 *const *const *trace, pr_error *err);
/* The same, of a trace that is asked for component by component and is in memory no further: in order, and once more
 * where tuples are out of balance. fill's errors are passed on. */
PR_MUST_CHECK pr_status pr_check_filled(pr_check_report *report, pr_writer *text, const pr_statement *st,
                                        pr_check_fill fill, void *context, unsigned n_threads, pr_error *err);
#endif
