#include "app/validator_list.h"
#include "base/bytes.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PR_LIST_MAX_BYTES ((size_t)4 << 20)

static pr_status add_line(pr_registry *registry, const char *line, const char *path, unsigned number, pr_error *err) {
    char key_text[68], word[16] = "";
    unsigned long long stake;
    uint8_t key[PR_PUBLIC_KEY_BYTES];
    int n = sscanf(line, "%67s %llu %15s", key_text, &stake, word);
    const char *digits = strncmp(key_text, "0x", 2) == 0 ? key_text + 2 : key_text;
    if (n < 2 || !pr_hex_decode(key, sizeof key, digits) || (n == 3 && strcmp(word, "removed") != 0))
        return pr_fail(err, PR_ERR_USAGE, "%s:%u: not `KEY STAKE` or `KEY STAKE removed`", path, number);
    PR_TRY(pr_registry_add(registry, key, stake, err));
    if (n == 3) pr_registry_remove(registry, registry->n - 1, PR_REMOVAL_AWAY);
    return PR_OK;
}

pr_status pr_validator_list_read(pr_registry *registry, const char *path, pr_error *err) {
    uint8_t *text;
    size_t size;
    char *rest = NULL;
    unsigned number = 0;
    PR_TRY(pr_file_read(&text, &size, path, PR_LIST_MAX_BYTES, err));
    pr_status status = PR_OK;
    for (char *line = strtok_r((char *)text, "\n", &rest); line && status == PR_OK; line = strtok_r(NULL, "\n", &rest))
        if (number++, line[0] != '#') status = add_line(registry, line, path, number, err);
    free(text);
    return status;
}
