/* BLAKE2s-256 (RFC 7693), unkeyed. Nodes and leaves of trees hash without domain separation (protocol.md section 5). */
#ifndef PR_HASH_BLAKE2S_H
#define PR_HASH_BLAKE2S_H
#include "base/cpu.h"

typedef struct pr_hash {
    uint8_t bytes[32];
} pr_hash;

typedef struct pr_blake2s {
    uint32_t h[8];
    uint64_t total;
    uint8_t block[64];
    size_t fill;
} pr_blake2s;

void pr_blake2s_init(pr_blake2s *state);
void pr_blake2s_update(pr_blake2s *state, const void *data, size_t n);
pr_hash pr_blake2s_final(pr_blake2s *state);
pr_hash pr_blake2s_hash(const void *data, size_t n);
pr_hash pr_blake2s_pair(const pr_hash *left, const pr_hash *right);
static inline bool pr_hash_equal(const pr_hash *a, const pr_hash *b) { return __builtin_memcmp(a, b, 32) == 0; }

/* A digest with a domain: H(u64 length of domain || domain || data so far), for everything of ours that is signed or
 * stored. Start with this, then pr_blake2s_update with length-prefixed fields (base/bytes.h's pr_write_var gives them).
 */
void pr_blake2s_init_domain(pr_blake2s *state, const char *domain);
#endif
