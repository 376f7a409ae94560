#include "wide_fibonacci/kernel.h"
#include "field/lane.h"

static void square_into(pr_m31 *squares, const pr_m31 *column, size_t n) {
    for (size_t i = 0; i < n; i += LANE_WIDTH) lane_store(squares + i, lane_square(lane_load(column + i)));
}

/* Each cell is squared once: its square serves the next two columns. */
static void next_column(pr_m31 *column, pr_m31 *older_squares, const pr_m31 *newer_squares, size_t n) {
    for (size_t i = 0; i < n; i += LANE_WIDTH) {
        lane cell = lane_add(lane_load(older_squares + i), lane_load(newer_squares + i));
        lane_store(column + i, cell);
        lane_store(older_squares + i, lane_square(cell));
    }
}

void PR_LANE_NAME(pr_wide_fibonacci_block)(pr_m31 *const *columns, uint32_t n_columns, size_t first, size_t n) {
    pr_m31 squares[2][PR_WIDE_FIBONACCI_BLOCK];
    square_into(squares[0], columns[0] + first, n);
    square_into(squares[1], columns[1] + first, n);
    for (uint32_t k = 2; k < n_columns; k++) next_column(columns[k] + first, squares[k % 2], squares[(k + 1) % 2], n);
}
