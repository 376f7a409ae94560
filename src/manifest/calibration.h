/* What proofs cost on a machine: the file that `proverun bench calibrate` writes, and that plans and runs take their
 * estimates of time from.
 *
 *   version: 2
 *   processor: "AMD EPYC 7763"          # of pr_cpu_model; on another one the file does not count
 *   instructions: avx2
 *   measured: 2026-11-29T06:00:00.000000000Z
 *   cell_ns: 15.5                       # pr_costs (job/estimate.h)
 *   row_ns: 500
 *   grind_ns: 15
 *   attempt_ns: 4000000
 *   parallel: 0.95
 *   worst_error: 0.2                    # of the proofs it was fitted to: how far the model was from the farthest
 *   verify_byte_ns: 2.6                 # pr_verify_costs (job/proof_cost.h); these are new in version 2: with a file
 *   verify_node_ns: 90                  # of version 1 those built in count, and whoever shows estimates says so
 *   verify_value_ns: 24
 *   verify_root_ns: 19
 *   verify_attempt_ns: 40000 */
#ifndef PR_MANIFEST_CALIBRATION_H
#define PR_MANIFEST_CALIBRATION_H
#include "base/bytes.h"
#include "job/estimate.h"

#define PR_CALIBRATION_PATH_BYTES 1024

typedef struct pr_calibration {
    uint32_t version; /* of the file that was read; always the newest is written */
    pr_costs costs;   /* of version 1: verify is zero */
    double worst_error;
    char processor[256], instructions[16], measured[32];
} pr_calibration;

/* Where it lies: $PROVERUN_CALIBRATION, else proverun/calibration.yaml in $XDG_CACHE_HOME or in ~/.cache. False: the
 * environment names no place. */
bool pr_calibration_path(char out[PR_CALIBRATION_PATH_BYTES]);

/* PR_ERR_USAGE with file:line:column, what was found and what is allowed. file is for messages. */
PR_MUST_CHECK pr_status pr_calibration_parse(pr_calibration *out, const char *text, size_t size, const char *file,
                                             pr_error *err);
void pr_calibration_write(pr_writer *w, const pr_calibration *c); /* the text that pr_calibration_parse takes */

typedef struct pr_costs_origin {
    bool is_calibrated;
    char text[512]; /* what the estimates rest on, or why on nothing better, for people */
} pr_costs_origin;

/* The costs on this machine: from the file when it is for this processor, else those built in. A file that cannot be
 * read or understood is told in the origin's text, and does not count. */
pr_costs pr_calibration_costs(pr_costs_origin *origin);
#endif
