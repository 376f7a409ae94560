/* Options of `proverun plan`, shared by its files. */
#ifndef PR_APP_PLAN_H
#define PR_APP_PLAN_H
#include "app/app.h"
#include "manifest/calibration.h"
#include "manifest/votes_config.h"

typedef struct plan_options {
    const char *path;
    pr_prover_options prover; /* n_threads 0: not given */
    /* of a manifest */
    uint64_t n_ranks; /* 0: not given */
    pr_votes_config votes;
    bool has_votes, coordinator_only, json;
    /* where times come from */
    pr_costs costs;
    pr_costs_origin origin;
} plan_options;

/* Prints the plan of a manifest's jobs; returns the exit code. */
int plan_manifest(plan_options *o);
#endif
