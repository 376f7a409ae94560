#include "starkcurve/key_file.h"
#include "base/bytes.h"
#include "base/random.h"
#include "starkcurve/curve.h"
#include "starkcurve/passphrase.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_FILE = 4096, BOX_BYTES = 32 + crypto_secretbox_MACBYTES, MAX_OPS = 32 };
#define MAX_MEMORY ((size_t)1 << 30)
static const char header[] = "proverun-key 1\n";

/* Everything secret that reading or writing a file needs, in one piece of locked memory. */
typedef struct workspace {
    char text[MAX_FILE];
    char hex[2 * BOX_BYTES + 1];
    uint8_t secret[32], box_key[crypto_secretbox_KEYBYTES];
} workspace;

/* How a passphrase becomes a key. */
typedef struct lock {
    unsigned long long ops;
    size_t memory_bytes;
    uint8_t salt[crypto_pwhash_SALTBYTES], nonce[crypto_secretbox_NONCEBYTES], box[BOX_BYTES];
} lock;

static pr_status create_workspace(workspace **w, pr_error *err) {
    if (sodium_init() < 0) return pr_fail(err, PR_ERR_INTERNAL, "no memory for secrets: sodium_init failed");
    *w = sodium_malloc(sizeof **w);
    if (!*w) return pr_fail(err, PR_ERR_MEMORY, "no locked memory for a key file");
    memset(*w, 0, sizeof **w);
    return PR_OK;
}

static bool has_passphrase(const char *passphrase) { return passphrase && passphrase[0]; }

static pr_status fail_errno(pr_error *err, const char *path, const char *what) {
    return pr_fail(err, PR_ERR_IO, "%s: cannot %s: %s", path, what, strerror(errno));
}

static pr_status make_box_key(workspace *w, const lock *l, const char *passphrase, const char *path, pr_error *err) {
    if (crypto_pwhash(w->box_key, sizeof w->box_key, passphrase, strlen(passphrase), l->salt, l->ops, l->memory_bytes,
                      crypto_pwhash_ALG_ARGON2ID13) == 0)
        return PR_OK;
    return pr_fail(err, PR_ERR_MEMORY, "%s: no %zu bytes of memory to make a key of the passphrase", path,
                   l->memory_bytes);
}

/* ---- writing ---- */

static pr_status seal(workspace *w, size_t at, const char *passphrase, const char *path, pr_error *err) {
    lock l = {.ops = crypto_pwhash_OPSLIMIT_INTERACTIVE, .memory_bytes = crypto_pwhash_MEMLIMIT_INTERACTIVE};
    char salt[2 * sizeof l.salt + 1], nonce[2 * sizeof l.nonce + 1];
    PR_TRY(pr_random_bytes(l.salt, sizeof l.salt, err));
    PR_TRY(pr_random_bytes(l.nonce, sizeof l.nonce, err));
    PR_TRY(make_box_key(w, &l, passphrase, path, err));
    crypto_secretbox_easy(l.box, w->secret, sizeof w->secret, l.nonce, w->box_key);
    pr_hex_encode(salt, l.salt, sizeof l.salt);
    pr_hex_encode(nonce, l.nonce, sizeof l.nonce);
    pr_hex_encode(w->hex, l.box, sizeof l.box);
    snprintf(w->text + at, sizeof w->text - at, "sealed argon2id %llu %zu %s %s %s\n", l.ops, l.memory_bytes, salt,
             nonce, w->hex);
    return PR_OK;
}

static pr_status compose(workspace *w, const pr_secret_key *key, const char *passphrase, const char *path,
                         pr_error *err) {
    char public_key[65];
    pr_hex_encode(public_key, key->public_key, 32);
    pr_scalar_to_bytes(w->secret, key->secret);
    size_t at = (size_t)snprintf(w->text, sizeof w->text, "%spublic 0x%s\n", header, public_key);
    if (has_passphrase(passphrase)) return seal(w, at, passphrase, path, err);
    pr_hex_encode(w->hex, w->secret, sizeof w->secret);
    snprintf(w->text + at, sizeof w->text - at, "secret %s\n", w->hex);
    return PR_OK;
}

