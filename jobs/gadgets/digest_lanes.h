/* For kernels of digests: words of sixteen rows, one row a lane. Included behind words_rows.h. */
#ifndef PR_JOBS_GADGETS_DIGEST_LANES_H
#define PR_JOBS_GADGETS_DIGEST_LANES_H
#include "gadgets/file_digest.h"

enum { PR_DIGEST_MAX_INNER = 176 };

typedef const uint32_t *digest_words[PR_DIGEST_LANES]; /* of each lane */

static inline scribe digest_scribe(const pr_digest_rows *rows) {
    return (scribe){.strip = rows->cells, .counts = rows->counts, .n_lanes = rows->n_lanes};
}

/* Words first + stride * step and those behind it of what is inside of each lane's compression. */
static inline void digest_inner(digest_words out, const pr_digest_rows *rows, uint32_t n_inner, uint32_t first,
                                uint32_t stride) {
    static const uint32_t zeros[PR_DIGEST_MAX_INNER];
    for (unsigned i = 0; i < PR_DIGEST_LANES; i++) {
        size_t at = (size_t)rows->block[i] * n_inner + first + stride * rows->step[i];
        out[i] = rows->is_live[i] ? rows->walk->inner + at : zeros;
    }
}

/* out[k]: word k of each lane, k < n. */
static inline void digest_gather(given *out, const digest_words words, unsigned n) {
    for (unsigned k = 0; k < n; k++)
        for (unsigned i = 0; i < PR_DIGEST_LANES; i++) out[k][i] = words[i][k];
}

static inline given digest_multiplicity(const pr_digest_rows *rows) {
    given x;
    for (unsigned i = 0; i < PR_DIGEST_LANES; i++) x[i] = rows->multiplicity[i];
    return x;
}
#endif
