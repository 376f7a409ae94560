/* Key files: round trips, modes, passphrases and where they come from, damage, and several processes at once. */
#include "base/bytes.h"
#include "starkcurve/key_file.h"
#include "starkcurve/passphrase.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/proverun-keys-XXXXXX";
static char path[128];

static size_t piece;      /* a write takes at most so many bytes; 0: all */
static unsigned fails_in; /* the fsync of this number fails; 0: none */

/* The library's, too: it is linked statically. */
ssize_t write(int fd, const void *data, size_t n) {
    return syscall(SYS_write, fd, data, piece && n > piece ? piece : n);
}
int fsync(int fd) {
    if (fails_in == 0 || --fails_in > 0) return (int)syscall(SYS_fsync, fd);
    errno = EIO;
    return -1;
}

static int setup(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/rank.key", folder);
    return 0;
}
static int forget(void **state) {
    (void)state;
    unlink(path);
    return 0;
}
static int teardown(void **state) {
    forget(state);
    return rmdir(folder); /* fails when a temporary file was left */
}

static pr_secret_key *make(const char *passphrase) {
    pr_secret_key *key = NULL;
    assert_int_equal(pr_secret_key_generate(&key, NULL), PR_OK);
    assert_int_equal(pr_key_file_create(path, key, passphrase, NULL), PR_OK);
    return key;
}

static void assert_opens(const pr_secret_key *key, const char *passphrase) {
    pr_secret_key *other = NULL;
    pr_error err = {0};
    if (pr_key_file_open(&other, path, passphrase, &err) != PR_OK) fail_msg("%s", err.text);
    assert_memory_equal(other, key, sizeof *key);
    pr_secret_key_destroy(other);
}

static void assert_refused(const char *passphrase, pr_status status, const char *says) {
    pr_secret_key *other = NULL;
    pr_error err = {0};
    assert_int_equal(pr_key_file_open(&other, path, passphrase, &err), status);
    assert_null(other);
    if (!strstr(err.text, says) || !strstr(err.text, path)) fail_msg("'%s' does not say '%s'", err.text, says);
}

static void test_round_trip(void **state) {
    (void)state;
    struct stat st;
    pr_secret_key *key = make(NULL);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_opens(key, NULL);
    assert_opens(key, "");
    assert_refused("word", PR_ERR_REFUSED, "not sealed");
    pr_error err = {0};
    assert_int_equal(pr_key_file_create(path, key, NULL, &err), PR_ERR_IO); /* never overwritten */
    assert_non_null(strstr(err.text, "exists"));
    assert_opens(key, NULL);
    pr_secret_key_destroy(key);
}

static void test_passphrase(void **state) {
    (void)state;
    pr_secret_key *key = make("correct horse");
    char secret[65];
    uint8_t bytes[32], *data;
    size_t size;
    assert_opens(key, "correct horse");
    assert_refused(NULL, PR_ERR_REFUSED, "none was given");
    assert_refused("correct house", PR_ERR_REFUSED, "wrong passphrase");
    pr_scalar_to_bytes(bytes, key->secret);
    pr_hex_encode(secret, bytes, 32);
    assert_int_equal(pr_file_read(&data, &size, path, 4096, NULL), PR_OK);
    assert_null(strstr((char *)data, secret));
    free(data);
    pr_secret_key_destroy(key);
}

static void test_modes(void **state) {
    (void)state;
    pr_secret_key *key = make(NULL);
    for (unsigned bit = 1; bit < 0100; bit <<= 1) {
        assert_int_equal(chmod(path, 0600 | bit), 0);
        assert_refused(NULL, PR_ERR_REFUSED, "only 0600 or 0400 is allowed");
    }
    assert_int_equal(chmod(path, 0400), 0);
    assert_opens(key, NULL);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_refused(NULL, PR_ERR_REFUSED, "regular file");
    unlink(path);
    assert_refused(NULL, PR_ERR_IO, "No such file");
    pr_secret_key_destroy(key);
}

/* Every byte of the file changed, each one alone: refused, or it was white space that does not count. */
static void check_damage(const char *passphrase, size_t step) {
    uint8_t *data;
    size_t size;
    assert_int_equal(pr_file_read(&data, &size, path, 4096, NULL), PR_OK);
    for (size_t i = 0; i < size; i += step) {
        pr_secret_key *other = NULL;
        uint8_t byte = data[i];
        data[i] ^= 0x11;
        assert_int_equal(pr_file_write_atomic(path, data, size, 0600, NULL), PR_OK);
        if (pr_key_file_open(&other, path, passphrase, NULL) == PR_OK) fail_msg("byte %zu changed, and opened", i);
        data[i] = byte;
    }
    for (size_t n = 0; n + 1 < size; n += step) {
        pr_secret_key *other = NULL;
        assert_int_equal(pr_file_write_atomic(path, data, n, 0600, NULL), PR_OK);
        assert_int_not_equal(pr_key_file_open(&other, path, passphrase, NULL), PR_OK);
    }
    char longer[4096];
    int n = snprintf(longer, sizeof longer, "%smore\n", (char *)data);
    assert_int_equal(pr_file_write_atomic(path, longer, (size_t)n, 0600, NULL), PR_OK);
    assert_refused(passphrase, PR_ERR_MALFORMED, "not a key file");
    free(data);
}

