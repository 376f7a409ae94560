#include "gadgets/split_tables.h"
#include <stdio.h>

static const char *const names[PR_SPLITS] = {"split_2312", "split_1232", "split_2141", "split_1115"};

static void part_id(char *out, size_t size, pr_split split, unsigned k) {
    snprintf(out, size, "%s_%u", names[split], k);
}

void pr_split_tables_declare(pr_air_builder *b, uint32_t *relations, const pr_split *splits, uint32_t n_splits) {
    for (uint32_t i = 0; i < n_splits; i++) {
        for (unsigned k = 0; k < PR_SPLIT_PARTS; k++) {
            pr_m31 values[PR_SPLIT_ROWS];
            char id[32];
            for (uint32_t x = 0; x < PR_SPLIT_ROWS; x++)
                values[x] = x >> pr_split_at(splits[i], k) & ((1u << pr_split_bits(splits[i], k)) - 1);
            part_id(id, sizeof id, splits[i], k);
            pr_air_add_preprocessed(b, id, PR_SPLIT_LOG_ROWS, values);
        }
        relations[splits[i]] = pr_air_add_relation(b, names[splits[i]], PR_SPLIT_PARTS);
    }
}

void pr_split_tables_add_component(pr_air_builder *b, const uint32_t *relations, const pr_split *splits,
                                   uint32_t n_splits) {
    if (n_splits) pr_air_component_begin(b, "splits", PR_SPLIT_LOG_ROWS);
    for (uint32_t i = 0; i < n_splits; i++) {
        pr_expr multiplicity = pr_neg(b, pr_air_add_column(b, 0)), parts[PR_SPLIT_PARTS];
        for (unsigned k = 0; k < PR_SPLIT_PARTS; k++) {
            char id[32];
            part_id(id, sizeof id, splits[i], k);
            parts[k] = pr_air_use_preprocessed(b, id);
        }
        pr_air_lookup_add(b, relations[splits[i]], multiplicity, parts, PR_SPLIT_PARTS, -1);
    }
}
