/* The AIR of a walk: a component for the steps along each axis, a row a step. */
#ifndef PR_JOBS_STATE_MACHINE_AIR_H
#define PR_JOBS_STATE_MACHINE_AIR_H
#include "air/air.h"

enum {
    PR_STATE_MACHINE_STATE = 0, /* the relation: number of the step, x, y */
    PR_STATE_MACHINE_AXES = 2,  /* x, then y */
    PR_STATE_MACHINE_COLUMNS = 2,
    PR_STATE_MACHINE_PREPROCESSED = 2 /* of each component */
};
#define PR_STATE_MACHINE_MAX_STEPS (UINT32_C(1) << PR_AIR_MAX_LOG_ROWS)

/* What is public about a job of this type. */
typedef struct pr_state_machine_public {
    pr_m31 initial[PR_STATE_MACHINE_AXES];
    uint32_t n_steps[PR_STATE_MACHINE_AXES]; /* along x, then along y; one in all at least */
    pr_m31 final[PR_STATE_MACHINE_AXES];
} pr_state_machine_public;

uint32_t pr_state_machine_log_rows(uint32_t n_steps);
PR_MUST_CHECK pr_status pr_state_machine_air(pr_air **out, const pr_state_machine_public *statement, pr_error *err);
#endif
