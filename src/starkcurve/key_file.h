/* Key files: text of a few lines, 0600, the secret in the clear or sealed with a passphrase.
 *
 *   proverun-key 1
 *   public 0x3a...                        the 32-byte public key, 64 digits
 *   secret 01...                          64 digits; or, with a passphrase:
 *   sealed argon2id OPS MEMORY_BYTES SALT NONCE BOX
 *
 * BOX is libsodium's crypto_secretbox of the 32 bytes of the secret, under the key that crypto_pwhash (Argon2id) makes
 * of the passphrase, OPS, MEMORY_BYTES and SALT; SALT, NONCE and BOX are hex. What is read and written passes through
 * locked memory alone and is wiped. A file that the group or others may read, or that belongs to somebody else, is
 * refused: the secret must be taken for known. */
#ifndef PR_STARKCURVE_KEY_FILE_H
#define PR_STARKCURVE_KEY_FILE_H
#include "starkcurve/key.h"

/* passphrase: NULL or "" for none. Errors name path: PR_ERR_IO (also when the file exists already), PR_ERR_INTERNAL.
 * Other processes see the whole file or none. */
PR_MUST_CHECK pr_status pr_key_file_create(const char *path, const pr_secret_key *key, const char *passphrase,
                                           pr_error *err);
/* *key: freed with pr_secret_key_destroy. PR_ERR_IO: cannot be read. PR_ERR_REFUSED: its mode or owner, a passphrase
 * that is missing, not wanted or wrong. PR_ERR_MALFORMED: not a key file, or a public key that is not its secret's. */
PR_MUST_CHECK pr_status pr_key_file_open(pr_secret_key **key, const char *path, const char *passphrase, pr_error *err);
/* Opens path, or makes a new key there when nothing is at path. Of several processes that come at once one makes it,
 * and all get the same. *created (may be NULL) says whether it was this one. */
PR_MUST_CHECK pr_status pr_key_file_open_or_create(pr_secret_key **key, bool *created, const char *path,
                                                   const char *passphrase, pr_error *err);
/* A public key as users write it: 0x and hex digits, or the path of a key file (whose public line alone is read) or of
 * a file with nothing but the digits. PR_ERR_USAGE when it is neither, or no point of the curve has this x. */
PR_MUST_CHECK pr_status pr_public_key_read(uint8_t public_key[32], const char *text_or_path, pr_error *err);
#endif
