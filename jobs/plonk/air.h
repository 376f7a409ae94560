/* The AIR of a circuit: one component, a row each. */
#ifndef PR_JOBS_PLONK_AIR_H
#define PR_JOBS_PLONK_AIR_H
#include "air/air.h"
#include "plonk/circuit.h"

enum {
    PR_PLONK_WIRE = 0, /* the relation: number of a wire, its value */
    PR_PLONK_COLUMNS = 3,
    PR_PLONK_LOOKUPS = 3,
    PR_PLONK_PREPROCESSED = 9
};

uint32_t pr_plonk_log_rows(uint32_t n_rows);
PR_MUST_CHECK pr_status pr_plonk_air(pr_air **out, const pr_plonk_circuit *circuit, pr_error *err);
#endif
