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

static bool cache_find(pr_hash *root, const cache_key *key) {
    bool found = false;
    pthread_mutex_lock(&cache.lock);
    for (uint32_t i = 0; i < cache.n_added && i < CACHE_SIZE && !found; i++)
        if ((found = memcmp(&cache.keys[i], key, sizeof *key) == 0)) *root = cache.roots[i];
    pthread_mutex_unlock(&cache.lock);
    return found;
}

static void cache_add(const cache_key *key, const pr_hash *root) {
    pthread_mutex_lock(&cache.lock);
    cache.keys[cache.n_added % CACHE_SIZE] = *key;
    cache.roots[cache.n_added++ % CACHE_SIZE] = *root;
    pthread_mutex_unlock(&cache.lock);
}

/* Row order -> extended, storage order. */
static void extend_column(pr_m31 *out, pr_m31 *rows, const pr_air_preprocessed *column, uint32_t log_ext,
                          const pr_twiddles *twiddles) {
    for (uint32_t row = 0; row >> column->log_size == 0; row++)
        rows[pr_slot_of_row(column->log_size, row)] = column->values[row];
    pr_transform_extend(out, rows, column->log_size, log_ext, twiddles);
}

/* In place; the level above takes the first half. */
static pr_hash reduce(pr_hash *nodes, size_t n) {
    for (; n > 1; n /= 2) pr_verify_hash_many(nodes, nodes, sizeof(pr_hash) * 2, n / 2);
    return nodes[0];
}

/* Leaf i, in the tree's sorted order, each column lifted. */
static void write_leaf(pr_m31 *out, const pr_layout_tree *tree, pr_m31 *const *columns, uint32_t i) {
    for (uint32_t s = 0; s < tree->n_columns; s++) {
        uint32_t k = tree->sorted[s];
        out[s] = columns[k][pr_slot_lift(tree->columns[k].log_ext, tree->height, i)];
    }
}

static pr_status commit(pr_hash *root, const pr_layout_tree *tree, pr_m31 *const *columns, pr_error *err) {
    uint32_t log_block = tree->height < LOG_BLOCK ? tree->height : LOG_BLOCK;
    size_t block = (size_t)1 << log_block, n_blocks = (size_t)1 << (tree->height - log_block);
    pr_m31 *leaves = malloc(block * tree->n_columns * sizeof *leaves);
    pr_hash *hashes = malloc((block + n_blocks) * sizeof *hashes), *roots = hashes + block;
    bool ok = leaves && hashes;
    for (size_t b = 0; ok && b < n_blocks; b++) {
        for (size_t i = 0; i < block; i++)
            write_leaf(leaves + i * tree->n_columns, tree, columns, (uint32_t)(b * block + i));
        pr_verify_hash_many(hashes, leaves, tree->n_columns * sizeof *leaves, block);
        roots[b] = reduce(hashes, block);
    }
    if (ok) *root = reduce(roots, n_blocks);
    free(leaves);
    free(hashes);
    return ok ? PR_OK : pr_fail(err, PR_ERR_MEMORY, "verifier: out of memory");
}

static pr_status compute_root(pr_hash *root, const pr_layout *layout, pr_error *err) {
    const pr_layout_tree *tree = &layout->trees[PR_TREE_PREPROCESSED];
    uint32_t largest = tree->columns[tree->sorted[tree->n_columns - 1]].log_ext;
    size_t words = (size_t)1 << largest;
    pr_m31 **columns = calloc(tree->n_columns, sizeof *columns);
    for (uint32_t k = 0; k < tree->n_columns; k++) words += (size_t)1 << tree->columns[k].log_ext;
    pr_m31 *memory = malloc(words * sizeof *memory), *next = memory + ((size_t)1 << largest);
    pr_twiddles twiddles = {0};
    pr_status status = columns && memory ? pr_twiddles_init(&twiddles, largest, err)
                                         : pr_fail(err, PR_ERR_MEMORY, "verifier: out of memory");
    if (status == PR_OK) {
        for (uint32_t k = 0; k < tree->n_columns; next += (size_t)1 << tree->columns[k++].log_ext)
            extend_column(columns[k] = next, memory, &layout->statement->air->preprocessed[k], tree->columns[k].log_ext,
                          &twiddles);
        status = commit(root, tree, columns, err);
        pr_twiddles_clear(&twiddles);
    }
    free(columns);
    free(memory);
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
    if (cache_find(root, &key)) return PR_OK;
    PR_TRY(compute_root(root, layout, err));
    cache_add(&key, root);
    return PR_OK;
}
