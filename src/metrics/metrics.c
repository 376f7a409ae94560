#include "metrics/metrics.h"
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LABELS 2u

typedef struct series {
    size_t family;
    pr_metric_label labels[MAX_LABELS]; /* owned; those after the last have no name */
    double number;
    pr_histogram *histogram; /* owned; NULL: a number */
} series;

typedef struct family {
    const char *name, *help;
    pr_metric_kind kind;
} family;

struct pr_metrics {
    family *families;
    series *all;
    size_t n_families, n_series;
    bool failed; /* out of memory at some point */
};

pr_metrics *pr_metrics_create(void) { return calloc(1, sizeof(pr_metrics)); }

static void clear_series(series *s) {
    for (size_t k = 0; k < MAX_LABELS; k++) {
        free((char *)s->labels[k].name);
        free((char *)s->labels[k].value);
    }
    free(s->histogram);
}

void pr_metrics_destroy(pr_metrics *m) {
    if (!m) return;
    for (size_t i = 0; i < m->n_series; i++) clear_series(&m->all[i]);
    free(m->all);
    free(m->families);
    free(m);
}

static bool name_is_valid(const char *name) {
    if (strncmp(name, "proverun_", 9) != 0) return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

static bool name_is_new(const pr_metrics *m, const char *name) {
    for (size_t i = 0; i < m->n_families; i++)
        if (strcmp(m->families[i].name, name) == 0) return false;
    return true;
}

pr_metric pr_metrics_add_family(pr_metrics *m, const char *name, const char *help, pr_metric_kind kind) {
    PR_ASSERT(name_is_valid(name) && name_is_new(m, name));
    family *grown = realloc(m->families, (m->n_families + 1) * sizeof *grown);
    if (!grown) {
        m->failed = true;
        return SIZE_MAX;
    }
    m->families = grown;
    grown[m->n_families] = (family){name, help, kind};
    return m->n_families++;
}

static bool same_text(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

static series *find(const pr_metrics *m, pr_metric which, const pr_metric_label labels[MAX_LABELS]) {
    for (size_t i = 0; i < m->n_series; i++) {
        series *s = &m->all[i];
        bool same = s->family == which;
        for (size_t k = 0; same && k < MAX_LABELS; k++)
            same = same_text(s->labels[k].name, labels[k].name) && same_text(s->labels[k].value, labels[k].value);
        if (same) return s;
    }
    return NULL;
}

static bool make_series(series *s, const pr_metrics *m, pr_metric which, const pr_metric_label labels[MAX_LABELS]) {
    bool good = true;
    *s = (series){.family = which};
    for (size_t k = 0; k < MAX_LABELS && labels[k].name; k++) {
        s->labels[k] = (pr_metric_label){strdup(labels[k].name), strdup(labels[k].value)};
        good &= s->labels[k].name && s->labels[k].value;
    }
    if (m->families[which].kind == PR_METRIC_HISTOGRAM) {
        s->histogram = calloc(1, sizeof *s->histogram);
        good &= s->histogram != NULL;
    }
    return good;
}

static series *find_or_add(pr_metrics *m, pr_metric which, const pr_metric_label labels[MAX_LABELS]) {
    series *s = find(m, which, labels), made;
    if (s || m->failed) return s;
    series *grown = realloc(m->all, (m->n_series + 1) * sizeof *grown);
    if (grown) m->all = grown;
    if (!make_series(&made, m, which, labels) || !grown) {
        clear_series(&made);
        m->failed = true;
        return NULL;
    }
    m->all[m->n_series] = made;
    return &m->all[m->n_series++];
}

static series *with_label(pr_metrics *m, pr_metric which, const char *label, const char *value) {
    const pr_metric_label labels[MAX_LABELS] = {{label, value}};
    return find_or_add(m, which, labels);
}

void pr_metrics_set(pr_metrics *m, pr_metric which, const char *label, const char *value, double number) {
    series *s = with_label(m, which, label, value);
    if (s) s->number = number;
}

void pr_metrics_add(pr_metrics *m, pr_metric which, const char *label, const char *value, double number) {
    series *s = with_label(m, which, label, value);
    if (s) s->number += number;
}

void pr_metrics_set_pair(pr_metrics *m, pr_metric which, const pr_metric_label labels[2], double number) {
    series *s = find_or_add(m, which, labels);
    if (s) s->number = number;
}

double pr_metrics_get(const pr_metrics *m, pr_metric which, const char *label, const char *value) {
    const pr_metric_label labels[MAX_LABELS] = {{label, value}};
    const series *s = find(m, which, labels);
    return s ? s->number : 0;
}

/* ---- histograms ---- */

/* In units of 100 us: 1, 2.5, 5, 10 ... */
static double bound_seconds(size_t i) {
    static const double steps[] = {1e-4, 2.5e-4, 5e-4};
    double bound = steps[i % 3];
    for (size_t k = 0; k < i / 3; k++) bound *= 10;
    return bound;
}

void pr_histogram_observe(pr_histogram *h, uint64_t ns) {
    static const uint64_t steps[] = {100000, 250000, 500000};
    uint64_t scale = 1;
    size_t i = 0;
    for (; i < PR_HISTOGRAM_BOUNDS && ns > steps[i % 3] * scale; i++)
        if (i % 3 == 2) scale *= 10;
    h->buckets[i]++;
    h->seconds += (double)ns / 1e9;
}

void pr_histogram_add(pr_histogram *to, const pr_histogram *h) {
    for (size_t i = 0; i <= PR_HISTOGRAM_BOUNDS; i++) to->buckets[i] += h->buckets[i];
    to->seconds += h->seconds;
}

uint64_t pr_histogram_count(const pr_histogram *h) {
    uint64_t n = 0;
    for (size_t i = 0; i <= PR_HISTOGRAM_BOUNDS; i++) n += h->buckets[i];
    return n;
}

void pr_metrics_set_histogram(pr_metrics *m, pr_metric which, const char *label, const char *value,
                              const pr_histogram *h) {
    series *s = with_label(m, which, label, value);
    if (s) *s->histogram = *h;
}

void pr_metrics_observe(pr_metrics *m, pr_metric which, const char *label, const char *value, uint64_t ns) {
    series *s = with_label(m, which, label, value);
    if (s) pr_histogram_observe(s->histogram, ns);
}

/* ---- text ---- */

/* escapes is "\\\n" for help texts and also the quote for label values. */
static void write_escaped(pr_writer *out, const char *text, bool quoted) {
    for (; *text; text++) {
        if (*text == '\n')
            pr_write_format(out, "\\n");
        else if (*text == '\\' || (quoted && *text == '"'))
            pr_write_format(out, "\\%c", *text);
        else
            pr_write_u8(out, (uint8_t)*text);
    }
}

static void write_number(pr_writer *out, double number) {
    char text[64];
    if (isnan(number))
        snprintf(text, sizeof text, "NaN");
    else if (isinf(number))
        snprintf(text, sizeof text, number > 0 ? "+Inf" : "-Inf");
    else if (fabs(number) < 9007199254740992.0 && number == (double)(int64_t)number)
        snprintf(text, sizeof text, "%" PRId64, (int64_t)number);
    else
        snprintf(text, sizeof text, "%.9g", number);
    pr_write_bytes(out, text, strlen(text));
}

/* bound: of a bucket; NULL: none. */
static void write_sample(pr_writer *out, const char *name, const char *suffix, const series *s, const char *bound,
                         double number) {
    char mark = '{';
    pr_write_format(out, "%s%s", name, suffix);
    for (size_t k = 0; k < MAX_LABELS && s->labels[k].name; k++, mark = ',') {
        pr_write_format(out, "%c%s=\"", mark, s->labels[k].name);
        write_escaped(out, s->labels[k].value, true);
        pr_write_u8(out, '"');
    }
    if (bound) pr_write_format(out, "%cle=\"%s\"}", mark, bound);
    if (!bound && mark == ',') pr_write_u8(out, '}');
    pr_write_u8(out, ' ');
    write_number(out, number);
    pr_write_u8(out, '\n');
}

static void write_histogram(pr_writer *out, const char *name, const series *s) {
    uint64_t n = 0;
    char bound[32];
    for (size_t i = 0; i < PR_HISTOGRAM_BOUNDS; i++) {
        n += s->histogram->buckets[i];
        snprintf(bound, sizeof bound, "%g", bound_seconds(i));
        write_sample(out, name, "_bucket", s, bound, (double)n);
    }
    n += s->histogram->buckets[PR_HISTOGRAM_BOUNDS];
    write_sample(out, name, "_bucket", s, "+Inf", (double)n);
    write_sample(out, name, "_sum", s, NULL, s->histogram->seconds);
    write_sample(out, name, "_count", s, NULL, (double)n);
}

static const char *kind_name(pr_metric_kind kind) {
    static const char *const names[] = {"counter", "gauge", "histogram"};
    return names[kind];
}

static void write_family(pr_writer *out, const pr_metrics *m, size_t which) {
    const family *f = &m->families[which];
    pr_write_format(out, "# HELP %s ", f->name);
    write_escaped(out, f->help, false);
    pr_write_format(out, "\n# TYPE %s %s\n", f->name, kind_name(f->kind));
    for (size_t i = 0; i < m->n_series; i++) {
        const series *s = &m->all[i];
        if (s->family != which) continue;
        if (s->histogram)
            write_histogram(out, f->name, s);
        else
            write_sample(out, f->name, "", s, NULL, s->number);
    }
}

static bool has_series(const pr_metrics *m, size_t which) {
    for (size_t i = 0; i < m->n_series; i++)
        if (m->all[i].family == which) return true;
    return false;
}

pr_status pr_metrics_write(pr_writer *out, const pr_metrics *m, pr_error *err) {
    locale_t c = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (!c || m->failed) {
        if (c) freelocale(c);
        return pr_fail(err, PR_ERR_MEMORY, "out of memory for metrics");
    }
    locale_t before = uselocale(c);
    for (size_t i = 0; i < m->n_families; i++)
        if (has_series(m, i)) write_family(out, m, i);
    uselocale(before);
    freelocale(c);
    return out->failed ? pr_fail(err, PR_ERR_MEMORY, "out of memory for metrics") : PR_OK;
}

pr_status pr_metrics_save(const pr_metrics *m, const char *path, pr_error *err) {
    pr_writer w;
    pr_writer_init(&w);
    pr_status status = pr_metrics_write(&w, m, err);
    if (status == PR_OK) status = pr_file_write_atomic(path, w.data, w.size, 0644, err);
    pr_writer_clear(&w);
    return status;
}
