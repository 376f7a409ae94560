#include "circle/transform.h"
#include <stdlib.h>

/* x of slots 4h of the domain into x[2^(log_size - 2)], y as scratch. In bit-reversed order each doubling of the list
 * adds one point to all that are there: no permutation. */
static void first_layer(pr_m31 *x, pr_m31 *y, unsigned log_size) {
    pr_point first = pr_domain_point(log_size, 0);
    x[0] = first.x, y[0] = first.y;
    for (unsigned bit = 0; bit + 2 < log_size; bit++) {
        /* bit of h has weight 2^(log_size - 3 - bit) in natural order, the step being 2^(LOG_ORDER + 1 - log_size) */
        pr_point move = pr_point_from_index((uint32_t)1 << (PR_CIRCLE_LOG_ORDER - 2 - bit));
        size_t n = (size_t)1 << bit;
        for (size_t h = 0; h < n; h++) {
            pr_point p = pr_point_add((pr_point){x[h], y[h]}, move);
            x[n + h] = p.x, y[n + h] = p.y;
        }
    }
}

static void fill_line(pr_twiddles *tw) {
    size_t total = (size_t)1 << (tw->log_size - 1);
    if (tw->log_size >= 2) first_layer(tw->line, tw->line_inverse, tw->log_size);
    pr_m31 *layer = tw->line;
    for (size_t n = total / 2; n > 1; layer += n, n /= 2)
        for (size_t h = 0; h < n / 2; h++) layer[n + h] = pr_double_x(layer[2 * h]);
    tw->line[total - 1] = 1;
    pr_m31_batch_inverse(tw->line_inverse, tw->line, total);
}

pr_status pr_twiddles_init(pr_twiddles *tw, unsigned log_size, pr_error *err) {
    PR_ASSERT(log_size >= 1 && log_size < PR_CIRCLE_LOG_ORDER);
    *tw = (pr_twiddles){.log_size = log_size};
    size_t bytes = sizeof(pr_m31) << (log_size - 1);
    tw->line = malloc(bytes);
    tw->line_inverse = malloc(bytes);
    if (!tw->line || !tw->line_inverse) {
        pr_twiddles_clear(tw);
        return pr_fail(err, PR_ERR_MEMORY, "no memory for twiddles of log size %u: %zu bytes", log_size, 2 * bytes);
    }
    fill_line(tw);
    tw->small[0] = pr_domain_point(1, 0).y;
    for (uint32_t h = 0; h < 2; h++) tw->small[1 + h] = pr_domain_point(2, 2 * h).y;
    pr_m31_batch_inverse(tw->small_inverse, tw->small, 3);
    return PR_OK;
}

void pr_twiddles_clear(pr_twiddles *tw) {
    free(tw->line);
    free(tw->line_inverse);
    *tw = (pr_twiddles){0};
}

const pr_m31 *pr_twiddles_layer(const pr_twiddles *tw, const pr_m31 *line, unsigned log_domain, unsigned k) {
    PR_ASSERT(log_domain <= tw->log_size && k >= 1 && k < log_domain);
    unsigned layer = k + tw->log_size - log_domain;
    /* layers before it: 2^(L-2) + 2^(L-3) + .. = 2^(L-1) - 2^(L-layer) */
    return line + ((size_t)1 << (tw->log_size - 1)) - ((size_t)1 << (tw->log_size - layer));
}

/* Of the points x, y in slots 8q and its neighbours: y, -y, -x, x for h = 4q .. 4q + 3, where line layer 1 holds x, y.
 */
static pr_m31 circle_twiddle(const pr_m31 *layer, uint32_t h) {
    pr_m31 v = layer[2 * (h / 4) + (h % 4 < 2)];
    return h % 4 == 1 || h % 4 == 2 ? pr_m31_neg(v) : v;
}

pr_m31 pr_twiddles_circle(const pr_twiddles *tw, unsigned log_domain, uint32_t h) {
    if (log_domain <= 2) return tw->small[log_domain - 1 + h];
    return circle_twiddle(pr_twiddles_layer(tw, tw->line, log_domain, 1), h);
}

pr_m31 pr_twiddles_circle_inverse(const pr_twiddles *tw, unsigned log_domain, uint32_t h) {
    if (log_domain <= 2) return tw->small_inverse[log_domain - 1 + h];
    return circle_twiddle(pr_twiddles_layer(tw, tw->line_inverse, log_domain, 1), h);
}
