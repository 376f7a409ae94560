#include "base/arena.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

static size_t round_up(size_t bytes) { return bytes ? (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE : HUGE_PAGE; }

pr_status pr_arena_init(pr_arena *arena, size_t bytes, pr_error *err) {
    *arena = (pr_arena){0};
    if (bytes > SIZE_MAX - 2 * HUGE_PAGE) return pr_fail(err, PR_ERR_MEMORY, "cannot map %zu bytes: too many", bytes);
    size_t rounded = round_up(bytes);
    /* One huge page more than asked, so that the region can start on a huge page's boundary. */
    size_t mapped = rounded + HUGE_PAGE;
    void *at = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) return pr_fail(err, PR_ERR_MEMORY, "cannot map %zu bytes: %s", rounded, strerror(errno));
    size_t head = (HUGE_PAGE - (uintptr_t)at % HUGE_PAGE) % HUGE_PAGE;
    unsigned char *base = (unsigned char *)at + head;
    if (head) munmap(at, head);
    if (head < HUGE_PAGE) munmap(base + rounded, HUGE_PAGE - head);
    madvise(base, rounded, MADV_HUGEPAGE); /* a wish: works without */
    arena->base = base;
    arena->bytes = arena->mapped = rounded;
    return PR_OK;
}

void pr_arena_clear(pr_arena *arena) {
    if (arena->base) munmap(arena->base, arena->mapped);
    *arena = (pr_arena){0};
}

/* Gives back the pages behind `bytes`, or opens the region up to there. Closed, they do not count for RLIMIT_DATA. */
static bool set_bytes(pr_arena *arena, size_t bytes) {
    if (bytes > SIZE_MAX - HUGE_PAGE || round_up(bytes) > arena->mapped) return false;
    const size_t before = arena->bytes, now = round_up(bytes);
    unsigned char *end = arena->base + (now < before ? now : before);
    const size_t changed = now < before ? before - now : now - before;
    arena->bytes = now;
    if (now < before) return madvise(end, changed, MADV_DONTNEED) == 0 && mprotect(end, changed, PROT_NONE) == 0;
    return changed == 0 || mprotect(end, changed, PROT_READ | PROT_WRITE) == 0;
}

pr_status pr_arena_take(pr_arena *arena, pr_arena_keep *keep, size_t bytes, pr_error *err) {
    if (!keep) return pr_arena_init(arena, bytes, err);
    if (!keep->arena.base || !set_bytes(&keep->arena, bytes)) {
        pr_arena_keep_clear(keep);
        return pr_arena_init(arena, bytes, err);
    }
    *arena = keep->arena;
    arena->used = arena->peak = 0;
    keep->arena = (pr_arena){0};
    return PR_OK;
}

void pr_arena_give(pr_arena *arena, pr_arena_keep *keep, uint32_t note) {
    if (!keep || keep->arena.base) {
        pr_arena_clear(arena);
        return;
    }
    *keep = (pr_arena_keep){*arena, note};
    *arena = (pr_arena){0};
}

void pr_arena_keep_clear(pr_arena_keep *keep) {
    pr_arena_clear(&keep->arena);
    keep->note = 0;
}

void *pr_arena_alloc(pr_arena *arena, size_t bytes, size_t alignment) {
    PR_ASSERT(alignment != 0 && (alignment & (alignment - 1)) == 0 && alignment <= HUGE_PAGE);
    size_t pad = (0 - arena->used) & (alignment - 1);
    size_t left = arena->bytes - arena->used;
    if (pad > left || bytes > left - pad) return NULL;
    void *at = arena->base + arena->used + pad;
    arena->used += pad + bytes;
    if (arena->used > arena->peak) arena->peak = arena->used;
    return at;
}

size_t pr_arena_mark(const pr_arena *arena) { return arena->used; }

void pr_arena_release(pr_arena *arena, size_t mark) {
    PR_ASSERT(mark <= arena->used);
    arena->used = mark;
}
