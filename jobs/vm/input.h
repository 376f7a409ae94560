/* Lists of input words as text. */
#ifndef PR_JOBS_VM_INPUT_H
#define PR_JOBS_VM_INPUT_H
#include "base/bytes.h"

/* Numbers between white space or commas; a comment goes from ; or # to the end of its line. A number is decimal, 0x and
 * hexadecimal, negative (modulo 2^32), or, with a point or an exponent, the bits of the nearest IEEE 754 single.
 * PR_ERR_MALFORMED: "name:line:column: text". words: [*n], the caller frees it. */
PR_MUST_CHECK pr_status pr_vm_input_parse(uint32_t **words, size_t *n, const char *text, size_t size, const char *name,
                                          pr_error *err);
/* The same of a file. PR_ERR_INPUT: unreadable. */
PR_MUST_CHECK pr_status pr_vm_input_load(uint32_t **words, size_t *n, const char *path, pr_error *err);
#endif
