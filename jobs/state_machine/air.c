/* The constraints of state_machine. README.md tells them in words and tables. */
#include "state_machine/air.h"
#include <stdlib.h>
#include "air/builder.h"

static const char *const component_names[PR_STATE_MACHINE_AXES] = {"x", "y"};
static const char *const step_ids[PR_STATE_MACHINE_AXES] = {"x_step", "y_step"};
static const char *const live_ids[PR_STATE_MACHINE_AXES] = {"x_live", "y_live"};

uint32_t pr_state_machine_log_rows(uint32_t n_steps) {
    uint32_t log_rows = 4;
    while (UINT32_C(1) << log_rows < n_steps) log_rows++;
    return log_rows;
}

/* The step that each row is, counted over both axes, and whether it is one. */
static pr_status add_preprocessed(pr_air_builder *b, const pr_state_machine_public *statement, int axis,
                                  pr_error *err) {
    uint32_t n_steps = statement->n_steps[axis], log_rows = pr_state_machine_log_rows(n_steps);
    uint32_t first = axis ? statement->n_steps[0] : 0;
    pr_m31 *steps = calloc((size_t)1 << log_rows, sizeof *steps), *live = calloc((size_t)1 << log_rows, sizeof *live);
    bool full = steps && live;
    for (uint32_t r = 0; full && r < n_steps; r++) steps[r] = first + r, live[r] = 1;
    if (full) {
        pr_air_add_preprocessed(b, step_ids[axis], log_rows, steps);
        pr_air_add_preprocessed(b, live_ids[axis], log_rows, live);
    }
    free(steps);
    free(live);
    return full ? PR_OK : pr_fail(err, PR_ERR_MEMORY, "out of memory for the columns of state_machine");
}

static void look_up(pr_air_builder *b, pr_expr multiplicity, pr_expr step, const pr_expr *state) {
    const pr_expr tuple[1 + PR_STATE_MACHINE_AXES] = {step, state[0], state[1]};
    pr_air_lookup_add(b, PR_STATE_MACHINE_STATE, multiplicity, tuple, 1 + PR_STATE_MACHINE_AXES, -1);
}

/* A row takes the state before its step and gives the one after. */
static void add_steps(pr_air_builder *b, int axis, uint32_t log_rows) {
    pr_air_component_begin(b, component_names[axis], log_rows);
    pr_expr one = pr_const(b, 1), before[PR_STATE_MACHINE_AXES], after[PR_STATE_MACHINE_AXES];
    pr_expr step = pr_air_use_preprocessed(b, step_ids[axis]), live = pr_air_use_preprocessed(b, live_ids[axis]);
    pr_expr behind = pr_sub(b, one, live);
    for (int k = 0; k < PR_STATE_MACHINE_AXES; k++) {
        before[k] = pr_air_add_column(b, 0);
        after[k] = k == axis ? pr_add(b, before[k], one) : before[k];
    }
    pr_air_constrain(b, "x is 0 behind the steps", pr_mul(b, behind, before[0]));
    pr_air_constrain(b, "y is 0 behind the steps", pr_mul(b, behind, before[1]));
    look_up(b, live, step, before);
    look_up(b, pr_neg(b, live), pr_add(b, step, one), after);
}

pr_status pr_state_machine_air(pr_air **out, const pr_state_machine_public *statement, pr_error *err) {
    pr_air_builder *b = pr_air_builder_create("state_machine");
    pr_status status = b ? PR_OK : pr_fail(err, PR_ERR_MEMORY, "out of memory for the AIR of state_machine");
    for (int axis = 0; status == PR_OK && axis < PR_STATE_MACHINE_AXES; axis++)
        status = add_preprocessed(b, statement, axis, err);
    if (status != PR_OK) {
        pr_air_builder_destroy(b);
        return status;
    }
    pr_air_add_relation(b, "state", 1 + PR_STATE_MACHINE_AXES);
    for (int axis = 0; axis < PR_STATE_MACHINE_AXES; axis++)
        add_steps(b, axis, pr_state_machine_log_rows(statement->n_steps[axis]));
    return pr_air_build(out, b, err);
}