static void test_damage(void **state) {
    (void)state;
    pr_secret_key_destroy(make(NULL));
    check_damage(NULL, 1);
    unlink(path);
    pr_secret_key_destroy(make("word"));
    check_damage("word", 29); /* each one costs a password hash */
    /* a file that asks for absurd work is refused before any */
    static const char absurd[] = "proverun-key 1\npublic 0x"
                                 "01ef15c18599971b7beced415a40f0c7deacfd9b0d1819e03d723d8bc943cfca\n"
                                 "sealed argon2id 4000000000 999999999999 00 00 00\n";
    assert_int_equal(pr_file_write_atomic(path, absurd, sizeof absurd - 1, 0600, NULL), PR_OK);
    assert_refused("word", PR_ERR_MALFORMED, "not a key file");
}

static void test_first_run(void **state) {
    (void)state;
    pr_secret_key *first = NULL, *second = NULL;
    bool created = false;
    assert_int_equal(pr_key_file_open_or_create(&first, &created, path, NULL, NULL), PR_OK);
    assert_true(created);
    assert_int_equal(pr_key_file_open_or_create(&second, &created, path, NULL, NULL), PR_OK);
    assert_false(created);
    assert_memory_equal(first, second, sizeof *first);
    pr_secret_key_destroy(first);
    pr_secret_key_destroy(second);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(pr_key_file_open_or_create(&first, NULL, path, NULL, NULL), PR_ERR_REFUSED);
    assert_null(first);
    pr_error err = {0};
    assert_int_equal(pr_key_file_open_or_create(&first, NULL, "/nowhere/at/all", NULL, &err), PR_ERR_IO);
    assert_non_null(strstr(err.text, "/nowhere/at/all"));
}

/* Eight processes, one key, one creator. */
static void test_race(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    for (int i = 0; i < 8; i++) {
        if (fork() != 0) continue;
        pr_secret_key *key = NULL;
        uint8_t answer[33] = {0};
        bool created = false;
        if (pr_key_file_open_or_create(&key, &created, path, NULL, NULL) == PR_OK) memcpy(answer, key->public_key, 32);
        answer[32] = created;
        _exit(write(ends[1], answer, 33) == 33 ? 0 : 1);
    }
    pr_secret_key *key = NULL;
    uint8_t answer[33];
    int n_created = 0;
    for (int i = 0; i < 8; i++) assert_true(wait(NULL) > 0);
    assert_int_equal(pr_key_file_open(&key, path, NULL, NULL), PR_OK);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(read(ends[0], answer, 33), 33);
        assert_memory_equal(answer, key->public_key, 32);
        n_created += answer[32];
    }
    assert_int_equal(n_created, 1);
    pr_secret_key_destroy(key);
    close(ends[0]);
    close(ends[1]);
}

/* ---- files of passphrases ---- */

/* NULL: refused, with err. */
static char *read_phrase(const void *bytes, size_t size, unsigned mode, pr_status *status, pr_error *err) {
    char *phrase = NULL;
    assert_int_equal(pr_file_write_atomic(path, bytes, size, mode, NULL), PR_OK);
    *status = pr_passphrase_read(&phrase, path, PR_PASSPHRASE_FILE, err);
    assert_true((*status == PR_OK) == (phrase != NULL));
    return phrase;
}

static void assert_phrase(const char *bytes, const char *want) {
    pr_status status;
    pr_error err = {0};
    char *phrase = read_phrase(bytes, strlen(bytes), 0600, &status, &err);
    if (!phrase) fail_msg("%s", err.text);
    assert_string_equal(phrase, want);
    pr_passphrase_destroy(phrase);
}

static void assert_no_phrase(const void *bytes, size_t size, unsigned mode, pr_status want, const char *says) {
    pr_status status;
    pr_error err = {0};
    assert_null(read_phrase(bytes, size, mode, &status, &err));
    assert_int_equal(status, want);
    if (!strstr(err.text, says) || !strstr(err.text, path)) fail_msg("'%s' does not say '%s'", err.text, says);
}

static void test_phrase_lines(void **state) {
    (void)state;
    char longest[PR_PASSPHRASE_MAX_BYTES + 3];
    memset(longest, 'x', sizeof longest);
    longest[PR_PASSPHRASE_MAX_BYTES] = 0;
    assert_phrase("correct horse\n", "correct horse");
    assert_phrase("correct horse", "correct horse");
    assert_phrase("correct horse\r\nsecond\n", "correct horse");
    assert_phrase(" a\rb \n\n", " a\rb ");
    assert_phrase(longest, longest);
    longest[PR_PASSPHRASE_MAX_BYTES] = 'x';
    assert_no_phrase(longest, PR_PASSPHRASE_MAX_BYTES + 1, 0600, PR_ERR_USAGE, "1 to 1022 bytes");
    assert_no_phrase(longest, sizeof longest, 0600, PR_ERR_USAGE, "1 to 1022 bytes");
    assert_no_phrase("", 0, 0600, PR_ERR_USAGE, "no passphrase");
    assert_no_phrase("\nsecond\n", 8, 0600, PR_ERR_USAGE, "no passphrase");
    assert_no_phrase("\r\n", 2, 0600, PR_ERR_USAGE, "no passphrase");
    assert_no_phrase("wo\0rd\n", 6, 0600, PR_ERR_USAGE, "none of them zero");
}

