/* What the soundness suites of job types of several components share: traces of all components, forged ones, and who
 * notices. Constraints and lookups are evaluated plainly, node by node; only the rows are looked at that differ from an
 * honest trace, which balances every relation.
 *
 * A culprit is a constraint that is not zero, or a lookup that takes a tuple which nobody provides. Multiplicities are
 * the prover's to choose, so a tuple that is provided and not taken accuses nobody. A forged trace with one culprit is
 * what would pass if that constraint or lookup were removed: needs collects them, and whatever is in no list of a sole
 * culprit is not known to be needed. */
#ifndef PR_TESTS_JOBS_SOUNDNESS_H
#define PR_TESTS_JOBS_SOUNDNESS_H
#include "air/statement.h"
#include "support.h"

typedef struct traces {
    const pr_air *air; /* borrowed: shape alone */
    pr_m31 ***columns; /* [component][column][row], row order */
} traces;

traces traces_of(const pr_job_type *type, const pr_job_instance *job, unsigned n_threads);
traces traces_zero(const pr_air *air);
traces traces_copy(const traces *t);
void traces_destroy(traces *t);
void assert_traces_equal(const traces *x, const traces *y);
/* What the type fills in storage order is the trace. */
void assert_storage_order(const pr_job_type *type, const pr_job_instance *job, const traces *t, unsigned n_threads);
/* The checker finds nothing, or the test fails with what it found. */
void assert_traces_hold(const pr_statement *st, const traces *t);
uint64_t count_findings(const pr_statement *st, const traces *t); /* failing constraints and unbalanced tuples */
pr_statement plain_statement(const pr_air *air);

typedef struct culprit {
    uint32_t component, index;
    bool is_lookup;
} culprit;

enum { MAX_CULPRITS = 8 };
typedef struct culprits {
    uint32_t n; /* distinct; at most MAX_CULPRITS are kept */
    culprit items[MAX_CULPRITS];
    bool is_noticed; /* any constraint fails or any tuple is out of balance */
} culprits;

/* claimed: constraints whose names start so are taken to hold, for the outputs that they bind are claimed as they come
 * out of the forged trace; NULL: none. */
culprits find_culprits(const pr_air *air, const traces *honest, const traces *forged, const char *claimed);
/* The same for a prover who counts tables anew: tuples for which is_in_table holds are provided, however often. */
typedef bool in_table(uint32_t relation, const pr_m31 *values);
culprits find_culprits_but_tables(const pr_air *air, const traces *honest, const traces *forged, in_table *is_in_table);

typedef struct needs {
    const pr_air *air;
    bool **constraints, **lookups; /* [component][index]: known to be needed */
} needs;

/* Lookups that provide (their multiplicity is negative somewhere) are needed by every honest trace. */
needs needs_create(const pr_air *air, const traces *honest);
void needs_destroy(needs *n);
void needs_note(needs *n, const culprits *found);
/* Lookups that are needed together: the culprits are n_lookups of one relation in one component, and nothing else. */
void needs_note_group(needs *n, const culprits *found, uint32_t n_lookups);
uint32_t needs_print_missing(const needs *n); /* how many are not known to be needed, listed */

/* Each column of each component, changed in n_tries rows chosen at random, of which half are among the first
 * n_busy[component]: something notices, or the test fails. */
void assert_every_column_is_noticed(const pr_air *air, traces *honest, uint64_t *random, unsigned n_tries,
                                    const uint32_t *n_busy);
#endif
