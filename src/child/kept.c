#include "child/kept.h"
#include "base/clock.h"
#include "placement/placement.h"

void pr_child_kept_begin(pr_child_kept *k) {
    k->before = k->memory.arena.bytes;
    k->early_peak_bytes = 0;
    pr_peak_rss_reset();
}

void pr_child_kept_prove(pr_child_kept *k) {
    if (!k->before) return;
    const uint64_t peak = pr_peak_rss_bytes();
    k->early_peak_bytes = peak > k->before ? peak - k->before : 0;
    k->before = 0;
    pr_peak_rss_reset();
}

uint64_t pr_child_kept_peak(const pr_child_kept *k, uint64_t peak_bytes) {
    if (k->before) return peak_bytes > k->before ? peak_bytes - k->before : 0; /* it came to no prover */
    return peak_bytes > k->early_peak_bytes ? peak_bytes : k->early_peak_bytes;
}

void pr_child_kept_end(pr_child_kept *k, bool may_stay, const char *root) {
    const uint64_t bytes = k->memory.arena.bytes;
    bool limited;
    if (!may_stay ||
        (bytes > PR_CHILD_KEPT_ALWAYS && pr_memory_available(root, &limited) / PR_CHILD_KEPT_SHARE < bytes))
        pr_child_kept_clear(k);
}

void pr_child_kept_clear(pr_child_kept *k) { pr_arena_keep_clear(&k->memory); }
