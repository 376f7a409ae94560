/* How a job type describes its AIR: components, columns with mask offsets, preprocessed columns, relations,
 * expressions, constraints and lookups. Expressions are hash-consed (common subexpressions are one node). Degree is
 * tracked; a constraint above 3 is refused with its name and the advice to add a column. Errors are sticky: the first
 * is kept and pr_air_build returns it.
 *
 *   pr_air_builder *b = pr_air_builder_create("cube");
 *   uint32_t c = pr_air_component_begin(b, "cube", log_rows);
 *   pr_expr x = pr_air_add_column(b, 0), y = pr_air_add_column(b, 0);
 *   pr_air_constrain(b, "y = x^3", pr_sub(b, y, pr_mul(b, x, pr_mul(b, x, x))));
 *   status = pr_air_build(&air, b, &err);       // destroys the builder
 */
#ifndef PR_AIR_BUILDER_H
#define PR_AIR_BUILDER_H
#include "air/air.h"

typedef struct pr_air_builder pr_air_builder;
typedef struct pr_expr {
    uint32_t node;
} pr_expr; /* of the component that is open */

pr_air_builder *pr_air_builder_create(const char *name); /* NULL: out of memory */
void pr_air_builder_destroy(pr_air_builder *b);          /* NULL allowed */
/* values: [1 << log_size] in row order, copied; may be NULL. Returns its index. */
uint32_t pr_air_add_preprocessed(pr_air_builder *b, const char *id, uint32_t log_size, const pr_m31 *values);
uint32_t pr_air_add_relation(pr_air_builder *b, const char *name, uint32_t size);
uint32_t pr_air_component_begin(pr_air_builder *b, const char *name, uint32_t log_size); /* ends the one before */
/* A new trace column read at one offset, or at several (distinct; more than two only in the largest components): out[k]
 * at offsets[k]. */
pr_expr pr_air_add_column(pr_air_builder *b, int32_t offset);
void pr_air_add_column_mask(pr_air_builder *b, pr_expr *out, const int32_t *offsets, uint32_t n_offsets);
/* The columns of the open component from this one on follow from those before it (pr_air_component, n_derived). */
void pr_air_declare_derived(pr_air_builder *b, uint32_t first);
pr_expr pr_air_use_preprocessed(pr_air_builder *b, const char *id);
pr_expr pr_const(pr_air_builder *b, int64_t v);
pr_expr pr_add(pr_air_builder *b, pr_expr x, pr_expr y);
pr_expr pr_sub(pr_air_builder *b, pr_expr x, pr_expr y);
pr_expr pr_mul(pr_air_builder *b, pr_expr x, pr_expr y);
pr_expr pr_neg(pr_air_builder *b, pr_expr x);
void pr_air_constrain(pr_air_builder *b, const char *name, pr_expr zero); /* zero on every row */
/* values: exactly the relation's size. batch -1: chosen so that degrees fit, two linear lookups to a batch. */
void pr_air_lookup_add(pr_air_builder *b, uint32_t relation, pr_expr multiplicity, const pr_expr *values,
                       uint32_t n_values, int32_t batch);
PR_MUST_CHECK pr_status pr_air_build(pr_air **out, pr_air_builder *b, pr_error *err);
#endif
