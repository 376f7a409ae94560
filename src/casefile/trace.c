#include "casefile/read.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* ---- the inline trace ---- */

static pr_status read_column_place(uint64_t *out, uint32_t log_size, const pr_case_cursor *at) {
    PR_TRY(pr_case_array_of(at, 1u << log_size));
    *out = at->value.begin;
    if (pr_case_is(at, PR_CASE_WORDS)) return PR_OK;
    return pr_case_fill_words(at, PR_P - 1, NULL, 0); /* something in it is no number: says which */
}

static pr_status read_component_places(uint64_t *out, const pr_air_component *c, const pr_case_cursor *at) {
    PR_TRY(pr_case_array_of(at, c->n_columns));
    pr_case_cursor column = pr_case_first(at);
    for (uint32_t k = 0; k < c->n_columns; k++, pr_case_step(&column))
        PR_TRY(read_column_place(&out[k], c->log_size, &column));
    return PR_OK;
}

pr_status pr_case_read_trace(pr_case *c, const pr_case_cursor *at) {
    uint32_t n = c->air->n_components;
    PR_TRY(pr_case_array_of(at, n));
    c->source = calloc(1, sizeof *c->source);
    if (!c->source) return pr_case_no_memory(at->doc);
    c->source->text = at->doc->tape->text;
    c->source->size = at->doc->tape->size;
    c->source->columns = pr_case_alloc(n + (size_t)1, sizeof *c->source->columns);
    if (!c->source->columns) return pr_case_no_memory(at->doc);
    pr_case_cursor component = pr_case_first(at);
    for (uint32_t i = 0; i < n; i++, pr_case_step(&component)) {
        const pr_air_component *shape = &c->air->components[i];
        c->source->columns[i] = pr_case_alloc(shape->n_columns, sizeof **c->source->columns);
        if (!c->source->columns[i]) return pr_case_no_memory(at->doc);
        PR_TRY(read_component_places(c->source->columns[i], shape, &component));
    }
    return PR_OK;
}

/* Words of a column that the tape found to be digits; the row of the first that is not below p, or n_rows. */
static uint32_t parse_column(pr_m31 *out, const char *s, uint32_t n_rows) {
    for (uint32_t row = 0; row < n_rows; row++) {
        uint64_t v = 0;
        while (*s < '0' || *s > '9') s++;
        for (const char *first = s; *s >= '0' && *s <= '9'; s++)
            if (s - first < 11) v = 10 * v + (uint64_t)(*s - '0');
        if (v >= PR_P) return row;
        out[row] = (pr_m31)v;
    }
    return n_rows;
}

static pr_status refuse_cell(const pr_case *c, uint32_t component, uint32_t column, uint32_t row, pr_error *err) {
    const pr_case_tape text = {.text = c->source->text, .size = c->source->size};
    size_t at = pr_case_first_word(&text, c->source->columns[component][column]), line, place;
    for (uint32_t i = 0; i < row; i++) at = pr_case_next_word(&text, at);
    size_t n = pr_case_token_size(&text, at);
    pr_case_position(&line, &place, text.text, at);
    return pr_fail_at(err, PR_ERR_USAGE, c->path, line, place,
                      "$.trace[%u][%u][%u]: must be a whole number of 0 to %u, found %.*s%s", component, column, row,
                      PR_P - 1, n > 40 ? 40 : (int)n, text.text + at, n > 40 ? "..." : "");
}

static pr_status fill_inline(const pr_case *c, uint32_t component, pr_m31 *const *columns, unsigned n_threads,
                             pr_error *err) {
    const pr_air_component *shape = &c->air->components[component];
    uint32_t n_rows = 1u << shape->log_size, bad_column = UINT32_MAX, bad_row = 0;
#pragma omp parallel for num_threads((int)n_threads) schedule(dynamic)
    for (uint32_t k = 0; k < shape->n_columns; k++) {
        uint32_t row = parse_column(columns[k], c->source->text + c->source->columns[component][k] + 1, n_rows);
#pragma omp critical(case_cell)
        if (row < n_rows && k < bad_column) bad_column = k, bad_row = row;
    }
    pr_case_forget_text(c->source);
    return bad_column == UINT32_MAX ? PR_OK : refuse_cell(c, component, bad_column, bad_row, err);
}

/* ---- sources ---- */

void pr_case_release_text(pr_case_source *source) {
    if (source->is_mapped) munmap((void *)(uintptr_t)source->text, source->size);
    if (source->is_owned) free((void *)(uintptr_t)source->text);
}

void pr_case_forget_text(const pr_case_source *source) {
    if (source->is_mapped) (void)madvise((void *)(uintptr_t)source->text, source->size, MADV_DONTNEED);
}

void pr_case_close_source(pr_case *c) {
    if (!c->source) return;
    for (uint32_t i = 0; c->source->columns && c->source->columns[i]; i++) free(c->source->columns[i]);
    free(c->source->columns);
    free(c->source->h5_path);
    pr_case_release_text(c->source);
    free(c->source);
    c->source = NULL;
}

static pr_status alloc_trace(pr_case *c) {
    uint32_t n = c->air->n_components;
    c->trace = pr_case_alloc(n, sizeof *c->trace);
    for (uint32_t i = 0; c->trace && i < n; i++) {
        const pr_air_component *shape = &c->air->components[i];
        c->trace[i] = pr_case_alloc(shape->n_columns, sizeof **c->trace);
        for (uint32_t k = 0; c->trace[i] && k < shape->n_columns; k++)
            if (!(c->trace[i][k] = malloc(sizeof(pr_m31) << shape->log_size))) return PR_ERR_MEMORY;
        if (!c->trace[i]) return PR_ERR_MEMORY;
    }
    return c->trace ? PR_OK : PR_ERR_MEMORY;
}

pr_status pr_case_load_trace(pr_case *c, pr_error *err) {
    pr_m31 ***trace;
    pr_status status = alloc_trace(c);
    if (status != PR_OK) return pr_fail(err, status, "%s: out of memory", c->path);
    trace = c->trace;
    c->trace = NULL; /* what is in memory comes first in pr_case_fill_trace */
    for (uint32_t i = 0; status == PR_OK && i < c->air->n_components; i++)
        status = pr_case_fill_trace(c, i, trace[i], 1, err);
    c->trace = trace;
    pr_case_close_source(c);
    return status;
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
    char *whole = NULL;
    uint64_t log_rows = 0, columns = 0, seed = 0;
    PR_TRY(pr_case_text(at, &whole));
    const char *text = whole + (strncmp(whole, name, sizeof name - 1) == 0 ? sizeof name - 1 : 0);
    bool read = text > whole && parse_number(&text, PR_AIR_MAX_LOG_ROWS, &log_rows) &&
                parse_number(&text, UINT32_MAX, &columns) && parse_number(&text, UINT64_MAX, &seed) && !*text;
    free(whole);
    if (!read) return pr_case_refuse_kind(at, "the text \"wide_fibonacci LOG_ROWS COLUMNS SEED\"");
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
    else if (c->source && c->source->columns)
        return fill_inline(c, component, columns, n_threads ? n_threads : 1, err);
    else if (c->source)
        return pr_case_fill_from_file(c, component, columns, n_threads ? n_threads : 1, err);
    else
        return pr_fail(err, PR_ERR_INPUT, "this case has no trace");
    return PR_OK;
}
