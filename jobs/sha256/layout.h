/* Sizes and constants of sha256, shared by its AIR and its trace. */
#ifndef PR_JOBS_SHA256_LAYOUT_H
#define PR_JOBS_SHA256_LAYOUT_H
#include "gadgets/file_digest.h"

enum {
    PR_SHA256_STEP = 8, /* rounds, or words of the schedule, in a row */
    PR_SHA256_ROUND_ROWS = 64 / PR_SHA256_STEP,
    PR_SHA256_SCHEDULE_ROWS = 48 / PR_SHA256_STEP,
    PR_SHA256_INNER_STATES = 64, /* behind the words of the schedule: the state before and behind each eight rounds */
    PR_SHA256_INNER = PR_SHA256_INNER_STATES + 8 * (PR_SHA256_ROUND_ROWS + 1),
    PR_SHA256_PART_ROUNDS = 0,
    PR_SHA256_PART_SCHEDULE = 1,
    PR_SHA256_PART_COMPRESSION = 2,
    PR_SHA256_ROUNDS_COLUMNS = 1 + 52 + 16 + 8 * 72,
    PR_SHA256_ROUNDS_LOOKUPS = 8 + 8 * 40 + 1,
    PR_SHA256_SCHEDULE_COLUMNS = 1 + 2 + 8 * 16 + 10 + 32 + 8 * 18 + 6 * 16 + 2 * 2,
    PR_SHA256_SCHEDULE_LOOKUPS = 40 + 8 * 16 + 6 * 4 + 2 * 2 + 1,
    PR_SHA256_COMPRESSION_COLUMNS = 16 + 2 * 64 + 16 * PR_SHA256_ROUND_ROWS + 16,
    PR_SHA256_COMPRESSION_LOOKUPS = 2 + PR_SHA256_SCHEDULE_ROWS + PR_SHA256_ROUND_ROWS + 2 * 2
};

extern const pr_digest_kind pr_sha256_kind;
extern const uint32_t pr_sha256_start[PR_DIGEST_CHAIN]; /* FIPS 180-4, section 5.3.3 */
extern const uint32_t pr_sha256_k[64];                  /* section 4.2.2 */

PR_MUST_CHECK pr_status pr_sha256_air(pr_air **out, const pr_digest_public *statement, pr_error *err);
void pr_sha256_rows(const pr_digest_rows *rows);
#endif
