/* The Fiat-Shamir channel over BLAKE2s and its proof of work. protocol.md section 4. */
#ifndef PR_TRANSCRIPT_CHANNEL_H
#define PR_TRANSCRIPT_CHANNEL_H
#include "field/qm31.h"
#include "hash/blake2s.h"

typedef enum pr_channel_op {
    PR_CHANNEL_MIX_U32S,
    PR_CHANNEL_MIX_U64,
    PR_CHANNEL_MIX_FELTS,
    PR_CHANNEL_MIX_ROOT,
    PR_CHANNEL_DRAW_U32S,
    PR_CHANNEL_DRAW_SECURE_FELT,
    PR_CHANNEL_DRAW_SECURE_FELTS
} pr_channel_op;

typedef struct pr_channel pr_channel;
/* Called after each operation, for transcript listings. data is the words mixed or drawn: u32 words for u32s
 * (n = their number), 4 words a felt (n = felts), two words for u64 (n = 1), 8 words for a root (n = 1). */
typedef void (*pr_channel_listener)(void *context, const pr_channel *channel, pr_channel_op op, const uint32_t *data,
                                    size_t n);
struct pr_channel {
    pr_hash digest;
    uint32_t n_draws;
    pr_channel_listener listener; /* may be NULL */
    void *listener_context;
};

void pr_channel_init(pr_channel *ch);
void pr_channel_mix_u32s(pr_channel *ch, const uint32_t *words, size_t n);
void pr_channel_mix_u64(pr_channel *ch, uint64_t v);
void pr_channel_mix_felts(pr_channel *ch, const pr_qm31 *felts, size_t n);
void pr_channel_mix_root(pr_channel *ch, const pr_hash *root);
void pr_channel_draw_u32s(pr_channel *ch, uint32_t out[8]);
pr_qm31 pr_channel_draw_secure_felt(pr_channel *ch);
void pr_channel_draw_secure_felts(pr_channel *ch, pr_qm31 *out, size_t n);
/* H(0x12345678 || 12 zero bytes || digest || bits): what grinding hashes the nonce behind */
pr_hash pr_channel_pow_prefix(const pr_channel *ch, uint32_t bits);
bool pr_pow_check(const pr_hash *prefix, uint32_t bits, uint64_t nonce);
/* Query positions: masked to log_size bits, sorted, distinct. out has room for n_queries; returns the count. */
size_t pr_channel_draw_queries(pr_channel *ch, uint32_t *out, size_t n_queries, unsigned log_size);
#endif
