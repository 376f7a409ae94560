#include "placement/internal.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = PR_MAX_CPUS / 64 };

void pr_mask_set(pr_mask *m, unsigned index) {
    PR_ASSERT(index < PR_MAX_CPUS);
    m->word[index / 64] |= (uint64_t)1 << index % 64;
}

bool pr_mask_has(const pr_mask *m, unsigned index) {
    return index < PR_MAX_CPUS && (m->word[index / 64] >> index % 64 & 1);
}

bool pr_mask_equal(const pr_mask *a, const pr_mask *b) { return memcmp(a, b, sizeof *a) == 0; }

unsigned pr_mask_count(const pr_mask *m) {
    unsigned n = 0;
    for (int i = 0; i < WORDS; i++) n += (unsigned)__builtin_popcountll(m->word[i]);
    return n;
}

void pr_mask_and(pr_mask *out, const pr_mask *a, const pr_mask *b) {
    for (int i = 0; i < WORDS; i++) out->word[i] = a->word[i] & b->word[i];
}

void pr_mask_or(pr_mask *out, const pr_mask *a, const pr_mask *b) {
    for (int i = 0; i < WORDS; i++) out->word[i] = a->word[i] | b->word[i];
}

bool pr_mask_meets(const pr_mask *a, const pr_mask *b) {
    for (int i = 0; i < WORDS; i++)
        if (a->word[i] & b->word[i]) return true;
    return false;
}

bool pr_mask_empty(const pr_mask *m) { return !pr_mask_meets(m, m); }

/* The first index from `from` on that is in the set (or, with in false, is not); PR_MAX_CPUS: none. */
static unsigned next(const pr_mask *m, unsigned from, bool in) {
    while (from < PR_MAX_CPUS && pr_mask_has(m, from) != in) from++;
    return from;
}

void pr_mask_format(char *out, size_t size, const pr_mask *m) {
    size_t at = 0;
    PR_ASSERT(size >= 4);
    out[0] = 0;
    for (unsigned first = next(m, 0, true), end; first < PR_MAX_CPUS; first = next(m, end, true)) {
        char part[24];
        end = next(m, first, false);
        const char *comma = at ? "," : "";
        int n = end - first > 1 ? snprintf(part, sizeof part, "%s%u-%u", comma, first, end - 1)
                                : snprintf(part, sizeof part, "%s%u", comma, first);
        bool last = next(m, end, true) == PR_MAX_CPUS;
        if (at + (size_t)n + (last ? 1 : 4) > size) {
            snprintf(out + at, size - at, "...");
            return;
        }
        memcpy(out + at, part, (size_t)n + 1);
        at += (size_t)n;
    }
}

static bool take_index(const char **text, unsigned *out) {
    char *end;
    if (!isdigit((unsigned char)**text)) return false;
    unsigned long v = strtoul(*text, &end, 10);
    if (v >= PR_MAX_CPUS) return false;
    *out = (unsigned)v;
    *text = end;
    return true;
}

bool pr_mask_parse(pr_mask *m, const char *text) {
    memset(m, 0, sizeof *m);
    while (*text) {
        unsigned first, last;
        if (!take_index(&text, &first)) return false;
        last = first;
        if (*text == '-' && (text++, !take_index(&text, &last))) return false;
        if (last < first || (*text && *text != ',')) return false;
        for (unsigned i = first; i <= last; i++) pr_mask_set(m, i);
        if (*text == ',' && !*++text) return false;
    }
    return true;
}
