#include "vm/symbols.h"
#include <stdlib.h>
#include <string.h>

/* FNV-1a */
static size_t hash_of(const char *name, size_t length) {
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t k = 0; k < length; k++) h = (h ^ (uint8_t)name[k]) * 0x100000001b3u;
    return (size_t)h;
}

/* The place of a name, or the empty one where it belongs. capacity: a power of two, never full. */
static pr_vm_symbol *place_of(pr_vm_symbol *items, size_t capacity, const char *name, size_t length) {
    size_t at = hash_of(name, length) & (capacity - 1);
    while (items[at].name && (items[at].length != length || memcmp(items[at].name, name, length) != 0))
        at = (at + 1) & (capacity - 1);
    return &items[at];
}

void pr_vm_symbols_clear(pr_vm_symbols *symbols) {
    free(symbols->items);
    *symbols = (pr_vm_symbols){0};
}

const pr_vm_symbol *pr_vm_symbols_find(const pr_vm_symbols *symbols, const char *name, size_t length) {
    if (!symbols->n) return NULL;
    const pr_vm_symbol *found = place_of(symbols->items, symbols->capacity, name, length);
    return found->name ? found : NULL;
}

static bool grow(pr_vm_symbols *symbols) {
    size_t capacity = symbols->capacity ? 2 * symbols->capacity : 64;
    pr_vm_symbol *items = calloc(capacity, sizeof *items);
    if (!items) return false;
    for (size_t k = 0; k < symbols->capacity; k++) {
        const pr_vm_symbol *s = &symbols->items[k];
        if (s->name) *place_of(items, capacity, s->name, s->length) = *s;
    }
    free(symbols->items);
    symbols->items = items;
    symbols->capacity = capacity;
    return true;
}

pr_status pr_vm_symbols_add(pr_vm_symbols *symbols, const char *name, size_t length, uint32_t value, pr_error *err) {
    if (2 * (symbols->n + 1) > symbols->capacity && !grow(symbols))
        return pr_fail(err, PR_ERR_MEMORY, "out of memory for the names of a program");
    pr_vm_symbol *place = place_of(symbols->items, symbols->capacity, name, length);
    PR_ASSERT(!place->name);
    *place = (pr_vm_symbol){name, length, value};
    symbols->n++;
    return PR_OK;
}
