/* One region of memory, mapped once, sized beforehand by a plan, huge pages asked for.
 * Allocation only moves a pointer; nothing is freed singly. Pages become resident when touched.
 * Not thread safe; every thread may use what was handed out. */
#ifndef PR_BASE_ARENA_H
#define PR_BASE_ARENA_H
#include "base/error.h"

typedef struct pr_arena {
    unsigned char *base;
    size_t bytes, used, peak;
    size_t mapped; /* from base on; what lies behind `bytes` is closed to everybody and holds no pages */
} pr_arena;

/* Maps bytes (rounded up to 2 MiB) of zero pages. PR_ERR_MEMORY with the amount when refused. */
PR_MUST_CHECK pr_status pr_arena_init(pr_arena *arena, size_t bytes, pr_error *err);
void pr_arena_clear(pr_arena *arena);
/* alignment is a power of two. NULL when the arena is full: a plan that was wrong. */
void *pr_arena_alloc(pr_arena *arena, size_t bytes, size_t alignment);

/* A region that waits for its next user: its pages need not be found and cleared again. Begins as zeros. A user's
 * region is in nobody's keep; a keep serves one user after another, and holds as many bytes as its last one asked for.
 */
typedef struct pr_arena_keep {
    pr_arena arena; /* base NULL: none is kept */
    uint32_t note;  /* what its last user says of the beginning of the contents; 0: nothing is known */
} pr_arena_keep;
/* As pr_arena_init, by the kept region where it is large enough: contents are undefined but for what keep->note says.
 * Else that is unmapped first, and the note is 0. keep NULL: pr_arena_init. */
PR_MUST_CHECK pr_status pr_arena_take(pr_arena *arena, pr_arena_keep *keep, size_t bytes, pr_error *err);
/* Instead of pr_arena_clear. Where one is kept already, or keep is NULL, the region is unmapped. */
void pr_arena_give(pr_arena *arena, pr_arena_keep *keep, uint32_t note);
void pr_arena_keep_clear(pr_arena_keep *keep);

size_t pr_arena_mark(const pr_arena *arena);
void pr_arena_release(pr_arena *arena, size_t mark); /* back to a mark */
#endif
