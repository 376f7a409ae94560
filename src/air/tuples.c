#include "air/tuples.h"
#include "air/internal.h"

void pr_tuples_init(pr_tuples *t, uint32_t size) {
    *t = (pr_tuples){.size = size};
    t->padded = pr_air_calloc(size, sizeof *t->padded);
    t->failed = !t->padded;
}

void pr_tuples_clear(pr_tuples *t) {
    free(t->items);
    free(t->values);
    free(t->padded);
    free(t->table);
    *t = (pr_tuples){0};
}

static size_t hash(const pr_tuples *t, uint32_t relation, const pr_m31 *values) {
    uint64_t h = relation + 1;
    for (uint32_t v = 0; v < t->size; v++) {
        h = (h ^ values[v]) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    return (size_t)(h * 0xd6e8feb86659fd93u >> (64 - t->log_table));
}

/* values: [size]. The place of the tuple in the table, or the free one where it belongs. */
static uint32_t *find_place(const pr_tuples *t, uint32_t relation, const pr_m31 *values) {
    size_t mask = ((size_t)1 << t->log_table) - 1, at = hash(t, relation, values);
    for (; t->table[at]; at = (at + 1) & mask) {
        size_t i = t->table[at] - 1;
        if (t->items[i].relation == relation && !memcmp(pr_tuples_values(t, i), values, t->size * sizeof *values))
            break;
    }
    return &t->table[at];
}

static bool grow_table(pr_tuples *t) {
    uint32_t log_table = t->table ? t->log_table + 1 : 12;
    uint32_t *table = pr_air_calloc((size_t)1 << log_table, sizeof *table);
    if (!table) return false;
    free(t->table);
    t->table = table;
    t->log_table = log_table;
    for (size_t i = 0; i < t->n; i++) *find_place(t, t->items[i].relation, pr_tuples_values(t, i)) = (uint32_t)i + 1;
    return true;
}

static bool grow_items(pr_tuples *t) {
    size_t capacity = t->capacity ? 2 * t->capacity : 1024;
    pr_tuple *items = realloc(t->items, capacity * sizeof *items);
    if (items) t->items = items;
    pr_m31 *values = realloc(t->values, capacity * t->size * sizeof *values);
    if (values) t->values = values;
    if (!items || !values) return false;
    t->capacity = capacity;
    return true;
}

static bool make_room(pr_tuples *t) {
    if (t->n == t->capacity && (t->n >= UINT32_MAX / 2 || !grow_items(t))) return false;
    return (t->table && 2 * t->n < (size_t)1 << t->log_table) || grow_table(t);
}

static const pr_m31 *pad(pr_tuples *t, const pr_m31 *values, uint32_t n_values) {
    memcpy(t->padded, values, n_values * sizeof *values);
    memset(t->padded + n_values, 0, (t->size - n_values) * sizeof *values);
    return t->padded;
}

void pr_tuples_add(pr_tuples *t, uint32_t relation, const pr_m31 *values, uint32_t n_values, pr_m31 multiplicity) {
    if (t->failed) return;
    if (!make_room(t)) {
        t->failed = true;
        return;
    }
    const pr_m31 *padded = pad(t, values, n_values);
    uint32_t *place = find_place(t, relation, padded);
    if (!*place) {
        t->items[t->n] = (pr_tuple){relation, 0};
        memcpy(t->values + t->n * t->size, padded, t->size * sizeof *values);
        *place = (uint32_t)++t->n;
    }
    pr_tuple *item = &t->items[*place - 1];
    item->multiplicity = pr_m31_add(item->multiplicity, multiplicity);
}

size_t pr_tuples_find(pr_tuples *t, uint32_t relation, const pr_m31 *values, uint32_t n_values) {
    if (t->failed || !t->table) return PR_TUPLES_NONE;
    uint32_t place = *find_place(t, relation, pad(t, values, n_values));
    return place ? place - 1 : PR_TUPLES_NONE;
}
