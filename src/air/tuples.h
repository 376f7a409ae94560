/* A multiset of tuples with multiplicities mod p, for the checker: a hash table from (relation, values) to the sum. */
#ifndef PR_AIR_TUPLES_H
#define PR_AIR_TUPLES_H
#include <stdlib.h>
#include "field/m31.h"

#define PR_TUPLE_PUBLIC UINT32_MAX /* component of a public term; row is its number */

typedef struct pr_tuple {
    uint32_t relation;
    pr_m31 multiplicity;
    uint32_t component, row; /* where it was first seen */
} pr_tuple;

typedef struct pr_tuples {
    uint32_t size; /* values a tuple, the largest relation's; shorter ones are padded with zeros */
    size_t n, capacity;
    pr_tuple *items;
    pr_m31 *values; /* [capacity][size], and one more for scratch */
    uint32_t *table;
    uint32_t log_table;
    bool failed; /* out of memory */
} pr_tuples;

void pr_tuples_init(pr_tuples *t, uint32_t size);
void pr_tuples_clear(pr_tuples *t);
/* Room for one tuple of size values, for the caller to fill and hand to pr_tuples_add. NULL never: check failed. */
pr_m31 *pr_tuples_scratch(pr_tuples *t);
void pr_tuples_add(pr_tuples *t, uint32_t relation, const pr_m31 *values, uint32_t n_values, pr_m31 multiplicity,
                   uint32_t component, uint32_t row);
const pr_m31 *pr_tuples_values(const pr_tuples *t, size_t index);
#endif
