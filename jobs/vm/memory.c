#include "vm/memory.h"
#include <stdlib.h>

enum { FIRST_CAPACITY = 256, MAX_CAPACITY = 1 << 24 };

void pr_vm_memory_clear(pr_vm_memory *memory) {
    free(memory->words);
    free(memory->places);
    *memory = (pr_vm_memory){0};
}

/* The place of an address, or the empty one where it belongs. */
static uint32_t *place_of(const pr_vm_memory *m, uint32_t address) {
    uint32_t mask = 2 * m->capacity - 1, at = (address * 0x9e3779b1u) >> 7 & mask;
    while (m->places[at] && m->words[m->places[at] - 1].address != address) at = (at + 1) & mask;
    return &m->places[at];
}

static bool grow(pr_vm_memory *m) {
    if (m->capacity == MAX_CAPACITY) return false;
    uint32_t capacity = m->capacity ? 2 * m->capacity : FIRST_CAPACITY;
    pr_vm_word *words = realloc(m->words, capacity * sizeof *words);
    if (!words) return false;
    m->words = words;
    uint32_t *places = calloc(2 * (size_t)capacity, sizeof *places);
    if (!places) return false;
    free(m->places);
    m->places = places;
    m->capacity = capacity;
    for (uint32_t k = 0; k < m->n; k++) *place_of(m, words[k].address) = k + 1;
    return true;
}

pr_vm_word *pr_vm_memory_touch(pr_vm_memory *m, uint32_t address) {
    if (m->capacity) {
        uint32_t found = *place_of(m, address);
        if (found) return &m->words[found - 1];
    }
    if (m->n == m->capacity && !grow(m)) return NULL;
    m->words[m->n] = (pr_vm_word){.address = address};
    *place_of(m, address) = ++m->n;
    return &m->words[m->n - 1];
}

uint32_t pr_vm_memory_peek(const pr_vm_memory *m, uint32_t address) {
    uint32_t found = m->capacity ? *place_of(m, address) : 0;
    return found ? m->words[found - 1].value : 0;
}

static int by_address(const void *x, const void *y) {
    const pr_vm_word *a = x, *b = y;
    return (a->address > b->address) - (a->address < b->address);
}

void pr_vm_memory_sort(pr_vm_memory *m) {
    if (m->n) qsort(m->words, m->n, sizeof *m->words, by_address);
    free(m->places);
    m->places = NULL;
    m->capacity = 0;
}
