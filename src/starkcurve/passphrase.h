/* Passphrases of key files: the first line of a file that only its owner may read, in locked memory that is left out of
 * core dumps and wiped when freed. No copy of it is made elsewhere. Thread safe. */
#ifndef PR_STARKCURVE_PASSPHRASE_H
#define PR_STARKCURVE_PASSPHRASE_H
#include "base/error.h"

#define PR_PASSPHRASE_MAX_BYTES 1022u

typedef enum pr_passphrase_source {
    PR_PASSPHRASE_FILE,  /* a regular file, which many processes can read */
    PR_PASSPHRASE_STREAM /* a pipe as well, and "-" for standard input */
} pr_passphrase_source;

/* *passphrase: the line without its end; NULL for a NULL path. Freed with pr_passphrase_destroy. PR_ERR_IO: it cannot
 * be opened or read. PR_ERR_REFUSED: a regular file of another mode than 0600 or 0400, or of another owner; no regular
 * file where one is wanted. PR_ERR_USAGE: no line of 1 to PR_PASSPHRASE_MAX_BYTES bytes, or a zero byte in it. */
PR_MUST_CHECK pr_status pr_passphrase_read(char **passphrase, const char *path, pr_passphrase_source source,
                                           pr_error *err);
void pr_passphrase_destroy(char *passphrase); /* NULL allowed */

/* Whether a file that was opened is one that only its owner, this process's user, may read or write; what names it in
 * messages ("the key"). PR_ERR_REFUSED, PR_ERR_IO. */
PR_MUST_CHECK pr_status pr_secret_file_check(int fd, const char *path, const char *what, pr_error *err);
#endif