/* link() fails when path exists, which is what makes one of several processes the first: taken, for the others. */
static pr_status place(bool *taken, const char *path, const char *text, pr_error *err) {
    size_t room = strlen(path) + sizeof ".XXXXXX";
    char *temporary = malloc(room);
    if (!temporary) return pr_fail(err, PR_ERR_MEMORY, "%s: no memory to write", path);
    snprintf(temporary, room, "%s.XXXXXX", path);
    int fd = mkostemp(temporary, O_CLOEXEC); /* 0600 */
    pr_status status = fd < 0 ? fail_errno(err, path, "create a file beside") : PR_OK;
    bool written = status == PR_OK && pr_file_write_all(fd, text, strlen(text)) && fsync(fd) == 0;
    if (status == PR_OK && !written) status = fail_errno(err, path, "write");
    if (fd >= 0) close(fd);
    if (status == PR_OK && link(temporary, path) != 0) {
        *taken = errno == EEXIST;
        status = fail_errno(err, path, "create");
    }
    if (fd >= 0) unlink(temporary);
    if (status == PR_OK) status = pr_file_sync_folder(path, err);
    free(temporary);
    return status;
}

static pr_status create(bool *taken, const char *path, const pr_secret_key *key, const char *passphrase,
                        pr_error *err) {
    workspace *w = NULL;
    *taken = false;
    PR_TRY(create_workspace(&w, err));
    pr_status status = compose(w, key, passphrase, path, err);
    if (status == PR_OK) status = place(taken, path, w->text, err);
    sodium_free(w);
    return status;
}

pr_status pr_key_file_create(const char *path, const pr_secret_key *key, const char *passphrase, pr_error *err) {
    bool taken;
    return create(&taken, path, key, passphrase, err);
}

/* ---- reading ---- */

