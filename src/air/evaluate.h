/* Runs a program on one row over M31: what the checker uses, and what faster evaluators are compared with.
 *
 *   pr_evaluation e;
 *   PR_TRY(pr_evaluation_init(&e, &program, &err));
 *   for each row: e.inputs[k] = ...; pr_evaluation_run(&e); ... e.constraints[i] ...
 *   pr_evaluation_clear(&e);
 */
#ifndef PR_AIR_EVALUATE_H
#define PR_AIR_EVALUATE_H
#include "air/program.h"

/* A lookup of the row at hand; values: [n_values], valid during the call. */
typedef void (*pr_lookup_visitor)(void *context, uint32_t relation, pr_m31 multiplicity, const pr_m31 *values,
                                  uint32_t n_values);

typedef struct pr_evaluation {
    const pr_program *program; /* borrowed */
    pr_m31 *inputs;            /* [n_inputs] the caller fills them before each run */
    pr_m31 *constraints;       /* [n_constraints] values after a run; zero in a program without CONSTRAINTs */
    pr_lookup_visitor visit;   /* called for each lookup in program order; NULL: lookups are passed over */
    void *context;
    pr_m31 *cells;  /* owned: slots, then inputs, as operands count them */
    pr_m31 *values; /* owned: of one lookup */
} pr_evaluation;

PR_MUST_CHECK pr_status pr_evaluation_init(pr_evaluation *e, const pr_program *program, pr_error *err);
void pr_evaluation_clear(pr_evaluation *e);
void pr_evaluation_run(pr_evaluation *e);
#endif
