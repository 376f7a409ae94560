/* Divides a list of cores: packages, then NUMA nodes, then L3 groups stay whole as long as that is fair. */
#include "placement/internal.h"
#include <stdlib.h>

typedef struct work {
    pr_range *out;
    const pr_topology *t;
    const uint32_t *cores;
} work;

static bool fair(size_t least, size_t most) { return least && most <= 2 * least; }

/* The end of the unit that begins at `at`. */
static size_t unit_end(const work *w, int level, size_t at, size_t end) {
    unsigned unit = w->t->cores[w->cores[at]].unit[level];
    while (at < end && w->t->cores[w->cores[at]].unit[level] == unit) at++;
    return at;
}

static size_t count_units(const work *w, int level, pr_range all) {
    size_t n = 0;
    for (size_t at = all.begin; at < all.end; at = unit_end(w, level, at, all.end)) n++;
    return n;
}

static void divide(const work *w, int level, pr_range all, unsigned first, unsigned k);

/* Ranks of the unit that ends at `done` of n cores, when `given` of k ranks have theirs. */
static unsigned ranks_up_to(size_t done, size_t n, unsigned k) { return (unsigned)((2 * done * k + n) / (2 * n)); }

/* At least as many ranks as units: each unit gets ranks in proportion to its cores. False where that is unfair; with
 * `now` false nothing is done yet. */
static bool ranks_to_units(const work *w, int level, pr_range all, unsigned first, unsigned k, bool now) {
    size_t n = all.end - all.begin, least = n, most = 0;
    unsigned given = 0;
    for (size_t at = all.begin, end; at < all.end; at = end) {
        end = unit_end(w, level, at, all.end);
        unsigned upto = ranks_up_to(end - all.begin, n, k), mine = upto - given;
        if (mine == 0 || mine > end - at) return false;
        if (now) divide(w, level + 1, (pr_range){at, end}, first + given, mine);
        size_t small = (end - at) / mine, large = (end - at + mine - 1) / mine;
        least = small < least ? small : least;
        most = large > most ? large : most;
        given = upto;
    }
    return fair(least, most);
}

/* More units than ranks: each rank gets whole neighbouring units, ending where a fair share would end. */
static bool units_to_ranks(const work *w, int level, pr_range all, unsigned first, unsigned k) {
    size_t n = all.end - all.begin, at = all.begin, least = n, most = 0;
    for (unsigned j = 0; j < k; j++) {
        size_t goal = all.begin + n * (j + 1) / k, end = unit_end(w, level, at, all.end);
        while (end < goal) {
            size_t next = unit_end(w, level, end, all.end);
            if (next > goal && next - goal > goal - end) break;
            end = next;
        }
        if (j == k - 1) end = all.end;
        if (end == all.end && j < k - 1) return false;
        w->out[first + j] = (pr_range){at, end};
        least = end - at < least ? end - at : least;
        most = end - at > most ? end - at : most;
        at = end;
    }
    return fair(least, most);
}

static void evenly(const work *w, pr_range all, unsigned first, unsigned k) {
    size_t n = all.end - all.begin;
    for (unsigned j = 0; j < k; j++) w->out[first + j] = (pr_range){all.begin + n * j / k, all.begin + n * (j + 1) / k};
}

static void divide(const work *w, int level, pr_range all, unsigned first, unsigned k) {
    size_t units = level < PR_LEVELS && k > 1 ? count_units(w, level, all) : 0;
    if (units == 0)
        evenly(w, all, first, k);
    else if (units == 1 ||
             (k >= units ? !ranks_to_units(w, level, all, first, k, false) : !units_to_ranks(w, level, all, first, k)))
        divide(w, level + 1, all, first, k);
    else if (k >= units)
        ranks_to_units(w, level, all, first, k, true);
}

void pr_cores_divide(pr_range *out, unsigned k, const pr_topology *t, const uint32_t *cores, size_t n) {
    PR_ASSERT(k >= 1 && k <= n);
    divide(&(work){out, t, cores}, 0, (pr_range){0, n}, 0, k);
}
