/* Small AIRs for the tests of this folder. */
#ifndef TEST_AIR_SUPPORT_H
#define TEST_AIR_SUPPORT_H
#include "air/builder.h"
#include "air/statement.h"
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Built, or the test fails with the error's text. */
pr_air *support_build(pr_air_builder *b);
/* y = x^3 on 2^log_rows rows; no lookups, no preprocessed column. */
pr_air *support_cube(uint32_t log_rows);
/* Preprocessed p (2^5, values 0..31) and q (2^4, all 3); relation "pairs" of size 2.
 * Component "big" (2^5): x (offset 0), y (offsets -1, 0); constraints "square" y = x^2 and "gate" p * x = p * x;
 * looks up (x, p) once. Component "small" (2^4): z, m; looks up (z, q) -m times and, in the same batch, (z, z) 0 times.
 */
pr_air *support_pairs(void);

pr_config support_config(void); /* blow-up 2, 5 queries, 4 bits, fold step 1, no lifting */
/* A statement of the AIR with this configuration; fails the test when refused. */
void support_statement(pr_statement *st, const pr_air *air, const pr_config *config);

/* A component with n_columns columns (1 or 2 offsets) and n_nodes random nodes, with constraints and lookups of the
 * relations, of any degree: for lowering only, not validated. Owned by an AIR of that one component. */
pr_air *support_random(pr_prng *g, uint32_t n_columns, uint32_t n_nodes, uint32_t n_constraints, uint32_t n_lookups);

void support_expect_error(pr_status status, pr_status expected, const pr_error *err, const char *fragment);
#endif
