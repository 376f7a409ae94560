/* Items 0 .. capacity - 1, each at most once, by their time; and a tree that finds the first leaf in order that is
 * small enough. Both count their steps. */
#ifndef PR_SCHEDULE_HEAP_H
#define PR_SCHEDULE_HEAP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct pr_time_heap {
    uint32_t *items, *place; /* place[item]: index in items + 1; 0: not there */
    uint64_t *key;           /* [item] */
    size_t n;
    uint64_t *steps;
} pr_time_heap;

bool pr_time_heap_init(pr_time_heap *h, size_t capacity, uint64_t *steps); /* false: no memory */
void pr_time_heap_clear(pr_time_heap *h);
void pr_time_heap_set(pr_time_heap *h, uint32_t item, uint64_t time); /* puts it in, or moves it */
void pr_time_heap_remove(pr_time_heap *h, uint32_t item);             /* nothing when it is not there */
uint64_t pr_time_heap_first(const pr_time_heap *h);                   /* its time; UINT64_MAX when empty */
uint32_t pr_time_heap_first_item(const pr_time_heap *h);              /* not empty */

/* Leaves in order, each absent or with two sizes. */
typedef struct pr_fit_tree {
    uint64_t *a, *b; /* [2 * width] least of each below; UINT64_MAX: absent */
    size_t width, n;
    uint64_t *steps;
} pr_fit_tree;

#define PR_FIT_NONE UINT32_MAX
bool pr_fit_tree_init(pr_fit_tree *t, size_t n_leaves, uint64_t *steps);
void pr_fit_tree_clear(pr_fit_tree *t);
void pr_fit_tree_put(pr_fit_tree *t, uint32_t leaf, uint64_t a, uint64_t b);
void pr_fit_tree_take(pr_fit_tree *t, uint32_t leaf);
bool pr_fit_tree_has(const pr_fit_tree *t, uint32_t leaf);
/* The first leaf from `from` on with a <= max_a and b <= max_b. With max_b UINT64_MAX: O(log n). Else it looks at most
 * at limited many places, and may then miss one. */
uint32_t pr_fit_tree_find(const pr_fit_tree *t, uint32_t from, uint64_t max_a, uint64_t max_b);

/* Leaves with a value, 0: absent; the greatest is at hand. */
typedef struct pr_top_tree {
    uint64_t *value; /* [2 * width] */
    size_t width;
    uint64_t *steps;
} pr_top_tree;
bool pr_top_tree_init(pr_top_tree *t, size_t n_leaves, uint64_t *steps);
void pr_top_tree_clear(pr_top_tree *t);
void pr_top_tree_set(pr_top_tree *t, uint32_t leaf, uint64_t value);
uint64_t pr_top_tree_get(const pr_top_tree *t, uint32_t leaf);
uint32_t pr_top_tree_first(const pr_top_tree *t); /* the first of the greatest; PR_FIT_NONE: all absent */
#endif