static void test_phrase_files(void **state) {
    (void)state;
    char *phrase = NULL;
    pr_status status;
    pr_error err = {0};
    for (unsigned bit = 1; bit < 0100; bit <<= 1)
        assert_no_phrase("word\n", 5, 0600 | bit, PR_ERR_REFUSED, "lets others read or write the passphrase");
    phrase = read_phrase("word\n", 5, 0400, &status, &err);
    assert_non_null(phrase);
    pr_passphrase_destroy(phrase);
    unlink(path);
    assert_int_equal(pr_passphrase_read(&phrase, path, PR_PASSPHRASE_FILE, &err), PR_ERR_IO);
    assert_non_null(strstr(err.text, "No such file"));
    assert_int_equal(pr_passphrase_read(&phrase, NULL, PR_PASSPHRASE_FILE, NULL), PR_OK);
    assert_null(phrase);
}

/* Many processes cannot read one pipe: it is refused at once, where it is not asked for. */
static void test_phrase_pipes(void **state) {
    (void)state;
    char *phrase = NULL, rest[8] = {0};
    pr_error err = {0};
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(pr_passphrase_read(&phrase, path, PR_PASSPHRASE_FILE, &err), PR_ERR_REFUSED);
    assert_non_null(strstr(err.text, "regular file"));
    int fd = open(path, O_RDWR); /* so that nobody waits for the other end */
    assert_int_equal(write(fd, "word\nrest", 9), 9);
    assert_int_equal(pr_passphrase_read(&phrase, path, PR_PASSPHRASE_STREAM, NULL), PR_OK);
    assert_string_equal(phrase, "word");
    assert_int_equal(read(fd, rest, sizeof rest - 1), 4); /* what follows the line was left alone */
    assert_string_equal(rest, "rest");
    pr_passphrase_destroy(phrase);
    close(fd);
}

static void test_public_keys(void **state) {
    (void)state;
    pr_secret_key *key = make("word");
    uint8_t public_key[32];
    char text[80] = "0x";
    pr_error err = {0};
    assert_int_equal(pr_public_key_read(public_key, path, NULL), PR_OK); /* without the passphrase */
    assert_memory_equal(public_key, key->public_key, 32);
    pr_hex_encode(text + 2, key->public_key, 32);
    assert_int_equal(pr_public_key_read(public_key, text, NULL), PR_OK);
    assert_memory_equal(public_key, key->public_key, 32);
    strcat(text, "\n");
    assert_int_equal(pr_file_write_atomic(path, text, strlen(text), 0644, NULL), PR_OK);
    assert_int_equal(pr_public_key_read(public_key, path, NULL), PR_OK);
    assert_memory_equal(public_key, key->public_key, 32);
    static const char *const bad[] = {
        "", "0x", "nobody", "1234", "0x1", "0x5", "0x0800000000000011000000000000000000000000000000000000000000000001"};
    int refused = 0;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused += pr_public_key_read(public_key, bad[i], &err) == PR_ERR_USAGE;
    assert_true(refused >= 5); /* of x = 1 and x = 5 one may be on the curve */
    pr_secret_key_destroy(key);
}

static void test_written_in_pieces(void **state) {
    (void)state;
    piece = 7;
    pr_secret_key *key = make("");
    piece = 0;
    assert_opens(key, "");
    pr_secret_key_destroy(key);
}

/* A key that may be gone after a loss of power signs nothing. */
static void test_not_synced(void **state) {
    (void)state;
    for (unsigned at = 1; at <= 2; at++) { /* the file, its folder */
        pr_secret_key *key = NULL;
        pr_error err = {0};
        fails_in = at;
        assert_int_equal(pr_key_file_open_or_create(&key, NULL, path, "", &err), PR_ERR_IO);
        assert_int_equal(fails_in, 0);
        assert_null(key);
        assert_non_null(strstr(err.text, path));
        unlink(path);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(test_round_trip, forget),
                                       cmocka_unit_test_teardown(test_passphrase, forget),
                                       cmocka_unit_test_teardown(test_modes, forget),
                                       cmocka_unit_test_teardown(test_damage, forget),
                                       cmocka_unit_test_teardown(test_first_run, forget),
                                       cmocka_unit_test_teardown(test_race, forget),
                                       cmocka_unit_test_teardown(test_phrase_lines, forget),
                                       cmocka_unit_test_teardown(test_phrase_files, forget),
                                       cmocka_unit_test_teardown(test_phrase_pipes, forget),
                                       cmocka_unit_test_teardown(test_public_keys, forget),
                                       cmocka_unit_test_teardown(test_not_synced, forget),
                                       cmocka_unit_test_teardown(test_written_in_pieces, forget)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
