/* Bytes cut into four parts at fixed places, as lookups: for rotations by other than whole bytes. One component of 2^8
 * rows; row x holds the parts of the byte x for every cut in use. A tuple is the four parts, the lowest first: whoever
 * looks it up has each part proven to have its width. Used as byte_tables.h. */
#ifndef PR_JOBS_GADGETS_SPLIT_TABLES_H
#define PR_JOBS_GADGETS_SPLIT_TABLES_H
#include "air/builder.h"

typedef enum pr_split { PR_SPLIT_2312, PR_SPLIT_1232, PR_SPLIT_2141, PR_SPLIT_1115, PR_SPLITS } pr_split;

enum { PR_SPLIT_PARTS = 4, PR_SPLIT_LOG_ROWS = 8, PR_SPLIT_ROWS = 1 << PR_SPLIT_LOG_ROWS };

/* Where part k begins; 8 for k = PR_SPLIT_PARTS. */
static inline unsigned pr_split_at(pr_split split, unsigned k) {
    static const unsigned char at[PR_SPLITS][PR_SPLIT_PARTS + 1] = {
        {0, 2, 5, 6, 8}, {0, 1, 3, 6, 8}, {0, 2, 3, 7, 8}, {0, 1, 2, 3, 8}};
    return at[split][k];
}
static inline unsigned pr_split_bits(pr_split split, unsigned k) {
    return pr_split_at(split, k + 1) - pr_split_at(split, k);
}

/* relations: [PR_SPLITS], those of splits are set. */
void pr_split_tables_declare(pr_air_builder *b, uint32_t *relations, const pr_split *splits, uint32_t n_splits);
void pr_split_tables_add_component(pr_air_builder *b, const uint32_t *relations, const pr_split *splits,
                                   uint32_t n_splits);
#endif
