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
typedef enum pr_metric_kind { PR_METRIC_COUNTER, PR_METRIC_GAUGE, PR_METRIC_HISTOGRAM } pr_metric_kind;
typedef struct pr_metric_label {
    const char *name, *value;
} pr_metric_label;

/* Durations in buckets: a value on its own, {0} at first, so that any thread may keep one. All have the same bounds,
 * 1, 2.5 and 5 times a power of ten, 100 us to 500 s, as one histogram can only be compared with another that way. */
#define PR_HISTOGRAM_BOUNDS 21u
typedef struct pr_histogram {
    uint64_t
        buckets[PR_HISTOGRAM_BOUNDS + 1]; /* not cumulative: above the bound before, at most this one; then all else */
    double seconds;                       /* the sum */
} pr_histogram;
void pr_histogram_observe(pr_histogram *h, uint64_t ns);
void pr_histogram_add(pr_histogram *to, const pr_histogram *h);
uint64_t pr_histogram_count(const pr_histogram *h);

pr_metrics *pr_metrics_create(void); /* NULL: out of memory */
void pr_metrics_destroy(pr_metrics *m);
/* name and help are borrowed (string literals). name must be valid and new: asserted. */
pr_metric pr_metrics_add_family(pr_metrics *m, const char *name, const char *help, pr_metric_kind kind);
/* label and value name a series of the family; label NULL: the one without labels. Texts are copied. A series appears
 * in the output from its first set or add on. Out of memory makes the next pr_metrics_write fail. */
void pr_metrics_set(pr_metrics *m, pr_metric family, const char *label, const char *value, double number);
void pr_metrics_add(pr_metrics *m, pr_metric family, const char *label, const char *value, double number);
/* A series with two labels, which are given in the same order every time. */
void pr_metrics_set_pair(pr_metrics *m, pr_metric family, const pr_metric_label labels[2], double number);
/* Of a family of histograms, as the two above. The numbers of set replace the earlier ones. */
void pr_metrics_set_histogram(pr_metrics *m, pr_metric family, const char *label, const char *value,
                              const pr_histogram *h);
void pr_metrics_observe(pr_metrics *m, pr_metric family, const char *label, const char *value, uint64_t ns);
double pr_metrics_get(const pr_metrics *m, pr_metric family, const char *label, const char *value); /* 0 when absent */

PR_MUST_CHECK pr_status pr_metrics_write(pr_writer *out, const pr_metrics *m, pr_error *err);
/* Atomically, mode 0644: the exporter runs as another user. */
PR_MUST_CHECK pr_status pr_metrics_save(const pr_metrics *m, const char *path, pr_error *err);
#endif
