#include "prove/internal.h"
#include <stdlib.h>

size_t pr_region_add(pr_region_list *list, size_t words, pr_phase first, pr_phase last) {
    if (list->n == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 64;
        pr_region *items = realloc(list->items, capacity * sizeof *items);
        list->failed = !items;
        if (!items) return 0;
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->n] = (pr_region){.words = (words + 15) & ~(size_t)15, .first = first, .last = last};
    return list->n++;
}

/* Near and far regions never share a place: far ones stand behind. */
static bool may_collide(const pr_region *a, const pr_region *b) {
    return a->is_far == b->is_far && a->first <= b->last && b->first <= a->last;
}

static int near_then_largest(const void *left, const void *right) {
    const pr_region *const *a = left, *const *b = right;
    if ((*a)->is_far != (*b)->is_far) return (*a)->is_far ? 1 : -1;
    if ((*a)->words != (*b)->words) return (*a)->words < (*b)->words ? 1 : -1;
    return *a < *b ? -1 : *a > *b;
}

/* The lowest place for r, from least on, beside the n placed ones that live at the same time. */
static size_t lowest_offset(pr_region *const *placed, size_t n, const pr_region *r, size_t least) {
    size_t offset = least;
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < n; i++) {
            const pr_region *q = placed[i];
            if (may_collide(q, r) && offset < q->offset + q->words && q->offset < offset + r->words) {
                offset = q->offset + q->words;
                moved = true;
            }
        }
    }
    return offset;
}

size_t pr_region_near_words(const pr_region_list *list) {
    size_t end = 0;
    for (size_t i = 0; i < list->n; i++) {
        const pr_region *r = &list->items[i];
        if (!r->is_far && r->offset + r->words > end) end = r->offset + r->words;
    }
    return end;
}

size_t pr_region_place(pr_region_list *list) {
    pr_region **order = malloc((list->n + 1) * sizeof(pr_region *));
    size_t end = 0;
    if (!order || list->failed) {
        free(order);
        return SIZE_MAX;
    }
    for (size_t i = 0; i < list->n; i++) order[i] = &list->items[i];
    qsort(order, list->n, sizeof(pr_region *), near_then_largest);
    for (size_t i = 0; i < list->n; i++) {
        order[i]->offset = lowest_offset(order, i, order[i], order[i]->is_far ? pr_region_near_words(list) : 0);
        if (order[i]->offset + order[i]->words > end) end = order[i]->offset + order[i]->words;
    }
    free(order);
    return end;
}

size_t pr_region_live_words(const pr_region_list *list, pr_phase phase) {
    size_t words = 0;
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].first <= phase && phase <= list->items[i].last) words += list->items[i].words;
    return words;
}
