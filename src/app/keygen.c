/* `proverun keygen`: a key file, and its public key on standard output. */
#include "app/app.h"
#include "base/bytes.h"
#include "starkcurve/key_file.h"
#include "starkcurve/passphrase.h"
#include <stdio.h>
#include <string.h>

typedef struct arguments {
    const char *path, *passphrase_file;
    bool only_show;
} arguments;

static pr_status parse(arguments *a, int argc, char **argv, pr_error *err) {
    static const struct option options[] = {{"passphrase-file", 1, 0, 'p'}, {"public", 0, 0, 's'}, {0, 0, 0, 0}};
    int c;
    optind = 0;
    while ((c = pr_app_option(argc, argv, ":", options, err)) != -1) {
        if (c == 'p')
            a->passphrase_file = optarg;
        else if (c == 's')
            a->only_show = true;
        else
            return PR_ERR_USAGE;
    }
    if (optind + 1 != argc)
        return pr_fail(err, PR_ERR_USAGE, "keygen needs one FILE for the key; see proverun keygen --help");
    a->path = argv[optind];
    return PR_OK;
}

static pr_status generate(uint8_t public_key[32], const arguments *a, pr_error *err) {
    char *passphrase = NULL;
    pr_secret_key *key = NULL;
    PR_TRY(pr_passphrase_read(&passphrase, a->passphrase_file, PR_PASSPHRASE_STREAM, err));
    pr_status status = pr_secret_key_generate(&key, err);
    if (status == PR_OK) status = pr_key_file_create(a->path, key, passphrase, err);
    if (status == PR_OK) memcpy(public_key, key->public_key, 32);
    pr_secret_key_destroy(key);
    pr_passphrase_destroy(passphrase);
    return status;
}

int pr_app_keygen(int argc, char **argv) {
    arguments a = {0};
    pr_error err = {0};
    uint8_t public_key[32];
    char text[65];
    if (parse(&a, argc, argv, &err) != PR_OK) return pr_app_fail(&err), 2;
    pr_status status = a.only_show ? pr_public_key_read(public_key, a.path, &err) : generate(public_key, &a, &err);
    if (status != PR_OK) return pr_app_fail(&err);
    pr_hex_encode(text, public_key, 32);
    printf("0x%s\n", text);
    return 0;
}
