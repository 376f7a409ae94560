#include "consensus/committee.h"
#include <string.h>

static void put_u64(uint8_t out[8], uint64_t v) {
    for (int k = 0; k < 8; k++) out[k] = (uint8_t)(v >> (8 * k));
}

static pr_hash name_of(const char *domain, const char *id) {
    uint8_t length[8];
    put_u64(length, strlen(id));
    pr_blake2s state;
    pr_blake2s_init_domain(&state, domain);
    pr_blake2s_update(&state, length, sizeof length);
    pr_blake2s_update(&state, id, strlen(id));
    return pr_blake2s_final(&state);
}

pr_hash pr_run_name(const char *id) { return name_of("proverun run 1", id); }

pr_hash pr_job_name(const char *id) { return name_of("proverun job 1", id); }

typedef struct stream {
    pr_hash seed;
    uint64_t next;
} stream;

static uint64_t stream_next(stream *s) {
    uint8_t counter[8];
    put_u64(counter, s->next++);
    pr_blake2s state;
    pr_blake2s_init_domain(&state, "proverun committee draw 1");
    pr_blake2s_update(&state, s->seed.bytes, 32);
    pr_blake2s_update(&state, counter, sizeof counter);
    pr_hash h = pr_blake2s_final(&state);
    uint64_t x = 0;
    for (int k = 0; k < 8; k++) x |= (uint64_t)h.bytes[k] << (8 * k);
    return x;
}

/* Uniform in [0, bound), bound > 0: what lies beyond the last whole multiple of bound is drawn again. */
static uint64_t stream_below(stream *s, uint64_t bound) {
    uint64_t rest = (UINT64_MAX % bound + 1) % bound; /* 2^64 mod bound */
    uint64_t x;
    do x = stream_next(s);
    while (x > UINT64_MAX - rest);
    return x % bound;
}

/* Takes the validator at r of the cumulative stake out of those that are left. */
static uint32_t take(pr_validator_set *taken, const pr_registry *registry, uint64_t r) {
    for (uint32_t i = 0;; i++) {
        if (pr_set_has(taken, i)) continue;
        uint64_t stake = registry->validators[i].stake;
        if (r < stake) {
            pr_set_add(taken, i);
            return i;
        }
        r -= stake;
    }
}

void pr_committee_draw(pr_committee *out, const pr_registry *registry, const pr_draw *draw,
                       const pr_validator_set *excluded) {
    PR_ASSERT(draw->n <= registry->n && draw->size <= PR_COMMITTEE_MAX);
    pr_blake2s state;
    pr_blake2s_init_domain(&state, "proverun committee 1");
    pr_blake2s_update(&state, draw->run_seed->bytes, 32);
    pr_blake2s_update(&state, draw->job->bytes, 32);
    stream s = {pr_blake2s_final(&state), 0};
    pr_validator_set taken = {{0}};
    uint64_t left = pr_registry_stake_without(registry, draw->n, &taken);
    out->n = 0;
    out->stake = 0;
    while (out->n < draw->size && left > 0) {
        uint32_t i = take(&taken, registry, stream_below(&s, left));
        uint64_t stake = registry->validators[i].stake;
        left -= stake;
        if (i == draw->prover || pr_set_has(excluded, i)) continue;
        out->members[out->n++] = i;
        out->stake += stake;
    }
}

bool pr_committee_has(const pr_committee *committee, uint32_t validator) {
    for (uint32_t k = 0; k < committee->n; k++)
        if (committee->members[k] == validator) return true;
    return false;
}
