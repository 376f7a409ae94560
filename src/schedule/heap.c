#include "schedule/heap.h"
#include <stdlib.h>
#include <string.h>

/* ---- times ---- */

bool pr_time_heap_init(pr_time_heap *h, size_t capacity, uint64_t *steps) {
    size_t room = capacity ? capacity : 1;
    *h = (pr_time_heap){.items = calloc(room, sizeof *h->items),
                        .place = calloc(room, sizeof *h->place),
                        .key = calloc(room, sizeof *h->key),
                        .steps = steps};
    return h->items && h->place && h->key;
}

void pr_time_heap_clear(pr_time_heap *h) {
    free(h->items);
    free(h->place);
    free(h->key);
    memset(h, 0, sizeof *h);
}

/* Equal times: the lower item first, so that a run can be repeated. */
static bool earlier(const pr_time_heap *h, uint32_t x, uint32_t y) {
    return h->key[x] != h->key[y] ? h->key[x] < h->key[y] : x < y;
}

static void put_at(pr_time_heap *h, size_t i, uint32_t item) {
    h->items[i] = item;
    h->place[item] = (uint32_t)i + 1;
    ++*h->steps;
}

static void move_up(pr_time_heap *h, size_t i, uint32_t item) {
    for (; i > 0 && earlier(h, item, h->items[(i - 1) / 2]); i = (i - 1) / 2) put_at(h, i, h->items[(i - 1) / 2]);
    put_at(h, i, item);
}

static void move_down(pr_time_heap *h, size_t i, uint32_t item) {
    for (;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < h->n && earlier(h, h->items[child + 1], h->items[child])) child++;
        if (child >= h->n || !earlier(h, h->items[child], item)) break;
        put_at(h, i, h->items[child]);
        i = child;
    }
    put_at(h, i, item);
}

void pr_time_heap_remove(pr_time_heap *h, uint32_t item) {
    if (!h->place[item]) return;
    size_t i = h->place[item] - 1;
    uint32_t last = h->items[--h->n];
    h->place[item] = 0;
    if (last == item) return;
    if (i > 0 && earlier(h, last, h->items[(i - 1) / 2]))
        move_up(h, i, last);
    else
        move_down(h, i, last);
}

void pr_time_heap_set(pr_time_heap *h, uint32_t item, uint64_t time) {
    pr_time_heap_remove(h, item);
    h->key[item] = time;
    move_up(h, h->n++, item);
}

uint64_t pr_time_heap_first(const pr_time_heap *h) { return h->n ? h->key[h->items[0]] : UINT64_MAX; }
uint32_t pr_time_heap_first_item(const pr_time_heap *h) { return h->items[0]; }

/* ---- the first that fits ---- */

static size_t power_of_two(size_t n) {
    size_t width = 1;
    while (width < n) width *= 2;
    return width;
}

bool pr_fit_tree_init(pr_fit_tree *t, size_t n_leaves, uint64_t *steps) {
    size_t width = power_of_two(n_leaves), bytes = 2 * width * sizeof *t->a;
    *t = (pr_fit_tree){.a = malloc(bytes), .b = malloc(bytes), .width = width, .steps = steps};
    if (!t->a || !t->b) return false;
    memset(t->a, 0xff, bytes);
    memset(t->b, 0xff, bytes);
    return true;
}

void pr_fit_tree_clear(pr_fit_tree *t) {
    free(t->a);
    free(t->b);
    memset(t, 0, sizeof *t);
}

static uint64_t least(uint64_t x, uint64_t y) { return x < y ? x : y; }

static void set_leaf(pr_fit_tree *t, uint32_t leaf, uint64_t a, uint64_t b) {
    size_t i = t->width + leaf;
    t->a[i] = a;
    t->b[i] = b;
    for (i /= 2; i > 0; i /= 2, ++*t->steps) {
        t->a[i] = least(t->a[2 * i], t->a[2 * i + 1]);
        t->b[i] = least(t->b[2 * i], t->b[2 * i + 1]);
    }
}

bool pr_fit_tree_has(const pr_fit_tree *t, uint32_t leaf) { return t->a[t->width + leaf] != UINT64_MAX; }

void pr_fit_tree_put(pr_fit_tree *t, uint32_t leaf, uint64_t a, uint64_t b) {
    t->n += !pr_fit_tree_has(t, leaf);
    set_leaf(t, leaf, least(a, UINT64_MAX - 1), least(b, UINT64_MAX - 1));
}

void pr_fit_tree_take(pr_fit_tree *t, uint32_t leaf) {
    if (!pr_fit_tree_has(t, leaf)) return;
    t->n--;
    set_leaf(t, leaf, UINT64_MAX, UINT64_MAX);
}

/* The next place of the tree, in order, that does not lie below i: its right neighbour, or that of a parent. 0: none.
 */
static size_t beside(size_t i) {
    while (i & 1) i /= 2;
    return i ? i + 1 : 0;
}

uint32_t pr_fit_tree_find(const pr_fit_tree *t, uint32_t from, uint64_t max_a, uint64_t max_b) {
    enum { MOST_PLACES = 2000 };
    if (from >= t->width || t->n == 0) return PR_FIT_NONE;
    max_a = least(max_a, UINT64_MAX - 1); /* what is absent never fits */
    uint64_t steps = 0;
    size_t i = t->width + from;
    while (i > 0 && steps < MOST_PLACES) {
        steps++;
        bool fits = t->a[i] <= max_a && t->b[i] <= max_b;
        if (fits && i >= t->width) break;
        i = fits ? 2 * i : beside(i);
    }
    *t->steps += steps;
    bool found = i >= t->width && t->a[i] <= max_a && t->b[i] <= max_b;
    return found ? (uint32_t)(i - t->width) : PR_FIT_NONE;
}

/* ---- the greatest ---- */

bool pr_top_tree_init(pr_top_tree *t, size_t n_leaves, uint64_t *steps) {
    size_t width = power_of_two(n_leaves);
    *t = (pr_top_tree){.value = calloc(2 * width, sizeof *t->value), .width = width, .steps = steps};
    return t->value != NULL;
}

void pr_top_tree_clear(pr_top_tree *t) {
    free(t->value);
    memset(t, 0, sizeof *t);
}

void pr_top_tree_set(pr_top_tree *t, uint32_t leaf, uint64_t value) {
    size_t i = t->width + leaf;
    if (t->value[i] == value) return;
    t->value[i] = value;
    for (i /= 2; i > 0; i /= 2, ++*t->steps) {
        uint64_t x = t->value[2 * i], y = t->value[2 * i + 1];
        t->value[i] = x > y ? x : y;
    }
}

uint64_t pr_top_tree_get(const pr_top_tree *t, uint32_t leaf) { return t->value[t->width + leaf]; }

uint32_t pr_top_tree_first(const pr_top_tree *t) {
    size_t i = 1;
    if (t->value[1] == 0) return PR_FIT_NONE;
    for (; i < t->width; ++*t->steps) i = 2 * i + (t->value[2 * i] != t->value[i]);
    return (uint32_t)(i - t->width);
}
