/* Whole files in and out, and folders; declared in bytes.h. */
#include "base/bytes.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pr_status fail_errno(pr_error *err, const char *path, const char *what) {
    return pr_fail(err, PR_ERR_IO, "%s: cannot %s: %s", path, what, strerror(errno));
}

/* Reads to the end, however long stat said the file is: pipes and /proc say 0. */
static pr_status read_all(int fd, uint8_t **data, size_t *size, const char *path, size_t max_bytes, pr_error *err) {
    size_t capacity = 4096, at = 0;
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && (uint64_t)st.st_size <= max_bytes)
        capacity = (size_t)st.st_size + 2;
    uint8_t *buffer = malloc(capacity);
    while (buffer) {
        ssize_t n = read(fd, buffer + at, capacity - 1 - at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            pr_status status = fail_errno(err, path, "read");
            free(buffer);
            return status;
        }
        if (n == 0) {
            buffer[at] = 0;
            *data = buffer;
            *size = at;
            return PR_OK;
        }
        at += (size_t)n;
        if (at > max_bytes) {
            free(buffer);
            return pr_fail(err, PR_ERR_MALFORMED, "%s: longer than %zu bytes", path, max_bytes);
        }
        if (at + 1 == capacity) {
            uint8_t *more = realloc(buffer, capacity *= 2);
            if (!more) free(buffer);
            buffer = more;
        }
    }
    return pr_fail(err, PR_ERR_MEMORY, "%s: no memory to read %zu bytes", path, capacity);
}

pr_status pr_file_read(uint8_t **data, size_t *size, const char *path, size_t max_bytes, pr_error *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail_errno(err, path, "open");
    pr_status status = read_all(fd, data, size, path, max_bytes, err);
    close(fd);
    return status;
}

bool pr_file_write_all(int fd, const void *data, size_t size) {
    const uint8_t *at = data;
    while (size) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n == 0) errno = ENOSPC;
        if (n <= 0) return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

pr_status pr_file_sync_folder(const char *path, pr_error *err) {
    size_t n = (size_t)(pr_file_name(path) - path);
    char *folder = n ? strndup(path, n) : strdup(".");
    if (!folder) return pr_fail(err, PR_ERR_MEMORY, "%s: no memory to sync its folder", path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    /* Some network file systems refuse to sync directories: nothing more can be done there. */
    bool synced = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL || errno == EROFS);
    pr_status status = synced ? PR_OK : fail_errno(err, path, "sync the folder of");
    if (fd >= 0) close(fd);
    return status;
}

const char *pr_file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Those that the first n bytes name. */
static pr_status make_folders(const char *path, size_t n, pr_error *err) {
    char *part = strdup(path);
    pr_status status = part ? PR_OK : pr_fail(err, PR_ERR_MEMORY, "%s: no memory for a path", path);
    for (size_t i = 1; status == PR_OK && i <= n; i++) {
        if (path[i] != '/' && i != n) continue;
        part[i] = 0;
        if (mkdir(part, 0777) == 0)
            status = pr_file_sync_folder(part, err);
        else if (errno != EEXIST)
            status = fail_errno(err, part, "make the folder");
        part[i] = path[i];
    }
    free(part);
    return status;
}

pr_status pr_file_make_folders(const char *path, pr_error *err) { return make_folders(path, strlen(path), err); }

pr_status pr_file_make_folders_above(const char *path, pr_error *err) {
    size_t n = (size_t)(pr_file_name(path) - path);
    return n > 1 ? make_folders(path, n - 1, err) : PR_OK;
}

/* A device or a pipe is written to, never replaced: /dev/null must stay what it is. */
static pr_status write_special(const char *path, const void *data, size_t size, pr_error *err) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return fail_errno(err, path, "open");
    pr_status status = pr_file_write_all(fd, data, size) ? PR_OK : fail_errno(err, path, "write");
    if (close(fd) != 0 && status == PR_OK) status = fail_errno(err, path, "close");
    return status;
}

static pr_status write_regular(const char *path, const void *data, size_t size, unsigned mode, pr_error *err) {
    size_t room = strlen(path) + sizeof ".XXXXXX";
    char *temporary = malloc(room);
    if (!temporary) return pr_fail(err, PR_ERR_MEMORY, "%s: no memory to write", path);
    snprintf(temporary, room, "%s.XXXXXX", path);
    pr_status status = PR_OK;
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        status = fail_errno(err, path, "create a file beside");
        goto out;
    }
    bool written = fchmod(fd, (mode_t)mode) == 0 && pr_file_write_all(fd, data, size) && fsync(fd) == 0;
    if (!written) status = fail_errno(err, path, "write");
    if (close(fd) != 0 && written) status = fail_errno(err, path, "close");
    if (status == PR_OK && rename(temporary, path) != 0) status = fail_errno(err, path, "rename to");
    if (status != PR_OK)
        unlink(temporary);
    else
        status = pr_file_sync_folder(path, err);
out:
    free(temporary);
    return status;
}

pr_status pr_file_write_atomic(const char *path, const void *data, size_t size, unsigned mode, pr_error *err) {
    struct stat st;
    bool exists = stat(path, &st) == 0;
    if (exists && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) return write_special(path, data, size, err);
    /* a symbolic link stays, what it points to is replaced */
    char *target = exists && lstat(path, &st) == 0 && S_ISLNK(st.st_mode) ? realpath(path, NULL) : NULL;
    pr_status status = write_regular(target ? target : path, data, size, mode, err);
    free(target);
    return status;
}
