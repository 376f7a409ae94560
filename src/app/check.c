#include "app/app.h"
#include "air/checker.h"
#include "base/cpu.h"
#include "casefile/casefile.h"
#include <inttypes.h>
#include <stdio.h>

static int print_report(const pr_check_report *r, const pr_writer *text) {
    if (text->size) fwrite(text->data, 1, text->size, stdout);
    printf("%s: %" PRIu64 " constraints, %" PRIu64 " rows, %" PRIu64 " tuples out of balance\n",
           r->ok ? "all hold" : "violated", r->n_constraints, r->n_rows, r->n_unbalanced);
    return r->ok ? 0 : 1;
}

static int check_case(pr_case *c, pr_error *err) {
    pr_check_report report;
    pr_writer text;
    if (!pr_case_has_trace(c))
        return pr_fail(err, PR_ERR_USAGE, "%s: the case has no trace to check", c->path), pr_app_fail(err);
    pr_writer_init(&text);
    pr_status status = pr_check_filled(&report, &text, &c->statement, pr_case_fill_trace, c, pr_cpu_count(), err);
    int code = status == PR_OK ? print_report(&report, &text) : pr_app_fail_reading(err);
    pr_writer_clear(&text);
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
    if (pr_case_open(&c, argv[optind], PR_CASE_ALL, &err) != PR_OK) return pr_app_fail_reading(&err);
    int code = check_case(&c, &err);
    pr_case_clear(&c);
    return code;
}
