/* The preprocessed root, from the statement's values; the last few are kept for the whole process. */
#include "verify/internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define LOG_BLOCK 10u /* leaves hashed at a time: their subtree's root is kept, not they */
#define CACHE_SIZE 32u

typedef struct cache_key {
    pr_hash air;
    uint32_t log_blowup;
    int32_t lifting;
} cache_key;

static struct {
    pthread_mutex_t lock;
    uint32_t n_added;
    cache_key keys[CACHE_SIZE];
    pr_hash roots[CACHE_SIZE];
} cache = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Takes the root from the cache, or with add puts it there. */
static bool cached(pr_hash *root, const cache_key *key, bool add) {
    uint32_t i = 0;
    pthread_mutex_lock(&cache.lock);
    uint32_t n = cache.n_added < CACHE_SIZE ? cache.n_added : CACHE_SIZE;
    while (i < n && memcmp(&cache.keys[i], key, sizeof *key) != 0) i++;
    bool found = i < n;
    if (found) *root = cache.roots[i];
    if (!found && add) {
        i = cache.n_added++ % CACHE_SIZE;
        cache.keys[i] = *key;
        cache.roots[i] = *root;
    }
    pthread_mutex_unlock(&cache.lock);
    return found;
}

static pr_status extend_column(pr_m31 **out, const pr_air_preprocessed *column, uint32_t log_ext,
                               const pr_twiddles *twiddles, pr_error *err) {
    pr_m31 *slots = *out = malloc(sizeof *slots << log_ext);
    if (!slots) return pr_fail(err, PR_ERR_MEMORY, "verifier: no memory for preprocessed column '%s'", column->id);
    for (uint32_t row = 0; row >> column->log_size == 0; row++)
        slots[pr_slot_of_row(column->log_size, row)] = column->values[row];
    pr_transform_extend(slots, slots, column->log_size, log_ext, twiddles);
    return PR_OK;
}

/* In place; the level above takes the first half. */
static pr_hash reduce(pr_hash *nodes, size_t n) {
    for (; n > 1; n /= 2) pr_verify_hash_many(nodes, nodes, sizeof(pr_hash) * 2, n / 2);
    return nodes[0];
}

/* Leaves in the tree's sorted order, each column lifted; a block at a time, of which only the root is kept. */
static pr_status commit(pr_hash *root, const pr_layout_tree *tree, pr_m31 *const *columns, pr_error *err) {
    uint32_t log_block = tree->height < LOG_BLOCK ? tree->height : LOG_BLOCK, n = tree->n_columns;
    size_t block = (size_t)1 << log_block, n_blocks = (size_t)1 << (tree->height - log_block);
    pr_m31 *leaves = malloc(block * n * sizeof *leaves);
    pr_hash *hashes = malloc(block * sizeof *hashes), *roots = malloc(n_blocks * sizeof *roots);
    bool ok = leaves && hashes && roots;
    for (size_t b = 0; ok && b < n_blocks; b++) {
        for (size_t s = 0; s < n; s++) {
            uint32_t k = tree->sorted[s], log_ext = tree->columns[k].log_ext;
            for (size_t i = 0; i < block; i++)
                leaves[i * n + s] = columns[k][pr_slot_lift(log_ext, tree->height, (uint32_t)(b * block + i))];
        }
        pr_verify_hash_many(hashes, leaves, n * sizeof *leaves, block);
        roots[b] = reduce(hashes, block);
    }
    if (ok) *root = reduce(roots, n_blocks);
    free(leaves);
    free(hashes);
    free(roots);
    return ok ? PR_OK : pr_fail(err, PR_ERR_MEMORY, "verifier: no memory for the preprocessed tree");
}

static pr_status compute_root(pr_hash *root, const pr_layout *layout, pr_error *err) {
    const pr_layout_tree *tree = &layout->trees[PR_TREE_PREPROCESSED];
    const pr_air_preprocessed *preprocessed = layout->statement->air->preprocessed;
    uint32_t n = tree->n_columns;
    pr_twiddles twiddles;
    PR_TRY(pr_twiddles_init(&twiddles, tree->columns[tree->sorted[n - 1]].log_ext, err));
    pr_m31 **columns = calloc(n, sizeof *columns);
    pr_status status = columns ? PR_OK : pr_fail(err, PR_ERR_MEMORY, "verifier: out of memory");
    for (uint32_t k = 0; status == PR_OK && k < n; k++)
        status = extend_column(&columns[k], &preprocessed[k], tree->columns[k].log_ext, &twiddles, err);
    if (status == PR_OK) status = commit(root, tree, columns, err);
    for (uint32_t k = 0; columns && k < n; k++) free(columns[k]);
    free(columns);
    pr_twiddles_clear(&twiddles);
    return status;
}

pr_status pr_verify_preprocessed_root(pr_hash *root, const pr_layout *layout, pr_error *err) {
    const pr_statement *st = layout->statement;
    if (st->air->n_preprocessed == 0) {
        *root = pr_blake2s_hash(NULL, 0);
        return PR_OK;
    }
    for (uint32_t k = 0; k < st->air->n_preprocessed; k++)
        if (!st->air->preprocessed[k].values)
            return pr_fail(err, PR_ERR_REFUSED, "preprocessed column '%s' has no values: a verifier must know them",
                           st->air->preprocessed[k].id);
    cache_key key;
    memset(&key, 0, sizeof key);
    key.air = pr_air_digest(st->air);
    key.log_blowup = st->config.log_blowup;
    key.lifting = st->config.lifting_log_size;
    if (cached(root, &key, false)) return PR_OK;
    PR_TRY(compute_root(root, layout, err));
    cached(root, &key, true);
    return PR_OK;
}
