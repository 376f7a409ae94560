/* What commands that need a secret key share. */
#ifndef PR_APP_KEYS_H
#define PR_APP_KEYS_H
#include "starkcurve/key_file.h"

/* The key file at path, with the passphrase in passphrase_file (NULL: none). Freed with pr_secret_key_destroy. */
PR_MUST_CHECK pr_status pr_app_open_key(pr_secret_key **key, const char *path, const char *passphrase_file,
                                        pr_error *err);
#endif
