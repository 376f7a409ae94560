#include "gadgets/input_file.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

char *pr_input_file_path(const char *base_dir, const char *path) {
    size_t size = (base_dir ? strlen(base_dir) : 0) + strlen(path) + 2;
    char *full = malloc(size);
    if (!full) return NULL;
    if (path[0] == '/' || !base_dir || !base_dir[0])
        snprintf(full, size, "%s", path);
    else
        snprintf(full, size, "%s/%s", base_dir, path);
    return full;
}

static pr_status find_length(uint64_t *length, const char *path, uint64_t max, const char *type, pr_error *err) {
    struct stat st;
    if (stat(path, &st) != 0) return pr_fail(err, PR_ERR_INPUT, "%s: cannot open: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode)) return pr_fail(err, PR_ERR_INPUT, "%s: not a regular file", path);
    if ((uint64_t)st.st_size > max)
        return pr_fail(err, PR_ERR_INPUT, "%s: %llu bytes, and %s takes at most %llu", path,
                       (unsigned long long)st.st_size, type, (unsigned long long)max);
    *length = (uint64_t)st.st_size;
    return PR_OK;
}

static pr_status read_bytes(uint8_t **data, size_t *size, const char *path, uint64_t max, const char *type,
                            pr_error *err) {
    uint64_t length;
    PR_TRY(find_length(&length, path, max, type, err));
    pr_error cause = {0};
    pr_status status = pr_file_read(data, size, path, (size_t)max, &cause);
    if (status == PR_OK) return PR_OK;
    return pr_fail(err, status == PR_ERR_MEMORY ? status : PR_ERR_INPUT, "%s", cause.text);
}

pr_status pr_input_file_length(uint64_t *length, const char *base_dir, const char *path, uint64_t max, const char *type,
                               pr_error *err) {
    char *full = pr_input_file_path(base_dir, path);
    if (!full) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a path");
    pr_status status = find_length(length, full, max, type, err);
    free(full);
    return status;
}

pr_status pr_input_file_read(uint8_t **data, size_t *size, const char *base_dir, const char *path, uint64_t max,
                             const char *type, pr_error *err) {
    char *full = pr_input_file_path(base_dir, path);
    if (!full) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a path");
    pr_status status = read_bytes(data, size, full, max, type, err);
    free(full);
    return status;
}

pr_status pr_input_file_error(pr_status status, pr_error *err) {
    if (status != PR_ERR_MALFORMED) return status;
    if (err) err->status = PR_ERR_INPUT;
    return PR_ERR_INPUT;
}
