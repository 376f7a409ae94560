/* Preloaded: the k-th write, sync, rename, truncation or link on a path that contains $PR_SHIM_PATH goes wrong;
 * with PR_SHIM_CLOSE also close.
 *   PR_SHIM_AT=k  PR_SHIM_LOG=FILE  what went wrong is told there: "pwrite /some/path"; at exit "calls 151"
 *   PR_SHIM_HOW=error    it does nothing and fails with EIO
 *              =short    half is written, then ENOSPC
 *              =partial  half is written, and said so: no error
 *              =stay     error, and all later calls fail as well
 *              =kill     SIGKILL just before the call */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define NEXT(name_)                                                                                                    \
    static __typeof__(&name_) next;                                                                                    \
    if (!next) *(void **)&next = dlsym(RTLD_NEXT, #name_)

static atomic_long calls;

static int concerns(const char *path) {
    const char *part = getenv("PR_SHIM_PATH");
    return part && strstr(path, part);
}

static const char *path_of(int fd, char path[4096]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, 4095);
    path[n > 0 ? n : 0] = 0;
    return path;
}

static int how_is(const char *word) {
    const char *how = getenv("PR_SHIM_HOW");
    return how && !strcmp(how, word);
}

/* By the system call itself: what is told is not counted. */
static void tell(const char *name, const char *path) {
    char line[4200];
    const char *log = getenv("PR_SHIM_LOG");
    int fd = log ? open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
    if (fd < 0) return;
    int n = snprintf(line, sizeof line, "%s %s\n", name, path);
    if (syscall(SYS_write, fd, line, (size_t)n) < 0) perror(log);
    syscall(SYS_close, fd);
}

__attribute__((destructor)) static void tell_calls(void) {
    char number[32];
    if (calls == 0) return;
    snprintf(number, sizeof number, "%ld", (long)calls);
    tell("calls", number);
}

static int is_due(const char *name, const char *path) {
    const char *at = getenv("PR_SHIM_AT");
    long due = at ? atol(at) : 0;
    if (due <= 0 || !concerns(path)) return 0;
    long call = atomic_fetch_add(&calls, 1) + 1;
    if (call == due) {
        tell(name, path);
        if (how_is("kill")) kill(getpid(), SIGKILL);
    }
    return call == due || (how_is("stay") && call > due);
}

static int is_due_fd(const char *name, int fd) {
    char path[4096];
    return is_due(name, path_of(fd, path));
}

static int fail(void) {
    errno = EIO;
    return -1;
}

/* written: of the half, where it was written. */
static ssize_t fail_write(ssize_t written) {
    if (how_is("partial")) return written;
    errno = how_is("short") ? ENOSPC : EIO;
    return -1;
}

static int is_halved(size_t n) { return n > 1 && (how_is("short") || how_is("partial")); }

ssize_t write(int fd, const void *data, size_t n) {
    NEXT(write);
    if (!is_due_fd("write", fd)) return next(fd, data, n);
    return fail_write(is_halved(n) ? next(fd, data, n / 2) : -1);
}

ssize_t pwrite64(int fd, const void *data, size_t n, off_t at) {
    NEXT(pwrite64);
    if (!is_due_fd("pwrite", fd)) return next(fd, data, n, at);
    return fail_write(is_halved(n) ? next(fd, data, n / 2, at) : -1);
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at) { return pwrite64(fd, data, n, at); }

int fsync(int fd) {
    NEXT(fsync);
    return is_due_fd("fsync", fd) ? fail() : next(fd);
}

int fdatasync(int fd) {
    NEXT(fdatasync);
    return is_due_fd("fdatasync", fd) ? fail() : next(fd);
}

int rename(const char *from, const char *to) {
    NEXT(rename);
    return is_due("rename", from) ? fail() : next(from, to);
}

int symlink(const char *to, const char *path) {
    NEXT(symlink);
    return is_due("symlink", path) ? fail() : next(to, path);
}

int ftruncate64(int fd, off_t size) {
    NEXT(ftruncate64);
    return is_due_fd("ftruncate", fd) ? fail() : next(fd, size);
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

/* Closed all the same, as a disk does that reports a late error. */
int close(int fd) {
    NEXT(close);
    if (!getenv("PR_SHIM_CLOSE") || !is_due_fd("close", fd)) return next(fd);
    next(fd);
    return fail();
}
