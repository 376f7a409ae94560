/* A registry of metrics and its text form, for the textfile collector of the Prometheus node exporter.
 *
 * Names begin with proverun_; every family has HELP and TYPE once; no timestamps; job ids are never labels (they would
 * make a series each). Numbers are written with a point whatever the locale. Not thread safe: one thread owns a
 * registry.
 *
 *   pr_metrics *m = pr_metrics_create();
 *   pr_metric jobs = pr_metrics_add_family(m, "proverun_jobs_total", "Jobs that ended, by outcome.",
 * PR_METRIC_COUNTER); pr_metrics_add(m, jobs, "outcome", "approved", 1); status = pr_metrics_save(m,
 * "results/run.prom", &err);
 */
#ifndef PR_METRICS_METRICS_H
#define PR_METRICS_METRICS_H
#include "base/bytes.h"

typedef struct pr_metrics pr_metrics;
typedef size_t pr_metric;
typedef enum pr_metric_kind { PR_METRIC_COUNTER, PR_METRIC_GAUGE } pr_metric_kind;

pr_metrics *pr_metrics_create(void); /* NULL: out of memory */
void pr_metrics_destroy(pr_metrics *m);
/* name and help are borrowed (string literals). name must be valid and new: asserted. */
pr_metric pr_metrics_add_family(pr_metrics *m, const char *name, const char *help, pr_metric_kind kind);
/* label and value name a series of the family; label NULL: the one without labels. Texts are copied. A series appears
 * in the output from its first set or add on. Out of memory makes the next pr_metrics_write fail. */
void pr_metrics_set(pr_metrics *m, pr_metric family, const char *label, const char *value, double number);
void pr_metrics_add(pr_metrics *m, pr_metric family, const char *label, const char *value, double number);
double pr_metrics_get(const pr_metrics *m, pr_metric family, const char *label, const char *value); /* 0 when absent */

PR_MUST_CHECK pr_status pr_metrics_write(pr_writer *out, const pr_metrics *m, pr_error *err);
/* Atomically, mode 0644: the exporter runs as another user. */
PR_MUST_CHECK pr_status pr_metrics_save(const pr_metrics *m, const char *path, pr_error *err);
#endif
