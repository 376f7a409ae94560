/* The stakes of a run's validators, out of the text file that `stake:` of the configuration names.
 *
 *   # one validator a line: who, then how much
 *   rank-0 5                       the key of a rank of the session, or
 *   0x3a...(64 hex digits) 2       a public key
 *
 * A stake is a whole number from 1 to PR_STAKES_MAX. Nobody may be named twice. */
#ifndef PR_MANIFEST_STAKES_H
#define PR_MANIFEST_STAKES_H
#include "base/error.h"

#define PR_STAKES_MAX 1000000000000000u /* 10^15: of 4,096 validators together less than (2^64 - 1) / 3 */

typedef struct pr_stake {
    int32_t rank; /* -1: the key says who */
    uint8_t public_key[32];
    uint64_t stake;
    uint32_t line; /* of the file, for messages */
} pr_stake;

typedef struct pr_stakes {
    pr_stake *items; /* [n] in the file's order, owned */
    uint32_t n;
} pr_stakes;

/* PR_ERR_USAGE with file:line:column, what was found and what is allowed; PR_ERR_IO, PR_ERR_MEMORY. Clear it after
 * success. */
PR_MUST_CHECK pr_status pr_stakes_load(pr_stakes *out, const char *path, pr_error *err);
/* The same from text; file is only for messages. */
PR_MUST_CHECK pr_status pr_stakes_parse(pr_stakes *out, const char *text, size_t size, const char *file, pr_error *err);
void pr_stakes_clear(pr_stakes *s);
#endif
