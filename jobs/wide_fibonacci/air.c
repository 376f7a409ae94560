#include "air/builder.h"
#include "wide_fibonacci/job.h"

pr_status pr_wide_fibonacci_air(pr_air **out, uint32_t log_rows, uint32_t columns, pr_error *err) {
    pr_air_builder *b = pr_air_builder_create("wide_fibonacci");
    if (!b) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the AIR of wide_fibonacci");
    pr_air_component_begin(b, "wide_fibonacci", log_rows);
    pr_expr x = pr_air_add_column(b, 0), y = pr_air_add_column(b, 0);
    for (uint32_t k = 2; k < columns; k++) {
        pr_expr z = pr_air_add_column(b, 0);
        pr_expr squares = pr_add(b, pr_mul(b, x, x), pr_mul(b, y, y));
        pr_air_constrain(b, "a cell is the sum of the squares of the two before it", pr_sub(b, z, squares));
        x = y, y = z;
    }
    pr_air_declare_derived(b, 2);
    return pr_air_build(out, b, err);
}
