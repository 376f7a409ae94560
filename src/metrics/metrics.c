#include "metrics/metrics.h"
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct series {
    size_t family;
    char *label, *value; /* both NULL: no label */
    double number;
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

void pr_metrics_destroy(pr_metrics *m) {
    if (!m) return;
    for (size_t i = 0; i < m->n_series; i++) {
        free(m->all[i].label);
        free(m->all[i].value);
    }
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

static series *find(const pr_metrics *m, pr_metric which, const char *label, const char *value) {
    for (size_t i = 0; i < m->n_series; i++) {
        series *s = &m->all[i];
        if (s->family == which && same_text(s->label, label) && same_text(s->value, value)) return s;
    }
    return NULL;
}

static series *find_or_add(pr_metrics *m, pr_metric which, const char *label, const char *value) {
    series *s = find(m, which, label, value);
    if (s || m->failed) return s;
    series *grown = realloc(m->all, (m->n_series + 1) * sizeof *grown);
    if (grown) m->all = grown;
    char *l = label ? strdup(label) : NULL, *v = label ? strdup(value) : NULL;
    if (!grown || (label && (!l || !v))) {
        free(l);
        free(v);
        m->failed = true;
        return NULL;
    }
    m->all[m->n_series] = (series){which, l, v, 0};
    return &m->all[m->n_series++];
}

void pr_metrics_set(pr_metrics *m, pr_metric which, const char *label, const char *value, double number) {
    series *s = find_or_add(m, which, label, value);
    if (s) s->number = number;
}

void pr_metrics_add(pr_metrics *m, pr_metric which, const char *label, const char *value, double number) {
    series *s = find_or_add(m, which, label, value);
    if (s) s->number += number;
}

double pr_metrics_get(const pr_metrics *m, pr_metric which, const char *label, const char *value) {
    const series *s = find(m, which, label, value);
    return s ? s->number : 0;
}

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

static void write_family(pr_writer *out, const pr_metrics *m, size_t which) {
    const family *f = &m->families[which];
    pr_write_format(out, "# HELP %s ", f->name);
    write_escaped(out, f->help, false);
    pr_write_format(out, "\n# TYPE %s %s\n", f->name, f->kind == PR_METRIC_COUNTER ? "counter" : "gauge");
    for (size_t i = 0; i < m->n_series; i++) {
        const series *s = &m->all[i];
        if (s->family != which) continue;
        pr_write_format(out, "%s", f->name);
        if (s->label) {
            pr_write_format(out, "{%s=\"", s->label);
            write_escaped(out, s->value, true);
            pr_write_format(out, "\"}");
        }
        pr_write_u8(out, ' ');
        write_number(out, s->number);
        pr_write_u8(out, '\n');
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
