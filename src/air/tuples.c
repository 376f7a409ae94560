#include "air/tuples.h"
#include <string.h>
#include "base/error.h"

#define MAX_SCRATCH 4096
static _Thread_local pr_m31 scratch[MAX_SCRATCH]; /* tuples of a relation; larger ones fail */

void pr_tuples_init(pr_tuples *t, uint32_t size) { *t = (pr_tuples){.size = size, .failed = size > MAX_SCRATCH}; }

void pr_tuples_clear(pr_tuples *t) {
    free(t->items);
    free(t->values);
    free(t->table);
    *t = (pr_tuples){0};
}

pr_m31 *pr_tuples_scratch(pr_tuples *t) {
    (void)t;
    return scratch;
}

const pr_m31 *pr_tuples_values(const pr_tuples *t, size_t index) { return t->values + index * t->size; }

static size_t hash(const pr_tuples *t, uint32_t relation, const pr_m31 *values) {
    uint64_t h = relation + 1;
    for (uint32_t v = 0; v < t->size; v++) {
        h = (h ^ values[v]) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    return (size_t)(h * 0xd6e8feb86659fd93u >> (64 - t->log_table));
}

/* values padded to size. The place of the tuple in the table, or the free one where it belongs. */
static uint32_t *place(const pr_tuples *t, uint32_t relation, const pr_m31 *values) {
    size_t mask = ((size_t)1 << t->log_table) - 1, at = hash(t, relation, values);
    for (; t->table[at]; at = (at + 1) & mask) {
        size_t i = t->table[at] - 1;
        bool same = t->items[i].relation == relation;
        if (same && !memcmp(pr_tuples_values(t, i), values, t->size * sizeof *values)) break;
    }
    return &t->table[at];
}

static bool rehash(pr_tuples *t) {
    uint32_t log_table = t->table ? t->log_table + 1 : 12;
    uint32_t *table = calloc((size_t)1 << log_table, sizeof *table);
    if (!table) return false;
    free(t->table);
    t->table = table;
    t->log_table = log_table;
    for (size_t i = 0; i < t->n; i++) *place(t, t->items[i].relation, pr_tuples_values(t, i)) = (uint32_t)i + 1;
    return true;
}

static bool make_room(pr_tuples *t) {
    if (t->n == t->capacity) {
        size_t capacity = t->capacity ? 2 * t->capacity : 1024;
        pr_tuple *items = realloc(t->items, capacity * sizeof *items);
        if (items) t->items = items;
        pr_m31 *values = realloc(t->values, (capacity * t->size + 1) * sizeof *values);
        if (values) t->values = values;
        if (!items || !values) return false;
        t->capacity = capacity;
    }
    return (t->table && 2 * t->n < (size_t)1 << t->log_table) || rehash(t);
}

void pr_tuples_add(pr_tuples *t, uint32_t relation, const pr_m31 *values, uint32_t n_values, pr_m31 multiplicity,
                   uint32_t component, uint32_t row) {
    if (t->failed) return;
    if (!make_room(t)) {
        t->failed = true;
        return;
    }
    if (values != scratch) memcpy(scratch, values, n_values * sizeof *values);
    memset(scratch + n_values, 0, (t->size - n_values) * sizeof *values);
    uint32_t *at = place(t, relation, scratch);
    if (!*at) {
        t->items[t->n] = (pr_tuple){relation, 0, component, row};
        memcpy(t->values + t->n * t->size, scratch, t->size * sizeof *values);
        *at = (uint32_t)++t->n;
    }
    pr_tuple *item = &t->items[*at - 1];
    item->multiplicity = pr_m31_add(item->multiplicity, multiplicity);
}