static pr_status read_text(workspace *w, int fd, const char *path, pr_error *err) {
    size_t at = 0;
    for (;;) {
        ssize_t n = read(fd, w->text + at, sizeof w->text - 1 - at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail_errno(err, path, "read");
        if (n == 0) break;
        at += (size_t)n;
    }
    w->text[at] = 0;
    return PR_OK;
}

static pr_status malformed(const char *path, pr_error *err) {
    return pr_fail(err, PR_ERR_MALFORMED, "%s: not a key file of version 1 (proverun keygen makes one)", path);
}

static bool parse_lock(lock *l, const char *line) {
    char salt[2 * sizeof l->salt + 2], nonce[2 * sizeof l->nonce + 2], box[2 * sizeof l->box + 2];
    int end = 0;
    _Static_assert(sizeof salt == 34 && sizeof nonce == 50 && sizeof box == 98, "widths below");
    if (sscanf(line, "sealed argon2id %llu %zu %33s %49s %97s%n", &l->ops, &l->memory_bytes, salt, nonce, box, &end) !=
            5 ||
        strcmp(line + end, "\n") != 0)
        return false;
    if (l->ops < 1 || l->ops > MAX_OPS || l->memory_bytes < crypto_pwhash_MEMLIMIT_MIN || l->memory_bytes > MAX_MEMORY)
        return false;
    return pr_hex_decode(l->salt, sizeof l->salt, salt) && pr_hex_decode(l->nonce, sizeof l->nonce, nonce) &&
           pr_hex_decode(l->box, sizeof l->box, box);
}

static pr_status open_sealed(workspace *w, const char *line, const char *path, const char *passphrase, pr_error *err) {
    lock l;
    if (!parse_lock(&l, line)) return malformed(path, err);
    if (!has_passphrase(passphrase))
        return pr_fail(err, PR_ERR_REFUSED, "%s: sealed with a passphrase, and none was given", path);
    PR_TRY(make_box_key(w, &l, passphrase, path, err));
    if (crypto_secretbox_open_easy(w->secret, l.box, sizeof l.box, l.nonce, w->box_key) != 0)
        return pr_fail(err, PR_ERR_REFUSED, "%s: wrong passphrase, or the file was changed", path);
    return PR_OK;
}

/* The secret line is exactly 64 digits and the end of the file. */
static pr_status open_plain(workspace *w, const char *line, const char *path, const char *passphrase, pr_error *err) {
    const char *digits = line + strlen("secret ");
    if (strlen(digits) != 65 || digits[64] != '\n') return malformed(path, err);
    memcpy(w->hex, digits, 64);
    w->hex[64] = 0;
    if (!pr_hex_decode(w->secret, 32, w->hex)) return malformed(path, err);
    if (has_passphrase(passphrase))
        return pr_fail(err, PR_ERR_REFUSED, "%s: not sealed, but a passphrase was given", path);
    return PR_OK;
}

/* The public line; *rest: what follows it. */
static bool parse_public(uint8_t public_key[32], const char **rest, const char *text) {
    char digits[65];
    size_t n = strlen(header);
    if (strncmp(text, header, n) != 0 || strncmp(text + n, "public 0x", 9) != 0) return false;
    text += n + 9;
    if (strlen(text) < 65 || text[64] != '\n') return false;
    memcpy(digits, text, 64);
    digits[64] = 0;
    *rest = text + 65;
    return pr_hex_decode(public_key, 32, digits);
}

static pr_status parse(pr_secret_key **key, workspace *w, const char *path, const char *passphrase, pr_error *err) {
    uint8_t public_key[32];
    const char *line;
    if (!parse_public(public_key, &line, w->text)) return malformed(path, err);
    if (strncmp(line, "sealed ", 7) == 0)
        PR_TRY(open_sealed(w, line, path, passphrase, err));
    else if (strncmp(line, "secret ", 7) == 0)
        PR_TRY(open_plain(w, line, path, passphrase, err));
    else
        return malformed(path, err);
    if (pr_secret_key_from_bytes(key, w->secret, err) != PR_OK) return pr_fail_context(err, "%s", path);
    if (memcmp((*key)->public_key, public_key, 32) == 0) return PR_OK;
    pr_secret_key_destroy(*key);
    *key = NULL;
    return pr_fail(err, PR_ERR_MALFORMED, "%s: its public key is not that of its secret", path);
}

static pr_status open_fd(pr_secret_key **key, int fd, const char *path, const char *passphrase, pr_error *err) {
    workspace *w = NULL;
    PR_TRY(pr_secret_file_check(fd, path, "the key", err));
    PR_TRY(create_workspace(&w, err));
    pr_status status = read_text(w, fd, path, err);
    if (status == PR_OK) status = parse(key, w, path, passphrase, err);
    sodium_free(w);
    return status;
}

pr_status pr_key_file_open(pr_secret_key **key, const char *path, const char *passphrase, pr_error *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hang it: it is refused */
    *key = NULL;
    if (fd < 0) return fail_errno(err, path, "open");
    pr_status status = open_fd(key, fd, path, passphrase, err);
    close(fd);
    return status;
}

pr_status pr_key_file_open_or_create(pr_secret_key **key, bool *created, const char *path, const char *passphrase,
                                     pr_error *err) {
    *key = NULL;
    if (created) *created = false;
    if (access(path, F_OK) == 0 || errno != ENOENT) return pr_key_file_open(key, path, passphrase, err);
    bool taken;
    PR_TRY(pr_secret_key_generate(key, err));
    pr_status status = create(&taken, path, *key, passphrase, err);
    if (status == PR_OK) {
        if (created) *created = true;
        return PR_OK;
    }
    pr_secret_key_destroy(*key);
    *key = NULL;
    return taken ? pr_key_file_open(key, path, passphrase, err) : status; /* somebody else was first */
}

/* ---- public keys ---- */

static bool parse_digits(uint8_t public_key[32], const char *text) {
    pr_felt x;
    if (strncmp(text, "0x", 2) != 0 || !pr_felt_from_hex(&x, text)) return false;
    pr_felt_to_bytes(public_key, x);
    return true;
}

static pr_status read_public_file(uint8_t public_key[32], const char *path, pr_error *err) {
    uint8_t *data;
    size_t size;
    const char *rest;
    pr_error e = {0};
    if (pr_file_read(&data, &size, path, MAX_FILE, &e) != PR_OK)
        return pr_fail(err, PR_ERR_USAGE, "'%s' is neither a public key (0x and hex digits) nor a readable file: %s",
                       path, e.text);
    char *text = (char *)data, *end = text + strcspn(text, "\r\n");
    bool good = parse_public(public_key, &rest, text);
    if (!good && strspn(end, "\r\n") == strlen(end)) {
        *end = 0;
        good = parse_digits(public_key, text);
    }
    sodium_memzero(data, size);
    free(data);
    return good ? PR_OK
                : pr_fail(err, PR_ERR_USAGE, "%s: neither a key file nor a public key (0x and hex digits)", path);
}

pr_status pr_public_key_read(uint8_t public_key[32], const char *text, pr_error *err) {
    pr_affine point;
    if (strncmp(text, "0x", 2) != 0)
        PR_TRY(read_public_file(public_key, text, err));
    else if (!parse_digits(public_key, text))
        return pr_fail(err, PR_ERR_USAGE,
                       "'%s' is no public key; allowed: 0x and 1 to 64 hex digits, below the field's prime", text);
    if (pr_affine_from_x_bytes_public(&point, public_key)) return PR_OK;
    return pr_fail(err, PR_ERR_USAGE, "'%s': no point of the curve has this x coordinate, so it is no public key",
                   text);
}
