#ifndef PR_BASE_RANDOM_H
#define PR_BASE_RANDOM_H
#include "base/error.h"
PR_MUST_CHECK pr_status pr_random_bytes(void *out, size_t n, pr_error *err); /* libsodium, the system's randomness */
/* Small seeded generator for tests and property checks; never for secrets (splitmix64). */
typedef struct pr_prng {
    uint64_t state;
} pr_prng;
static inline uint64_t pr_prng_next(pr_prng *g) {
    uint64_t z = (g->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}
static inline uint32_t pr_prng_below(pr_prng *g, uint32_t bound) {
    return (uint32_t)(((pr_prng_next(g) >> 32) * bound) >> 32);
}
#endif
