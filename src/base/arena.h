/* One region of memory, mapped once, sized beforehand by a plan, huge pages asked for.
 * Allocation only moves a pointer; nothing is freed singly. Pages become resident when touched.
 * Not thread safe; every thread may use what was handed out. */
#ifndef PR_BASE_ARENA_H
#define PR_BASE_ARENA_H
#include "base/error.h"

typedef struct pr_arena {
    unsigned char *base;
    size_t bytes, used, peak;
} pr_arena;

/* Maps bytes (rounded up to 2 MiB) of zero pages. PR_ERR_MEMORY with the amount when refused. */
PR_MUST_CHECK pr_status pr_arena_init(pr_arena *arena, size_t bytes, pr_error *err);
void pr_arena_clear(pr_arena *arena);
/* alignment is a power of two. NULL when the arena is full: a plan that was wrong. */
void *pr_arena_alloc(pr_arena *arena, size_t bytes, size_t alignment);
size_t pr_arena_mark(const pr_arena *arena);
void pr_arena_release(pr_arena *arena, size_t mark); /* back to a mark */
#endif
