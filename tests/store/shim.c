/* Preloaded: the k-th write, sync, rename or truncation on a path that contains $PR_SHIM_PATH fails.
 *   PR_SHIM_AT=k  PR_SHIM_HOW=error|short|stay   short: half is written first; stay: all later calls fail as well */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long calls;

static int concerns(const char *path) {
    const char *part = getenv("PR_SHIM_PATH");
    return part && strstr(path, part);
}

static int concerns_fd(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    return concerns(path);
}

static int how_is(const char *word) {
    const char *how = getenv("PR_SHIM_HOW");
    return how && !strcmp(how, word);
}

static int is_due(int is_ours) {
    const char *at = getenv("PR_SHIM_AT");
    long due = at ? atol(at) : 0;
    if (!is_ours || due <= 0) return 0;
    calls++;
    return calls == due || (how_is("stay") && calls > due);
}

#define NEXT(name_)                                                                                                    \
    static __typeof__(&name_) next;                                                                                    \
    if (!next) *(void **)&next = dlsym(RTLD_NEXT, #name_)

ssize_t write(int fd, const void *data, size_t n) {
    NEXT(write);
    if (!is_due(concerns_fd(fd))) return next(fd, data, n);
    if (how_is("short") && n > 1 && next(fd, data, n / 2) < 0) return -1;
    errno = how_is("short") ? ENOSPC : EIO;
    return -1;
}

ssize_t pwrite64(int fd, const void *data, size_t n, off_t at) {
    NEXT(pwrite64);
    if (!is_due(concerns_fd(fd))) return next(fd, data, n, at);
    if (how_is("short") && n > 1 && next(fd, data, n / 2, at) < 0) return -1;
    errno = how_is("short") ? ENOSPC : EIO;
    return -1;
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at) { return pwrite64(fd, data, n, at); }

int fsync(int fd) {
    NEXT(fsync);
    if (!is_due(concerns_fd(fd))) return next(fd);
    errno = EIO;
    return -1;
}

int fdatasync(int fd) {
    NEXT(fdatasync);
    if (!is_due(concerns_fd(fd))) return next(fd);
    errno = EIO;
    return -1;
}

int rename(const char *from, const char *to) {
    NEXT(rename);
    if (!is_due(concerns(from))) return next(from, to);
    errno = EIO;
    return -1;
}

int ftruncate64(int fd, off_t size) {
    NEXT(ftruncate64);
    if (!is_due(concerns_fd(fd))) return next(fd, size);
    errno = EIO;
    return -1;
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }
