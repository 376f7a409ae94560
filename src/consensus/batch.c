#include "consensus/batch.h"
#include <stdlib.h>
#include <string.h>

static pr_hash leaf_hash(const pr_batch_leaf *leaf) {
    uint8_t outcome = (uint8_t)leaf->outcome;
    pr_blake2s state;
    pr_blake2s_init_domain(&state, "proverun batch leaf 1");
    pr_blake2s_update(&state, leaf->job.bytes, 32);
    pr_blake2s_update(&state, leaf->statement.bytes, 32);
    pr_blake2s_update(&state, leaf->proof_hash.bytes, 32);
    pr_blake2s_update(&state, &outcome, 1);
    return pr_blake2s_final(&state);
}

static pr_hash node_hash(const pr_hash *left, const pr_hash *right) {
    pr_blake2s state;
    pr_blake2s_init_domain(&state, "proverun batch node 1");
    pr_blake2s_update(&state, left->bytes, 32);
    pr_blake2s_update(&state, right->bytes, 32);
    return pr_blake2s_final(&state);
}

static pr_hash root_hash(uint64_t n, const pr_hash *top) {
    uint8_t leaves[8];
    for (int k = 0; k < 8; k++) leaves[k] = (uint8_t)(n >> (8 * k));
    pr_blake2s state;
    pr_blake2s_init_domain(&state, "proverun batch root 1");
    pr_blake2s_update(&state, leaves, sizeof leaves);
    pr_blake2s_update(&state, top->bytes, 32);
    return pr_blake2s_final(&state);
}

static pr_status hash_leaves(pr_hash **out, const pr_batch_leaf *leaves, size_t n, pr_error *err) {
    PR_ASSERT(n > 0);
    for (size_t i = 1; i < n; i++)
        if (memcmp(leaves[i - 1].job.bytes, leaves[i].job.bytes, 32) >= 0)
            return pr_fail(err, PR_ERR_USAGE, "batch: leaf %zu does not follow leaf %zu in the order of jobs", i,
                           i - 1);
    *out = malloc(n * sizeof **out);
    if (!*out) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a batch of %zu jobs", n);
    for (size_t i = 0; i < n; i++) (*out)[i] = leaf_hash(&leaves[i]);
    return PR_OK;
}

/* One level up, in place; returns how many are left. */
static size_t fold(pr_hash *level, size_t n) {
    for (size_t i = 0; i + 1 < n; i += 2) level[i / 2] = node_hash(&level[i], &level[i + 1]);
    if (n % 2) level[n / 2] = level[n - 1];
    return (n + 1) / 2;
}

pr_status pr_batch_root(pr_hash *root, const pr_batch_leaf *leaves, size_t n, pr_error *err) {
    pr_hash *level = NULL;
    PR_TRY(hash_leaves(&level, leaves, n, err));
    for (size_t left = n; left > 1;) left = fold(level, left);
    *root = root_hash(n, &level[0]);
    free(level);
    return PR_OK;
}

/* ---- inclusion ---- */

/* How many levels have a sibling for index. */
static uint8_t count_siblings(uint64_t n, uint64_t index) {
    uint8_t depth = 0;
    for (; n > 1; n = n / 2 + n % 2, index /= 2) depth = (uint8_t)(depth + ((index ^ 1) < n));
    return depth;
}

pr_status pr_batch_prove(pr_writer *w, const pr_batch_leaf *leaves, size_t n, size_t index, pr_error *err) {
    PR_ASSERT(index < n);
    pr_hash *level = NULL;
    PR_TRY(hash_leaves(&level, leaves, n, err));
    pr_write_u8(w, PR_CONSENSUS_VERSION);
    pr_write_u64(w, n);
    pr_write_u64(w, index);
    pr_write_bytes(w, leaves[index].job.bytes, 32);
    pr_write_bytes(w, leaves[index].statement.bytes, 32);
    pr_write_bytes(w, leaves[index].proof_hash.bytes, 32);
    pr_write_u8(w, (uint8_t)leaves[index].outcome);
    pr_write_u8(w, count_siblings(n, index));
    for (size_t left = n, i = index; left > 1; left = fold(level, left), i /= 2)
        if ((i ^ 1) < left) pr_write_bytes(w, level[i ^ 1].bytes, 32);
    free(level);
    return w->failed ? pr_fail(err, PR_ERR_MEMORY, "out of memory for an inclusion proof") : PR_OK;
}

