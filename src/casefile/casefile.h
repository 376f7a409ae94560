/* JSON of AIRs, statements and cases (air-format.md): import with line, column and JSON path in every refusal, and
 * export.
 *
 * A case is loaded with its trace, or opened, which leaves the trace in its file until pr_case_fill_trace reads it into
 * the caller's columns: it is in memory once. An opened case maps its file, which must not be cut short meanwhile. A
 * verifier opens no trace: the file that it is in may be gone, unless preprocessed columns have their values there. */
#ifndef PR_CASEFILE_CASEFILE_H
#define PR_CASEFILE_CASEFILE_H
#include "air/statement.h"
#include "base/bytes.h"

typedef struct pr_expected_step {
    char *op;
    char *data_json;
    char digest[65];
} pr_expected_step; /* data_json: compact text of "data" */

typedef enum pr_case_depth {
    PR_CASE_ALL,       /* what a prover needs */
    PR_CASE_STATEMENT, /* what a verifier needs: no look at the trace */
    PR_CASE_SHAPE      /* sizes alone: nor are there values of preprocessed columns */
} pr_case_depth;

typedef struct pr_case {
    char *name;
    pr_case_depth depth;
    pr_air *air;
    pr_statement statement; /* borrows air */
    char *path;             /* as given, for messages */
    /* Trace, row order: trace[component][column] -> 1 << log_size words; NULL when the case has none, has a formula, or
     * was opened. */
    pr_m31 ***trace;
    struct pr_case_source *source; /* where the trace of an opened case is; NULL: it has none in a file */
    bool has_formula; /* wide_fibonacci LOG_ROWS COLUMNS SEED: trace is NULL, pr_case_fill_trace computes it */
    uint32_t formula_log_rows, formula_columns;
    uint64_t formula_seed;
    /* expected */
    bool has_expected, has_expected_proof;
    char *expected_envelope; /* compact {"interaction_pow":..,"claimed_sums":..,"stark_proof":..}; NULL without
                                stark_proof */
    size_t expected_envelope_size;
    uint64_t expected_json_bytes;
    char expected_json_blake2s[65];                                   /* of the stark_proof text */
    char *expected_interaction_pow_json, *expected_claimed_sums_json; /* compact texts */
    size_t n_expected_steps;
    pr_expected_step *expected_steps;
} pr_case;

/* path: for messages and for trace_file. "file:9:31: $.air.components[0].nodes[7]: ..." */
PR_MUST_CHECK pr_status pr_case_load(pr_case *out, const char *path, pr_error *err);
PR_MUST_CHECK pr_status pr_case_open(pr_case *out, const char *path, pr_case_depth depth, pr_error *err);
PR_MUST_CHECK pr_status pr_case_parse(pr_case *out, const char *text, size_t size, const char *path, pr_error *err);
void pr_case_clear(pr_case *c);
/* Whether there is a trace: inline, in a file or by formula. */
bool pr_case_has_trace(const pr_case *c);
/* pr_trace_source's fill: context is the pr_case. Row order. PR_ERR_USAGE, PR_ERR_INPUT: a cell of an opened case is no
 * number below p, or its file cannot be read. One thread at a time calls. */
pr_status pr_case_fill_trace(void *context, uint32_t component, pr_m31 *const *columns, unsigned n_threads,
                             pr_error *err);

/* Export. trace may be NULL ([component][column][row]); compact JSON, one line. name may be NULL (no "name" key). */
PR_MUST_CHECK pr_status pr_case_write(pr_writer *out, const char *name, const pr_statement *st,
                                      pr_m31 *const *const *trace, pr_error *err);
#endif
