/* What commands that need a secret key share. */
#ifndef PR_APP_KEYS_H
#define PR_APP_KEYS_H
#include "starkcurve/key_file.h"

/* The first line of a file that only its owner may read, "-" for standard input, without the end of line. *passphrase:
 * locked memory, freed with sodium_free; NULL for a NULL path. */
PR_MUST_CHECK pr_status pr_app_read_passphrase(char **passphrase, const char *path, pr_error *err);
/* The key file at path, with the passphrase in passphrase_file (NULL: none). Freed with pr_secret_key_destroy. */
PR_MUST_CHECK pr_status pr_app_open_key(pr_secret_key **key, const char *path, const char *passphrase_file,
                                        pr_error *err);
#endif
