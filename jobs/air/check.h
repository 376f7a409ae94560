/* Checks a trace that comes component by component, while its columns are at hand: constraints in all rows or in some,
 * and whether each relation balances.
 *
 * Constraints are exact. Relations are checked as the proof checks them, by a sum of fractions at a random point, but
 * each by itself: memory does not grow with the rows, and a relation out of balance passes with probability below
 * 2^-90. `proverun check` counts tuples instead and lists them. */
#ifndef PR_JOBS_AIR_CHECK_H
#define PR_JOBS_AIR_CHECK_H
#include "air/statement.h"

typedef enum pr_air_check_mode {
    PR_AIR_CHECK_OFF,
    PR_AIR_CHECK_SAMPLED, /* PR_AIR_CHECK_ROWS random rows of each component; no relations */
    PR_AIR_CHECK_FULL
} pr_air_check_mode;

#define PR_AIR_CHECK_ROWS 256

typedef struct pr_air_check pr_air_check;
/* st: its AIR and public terms; borrowed. */
PR_MUST_CHECK pr_status pr_air_check_create(pr_air_check **out, const pr_statement *st, pr_air_check_mode mode,
                                            pr_error *err);
void pr_air_check_destroy(pr_air_check *check); /* NULL allowed */
/* columns: [n_columns][1 << log_size], row order. Each component once. PR_ERR_INPUT names component, constraint and row
 * of the first failure; PR_ERR_REFUSED: a component does not lower. */
PR_MUST_CHECK pr_status pr_air_check_component(pr_air_check *check, uint32_t component, pr_m31 *const *columns,
                                               unsigned n_threads, pr_error *err);
/* After the last component. PR_ERR_INPUT names the first relation that does not balance. */
PR_MUST_CHECK pr_status pr_air_check_relations(const pr_air_check *check, pr_error *err);
#endif
