#include "casefile/read.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- the inline trace, parsed from the text ---- */

typedef struct trace_reader {
    const pr_case_doc *doc;
    const char *text;
    size_t at, end;
    uint32_t component, column, row;
    unsigned depth; /* how many of these indices are part of the path */
} trace_reader;

static pr_status refuse(const trace_reader *r, const char *message) {
    const uint32_t indices[] = {r->component, r->column, r->row};
    pr_case_path path;
    size_t line = 0, column = 0;
    pr_case_path_init(&path);
    pr_case_path_key(&path, "trace", 5);
    for (unsigned i = 0; i < r->depth; i++) pr_case_path_index(&path, indices[i]);
    pr_case_scan_position(&line, &column, r->text, r->at);
    return pr_fail_at(r->doc->err, PR_ERR_USAGE, r->doc->file, line, column, "%s: %s", path.text, message);
}

static void skip_space(trace_reader *r) {
    while (r->at < r->end) {
        char c = r->text[r->at];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t') return;
        r->at++;
    }
}

static bool accept(trace_reader *r, char c) {
    skip_space(r);
    if (r->at >= r->end || r->text[r->at] != c) return false;
    r->at++;
    return true;
}

static bool ends_number(char c) { return c == ',' || c == ']' || c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

static pr_status read_cell(trace_reader *r, pr_m31 *out) {
    skip_space(r);
    size_t begin = r->at, at = begin;
    uint64_t v = 0;
    while (at < r->end && r->text[at] >= '0' && r->text[at] <= '9' && at - begin < 11)
        v = 10 * v + (uint64_t)(r->text[at++] - '0');
    size_t n = at - begin;
    bool whole = n && at < r->end && ends_number(r->text[at]) && !(n > 1 && r->text[begin] == '0');
    if (!whole) return refuse(r, "must be a whole number below p = 2147483647");
    if (v >= PR_P) return refuse(r, "is not below p = 2147483647");
    r->at = at;
    *out = (pr_m31)v;
    return PR_OK;
}

/* After an element: another one follows, or the list ends. */
static pr_status next_element(trace_reader *r, bool *more) {
    *more = accept(r, ',');
    return *more || accept(r, ']') ? PR_OK : refuse(r, "expected ',' or ']'");
}

static pr_status read_column(trace_reader *r, pr_m31 **out, uint32_t n_rows) {
    if (!accept(r, '[')) return refuse(r, "must be an array of numbers");
    *out = malloc(n_rows * sizeof **out);
    if (!*out) return pr_case_no_memory(r->doc);
    bool more = true;
    for (r->row = 0; more; r->row++) {
        r->depth = 3;
        if (r->row == n_rows) return refuse(r, "is a row more than the component has");
        PR_TRY(read_cell(r, *out + r->row));
        PR_TRY(next_element(r, &more));
    }
    r->depth = 2;
    return r->row == n_rows ? PR_OK : refuse(r, "has fewer rows than the component");
}

static pr_status read_component(trace_reader *r, pr_m31 **columns, const pr_air_component *c) {
    if (!accept(r, '[')) return refuse(r, "must be an array of columns");
    bool more = true;
    for (r->column = 0; more; r->column++) {
        r->depth = 2;
        if (r->column == c->n_columns) return refuse(r, "is a column more than the component has");
        PR_TRY(read_column(r, &columns[r->column], 1u << c->log_size));
        PR_TRY(next_element(r, &more));
    }
    r->depth = 1;
    return r->column == c->n_columns ? PR_OK : refuse(r, "has fewer columns than the component");
}

pr_status pr_case_alloc_trace(pr_case *c, const pr_case_doc *doc) {
    c->trace = pr_case_alloc(c->air->n_components, sizeof *c->trace);
    if (!c->trace) return pr_case_no_memory(doc);
    for (uint32_t i = 0; i < c->air->n_components; i++) {
        c->trace[i] = pr_case_alloc(c->air->components[i].n_columns, sizeof **c->trace);
        if (!c->trace[i]) return pr_case_no_memory(doc);
    }
    return PR_OK;
}

pr_status pr_case_read_trace(pr_case *c, const pr_case_doc *doc) {
    trace_reader r = {.doc = doc, .text = doc->scan->text, .at = doc->scan->trace.begin, .end = doc->scan->trace.end};
    bool more = true;
    PR_TRY(pr_case_alloc_trace(c, doc));
    r.at++; /* the scan found this '[' and the ']' that closes it */
    for (; more; r.component++) {
        r.depth = 1;
        if (r.component == c->air->n_components) return refuse(&r, "is a component more than the AIR has");
        PR_TRY(read_component(&r, c->trace[r.component], &c->air->components[r.component]));
        PR_TRY(next_element(&r, &more));
    }
    r.depth = 0;
    return r.component == c->air->n_components ? PR_OK : refuse(&r, "has fewer components than the AIR");
}

/* ---- trace_formula ---- */

/* A space, then a number without leading zeros. */
static bool parse_number(const char **text, uint64_t max, uint64_t *out) {
    const char *p = *text;
    if (*p++ != ' ' || *p < '0' || *p > '9' || (*p == '0' && p[1] >= '0' && p[1] <= '9')) return false;
    char *end = NULL;
    errno = 0;
    unsigned long long v = strtoull(p, &end, 10);
    if (errno || v > max) return false;
    *out = v;
    *text = end;
    return true;
}

pr_status pr_case_read_formula(pr_case *c, const pr_case_cursor *at) {
    static const char name[] = "wide_fibonacci";
    const char *text = json_string_value(at->value);
    uint64_t log_rows = 0, columns = 0, seed = 0;
    bool read = text && strncmp(text, name, sizeof name - 1) == 0;
    if (read) {
        text += sizeof name - 1;
        read = parse_number(&text, PR_AIR_MAX_LOG_ROWS, &log_rows) && parse_number(&text, UINT32_MAX, &columns) &&
               parse_number(&text, UINT64_MAX, &seed) && !*text;
    }
    if (!read) return pr_case_refuse(at, "must be the text \"wide_fibonacci LOG_ROWS COLUMNS SEED\"");
    const pr_air_component *component = &c->air->components[0];
    if (c->air->n_components != 1 || component->log_size != log_rows || component->n_columns != columns)
        return pr_case_refuse(at, "the AIR must have a single component, of log size %u with %u columns",
                              (unsigned)log_rows, (unsigned)columns);
    c->has_formula = true;
    c->formula_log_rows = (uint32_t)log_rows;
    c->formula_columns = (uint32_t)columns;
    c->formula_seed = seed;
    return PR_OK;
}

/* Rows [begin, end): 1, seed + row, then each cell the sum of the squares of the two before it. */
static void fill_rows(const pr_case *c, pr_m31 *const *columns, size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) columns[0][i] = 1;
    if (c->formula_columns < 2) return;
    pr_m31 seed = pr_m31_reduce(c->formula_seed);
    for (size_t i = begin; i < end; i++) columns[1][i] = pr_m31_add(seed, pr_m31_reduce(i));
    for (uint32_t k = 2; k < c->formula_columns; k++) {
        const pr_m31 *a = columns[k - 2], *b = columns[k - 1];
        pr_m31 *out = columns[k];
        for (size_t i = begin; i < end; i++) out[i] = pr_m31_add(pr_m31_square(a[i]), pr_m31_square(b[i]));
    }
}

static void fill_formula(const pr_case *c, pr_m31 *const *columns, unsigned n_threads) {
    size_t rows = (size_t)1 << c->formula_log_rows, block = rows < 4096 ? rows : 4096;
#pragma omp parallel for num_threads((int)n_threads) schedule(static)
    for (size_t begin = 0; begin < rows; begin += block) fill_rows(c, columns, begin, begin + block);
}

pr_status pr_case_fill_trace(void *context, uint32_t component, pr_m31 *const *columns, unsigned n_threads,
                             pr_error *err) {
    const pr_case *c = context;
    if (component >= c->air->n_components)
        return pr_fail(err, PR_ERR_INTERNAL, "component %u: the AIR has %u", component, c->air->n_components);
    const pr_air_component *shape = &c->air->components[component];
    if (c->has_formula)
        fill_formula(c, columns, n_threads ? n_threads : 1);
    else if (c->trace)
        for (uint32_t k = 0; k < shape->n_columns; k++)
            memcpy(columns[k], c->trace[component][k], sizeof(pr_m31) << shape->log_size);
    else
        return pr_fail(err, PR_ERR_INPUT, "this case has no trace");
    return PR_OK;
}
