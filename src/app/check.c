#include "app/app.h"
#include "air/checker.h"
#include "casefile/casefile.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The case's own trace, or the one its formula gives, in row order. */
static pr_status formula_trace(pr_m31 ****out, pr_case *c, pr_error *err) {
    const pr_air_component *component = &c->air->components[0];
    size_t rows = (size_t)1 << component->log_size, n = component->n_columns;
    pr_m31 ***trace = calloc(1, sizeof *trace + sizeof **trace * n + sizeof(pr_m31) * rows * n);
    if (!trace) return pr_fail(err, PR_ERR_MEMORY, "no memory for the trace");
    trace[0] = (pr_m31 **)(trace + 1);
    for (size_t k = 0; k < n; k++) trace[0][k] = (pr_m31 *)(trace[0] + n) + k * rows;
    *out = trace;
    return pr_case_fill_trace(c, 0, trace[0], 1, err);
}

static int print_report(const pr_check_report *r, const pr_writer *text) {
    if (text->size) fwrite(text->data, 1, text->size, stdout);
    printf("%s: %" PRIu64 " constraints, %" PRIu64 " rows, %" PRIu64 " tuples out of balance\n",
           r->ok ? "all hold" : "violated", r->n_constraints, r->n_rows, r->n_unbalanced);
    return r->ok ? 0 : 1;
}

static int check_case(pr_case *c, const char *path, pr_error *err) {
    pr_check_report report;
    pr_writer text;
    pr_m31 ***computed = NULL;
    pr_status status = PR_OK;
    if (!c->trace && !c->has_formula)
        status = pr_fail(err, PR_ERR_USAGE, "%s: the case has no trace to check", path);
    else if (!c->trace)
        status = formula_trace(&computed, c, err);
    pr_writer_init(&text);
    if (status == PR_OK)
        status = pr_check_trace(&report, &text, &c->statement, (pr_m31 *const *const *)(c->trace ? c->trace : computed),
                                err);
    int code = status == PR_OK ? print_report(&report, &text) : pr_app_fail(err);
    pr_writer_clear(&text);
    free(computed);
    return code;
}

int pr_app_check(int argc, char **argv) {
    pr_error err = {0};
    pr_case c;
    static const struct option options[] = {{0, 0, 0, 0}};
    optind = 0;
    if (pr_app_option(argc, argv, ":", options, &err) != -1) return pr_app_fail(&err);
    if (optind + 1 != argc)
        return pr_fail(&err, PR_ERR_USAGE, "check needs one CASE.json; see proverun check --help"), pr_app_fail(&err);
    if (pr_case_load(&c, argv[optind], &err) != PR_OK) return pr_app_fail_reading(&err);
    int code = check_case(&c, argv[optind], &err);
    pr_case_clear(&c);
    return code;
}