static bool climb(pr_hash *top, pr_reader *r, uint64_t n, uint64_t index) {
    for (; n > 1; n = n / 2 + n % 2, index /= 2) {
        pr_hash sibling;
        if ((index ^ 1) >= n) continue;
        pr_read_bytes(r, sibling.bytes, 32);
        *top = index % 2 ? node_hash(&sibling, top) : node_hash(top, &sibling);
    }
    return pr_reader_done(r);
}

pr_status pr_batch_check(pr_batch_leaf *leaf, const uint8_t *proof, size_t size, const pr_hash *root, pr_error *err) {
    pr_reader r;
    pr_reader_init(&r, proof, size);
    uint8_t version = pr_read_u8(&r);
    uint64_t n = pr_read_u64(&r), index = pr_read_u64(&r);
    pr_read_bytes(&r, leaf->job.bytes, 32);
    pr_read_bytes(&r, leaf->statement.bytes, 32);
    pr_read_bytes(&r, leaf->proof_hash.bytes, 32);
    uint8_t outcome = pr_read_u8(&r), depth = pr_read_u8(&r);
    leaf->outcome = (pr_round_outcome)outcome;
    pr_hash top = leaf_hash(leaf);
    if (r.failed || version != PR_CONSENSUS_VERSION || index >= n || outcome >= PR_ROUND_OUTCOMES ||
        depth != count_siblings(n, index) || !climb(&top, &r, n, index))
        return pr_fail(err, PR_ERR_MALFORMED, "inclusion proof of %zu bytes: malformed", size);
    pr_hash reached = root_hash(n, &top);
    if (pr_hash_equal(&reached, root)) return PR_OK;
    return pr_fail(err, PR_ERR_REFUSED, "inclusion proof: it leads to another root");
}

/* ---- the quorum's signatures ---- */

void pr_batch_certificate_write(pr_writer *w, const pr_hash *run, const pr_hash *root, uint64_t n_leaves,
                                const pr_registry *registry, const pr_validator_set *signers,
                                const uint8_t (*signatures)[PR_SIGNATURE_BYTES]) {
    pr_write_u8(w, PR_CONSENSUS_VERSION);
    pr_write_u8(w, PR_MESSAGE_BATCH_CERTIFICATE);
    pr_write_bytes(w, run->bytes, 32);
    pr_write_u32(w, registry->n);
    pr_write_bytes(w, root->bytes, 32);
    pr_write_u64(w, n_leaves);
    pr_signatures_write(w, registry, signers, signatures);
}

pr_status pr_batch_certificate_check(pr_hash *root, uint64_t *n_leaves, const uint8_t *data, size_t size,
                                     const pr_hash *run, const pr_registry *registry, const pr_crypto *crypto,
                                     pr_error *err) {
    if (pr_message_peek(data, size) != PR_MESSAGE_BATCH_CERTIFICATE)
        return pr_fail(err, PR_ERR_MALFORMED, "batch certificate: wrong version or kind");
    pr_message m = {.kind = PR_MESSAGE_BATCH};
    pr_reader r;
    pr_reader_init(&r, data + 2, size - 2);
    pr_read_bytes(&r, m.run.bytes, 32);
    m.n_validators = pr_read_u32(&r);
    pr_read_bytes(&r, m.root.bytes, 32);
    m.n_leaves = pr_read_u64(&r);
    if (r.failed || m.n_leaves == 0)
        return pr_fail(err, PR_ERR_MALFORMED, "batch certificate: %zu bytes, malformed", size);
    if (registry && !pr_hash_equal(&m.run, run))
        return pr_fail(err, PR_ERR_REFUSED, "batch certificate: of another run");
    PR_TRY(pr_signatures_check(&r, &m, registry, crypto, err));
    *root = m.root;
    *n_leaves = m.n_leaves;
    return PR_OK;
}
