#include "plonk/values.h"
#include <stdlib.h>
#include <string.h>

static const char blanks[] = " \t\r\n,";

static int compare_names(const char *a, size_t a_size, const char *b, size_t b_size) {
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static int compare(const void *a, const void *b) {
    const pr_plonk_value *x = a, *y = b;
    int order = compare_names(x->name, x->size, y->name, y->size);
    return order ? order : (x->line > y->line) - (x->line < y->line);
}

static bool parse_word(pr_plonk_value *out, const char *word, size_t size) {
    const char *equals = memchr(word, '=', size), *end = word + size;
    uint64_t v = 0;
    if (!equals || equals == word || equals + 1 == end) return false;
    for (const char *s = equals + 1; s < end; s++) {
        if (*s < '0' || *s > '9') return false;
        v = 10 * v + (uint64_t)(*s - '0');
        if (v >= PR_P) return false;
    }
    out->name = word;
    out->size = (size_t)(equals - word);
    out->value = (pr_m31)v;
    return true;
}

static bool append(pr_plonk_values *v, const pr_plonk_value *value) {
    if ((v->n & (v->n - 1)) == 0) { /* full: room is a power of two */
        pr_plonk_value *grown = realloc(v->named, (v->n ? 2 * v->n : 1) * sizeof *grown);
        if (!grown) return false;
        v->named = grown;
    }
    v->named[v->n++] = *value;
    return true;
}

static pr_status parse_words(pr_plonk_values *v, const char *text, pr_error *err) {
    const char *line_start = text;
    pr_plonk_value value = {.line = 1};
    for (const char *at = text; *at;) {
        if (*at == '\n') value.line++, line_start = at + 1;
        if (*at == '#') {
            at += strcspn(at, "\n");
            continue;
        }
        if (strchr(blanks, *at)) {
            at++;
            continue;
        }
        size_t size = strcspn(at, " \t\r\n,#");
        if (!parse_word(&value, at, size))
            return pr_fail_at(err, PR_ERR_INPUT, v->source, value.line, (size_t)(at - line_start) + 1,
                              "'%.*s' is not NAME=NUMBER with a number below 2147483647", size < 40 ? (int)size : 40,
                              at);
        if (!append(v, &value)) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the values");
        at += size;
    }
    return PR_OK;
}

static pr_status check_twice(const pr_plonk_values *v, pr_error *err) {
    for (size_t k = 1; k < v->n; k++) {
        const pr_plonk_value *a = &v->named[k - 1], *b = &v->named[k];
        if (compare_names(a->name, a->size, b->name, b->size) == 0)
            return pr_fail(err, PR_ERR_INPUT, "%s:%u: a second value of '%.*s'; the first is in line %u", v->source,
                           b->line, b->size < 64 ? (int)b->size : 64, b->name, a->line);
    }
    return PR_OK;
}

pr_status pr_plonk_values_parse(pr_plonk_values *out, const char *text, const char *source, pr_error *err) {
    *out = (pr_plonk_values){.source = source, .named = malloc(sizeof *out->named)};
    pr_status status = out->named ? parse_words(out, text, err) : pr_fail(err, PR_ERR_MEMORY, "out of memory");
    if (status == PR_OK) {
        qsort(out->named, out->n, sizeof *out->named, compare);
        status = check_twice(out, err);
    }
    if (status != PR_OK) pr_plonk_values_clear(out);
    return status;
}

void pr_plonk_values_clear(pr_plonk_values *v) {
    free(v->named);
    free(v->ordered);
    *v = (pr_plonk_values){0};
}

bool pr_plonk_values_take(pr_plonk_values *v, pr_m31 *out, const char *name) {
    if (!v->named) {
        if (v->next == v->n) return false;
        *out = v->ordered[v->next++];
        return true;
    }
    size_t low = 0, high = v->n, size = strlen(name);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_names(v->named[middle].name, v->named[middle].size, name, size);
        if (order == 0) return *out = v->named[middle].value, true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}
