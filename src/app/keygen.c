/* `proverun keygen`: a key file, and its public key on standard output. */
#include "app/app.h"
#include "app/keys.h"
#include "base/bytes.h"
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_PASSPHRASE = 1024 };

static pr_status take_line(char *line, FILE *file, const char *path, pr_error *err) {
    struct stat st;
    setvbuf(file, NULL, _IONBF, 0); /* no copy outside locked memory */
    if (file != stdin && (fstat(fileno(file), &st) != 0 || (S_ISREG(st.st_mode) && (st.st_mode & 077))))
        return pr_fail(err, PR_ERR_REFUSED, "%s: others can read the passphrase; only 0600 or 0400 is allowed", path);
    if (!fgets(line, MAX_PASSPHRASE, file) || strlen(line) + 1 >= MAX_PASSPHRASE)
        return pr_fail(err, PR_ERR_USAGE, "%s: no line of 1 to %d bytes to take a passphrase from", path,
                       MAX_PASSPHRASE - 2);
    line[strcspn(line, "\r\n")] = 0;
    return line[0] ? PR_OK : pr_fail(err, PR_ERR_USAGE, "%s: the passphrase is empty", path);
}

pr_status pr_app_read_passphrase(char **passphrase, const char *path, pr_error *err) {
    *passphrase = NULL;
    if (!path) return PR_OK;
    char *line = sodium_init() < 0 ? NULL : sodium_malloc(MAX_PASSPHRASE);
    if (!line) return pr_fail(err, PR_ERR_MEMORY, "no locked memory for a passphrase");
    FILE *file = strcmp(path, "-") ? fopen(path, "re") : stdin;
    pr_status status = file ? take_line(line, file, path, err)
                            : pr_fail(err, PR_ERR_USAGE, "%s: cannot open: %s", path, strerror(errno));
    if (file && file != stdin) fclose(file);
    if (status == PR_OK)
        *passphrase = line;
    else
        sodium_free(line);
    return status;
}

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
    PR_TRY(pr_app_read_passphrase(&passphrase, a->passphrase_file, err));
    pr_status status = pr_secret_key_generate(&key, err);
    if (status == PR_OK) status = pr_key_file_create(a->path, key, passphrase, err);
    if (status == PR_OK) memcpy(public_key, key->public_key, 32);
    pr_secret_key_destroy(key);
    if (passphrase) sodium_free(passphrase);
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
