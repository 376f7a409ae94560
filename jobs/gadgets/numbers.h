/* Lists of numbers as text. */
#ifndef PR_JOBS_GADGETS_NUMBERS_H
#define PR_JOBS_GADGETS_NUMBERS_H
#include "base/bytes.h"

typedef enum pr_number_kind {
    PR_NUMBER_WORD, /* 32 bits: negative modulo 2^32; with a point or an exponent the nearest IEEE 754 single's */
    PR_NUMBER_M31,  /* a whole number from 0 to 2^31 - 2 */
    PR_NUMBER_BYTE  /* a whole number from 0 to 255 */
} pr_number_kind;

/* Numbers between white space or commas, decimal or 0x and hexadecimal; a comment goes from ; or # to the end of its
 * line. PR_ERR_MALFORMED: "name:line:column: text". numbers: [*n], the caller frees it. */
PR_MUST_CHECK pr_status pr_numbers_parse(uint32_t **numbers, size_t *n, pr_number_kind kind, const char *text,
                                         size_t size, const char *name, pr_error *err);
/* The same of a file of at most max_bytes. PR_ERR_INPUT: unreadable. */
PR_MUST_CHECK pr_status pr_numbers_load(uint32_t **numbers, size_t *n, pr_number_kind kind, const char *path,
                                        size_t max_bytes, pr_error *err);
#endif
