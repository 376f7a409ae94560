/* A multiset of tuples with multiplicities mod p, for the checker: a hash table from (relation, values) to the sum. */
#ifndef PR_AIR_TUPLES_H
#define PR_AIR_TUPLES_H
#include "field/m31.h"

#define PR_TUPLES_NONE SIZE_MAX

typedef struct pr_tuple {
    uint32_t relation;
    pr_m31 multiplicity;
} pr_tuple;

typedef struct pr_tuples {
    uint32_t size; /* values of the longest tuple; shorter ones are padded with zeros */
    size_t n, capacity;
    pr_tuple *items; /* in the order of their first appearance */
    pr_m31 *values;  /* [capacity][size] */
    pr_m31 *padded;  /* [size] the tuple at hand */
    uint32_t *table; /* [1 << log_table] item + 1, 0: free */
    uint32_t log_table;
    bool failed; /* out of memory */
} pr_tuples;

void pr_tuples_init(pr_tuples *t, uint32_t size);
void pr_tuples_clear(pr_tuples *t);
void pr_tuples_add(pr_tuples *t, uint32_t relation, const pr_m31 *values, uint32_t n_values, pr_m31 multiplicity);
/* Which item it is; PR_TUPLES_NONE when it was never added. */
size_t pr_tuples_find(pr_tuples *t, uint32_t relation, const pr_m31 *values, uint32_t n_values);
static inline const pr_m31 *pr_tuples_values(const pr_tuples *t, size_t item) { return t->values + item * t->size; }
#endif
