#include "starkcurve/passphrase.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pr_status fail_errno(pr_error *err, const char *path, const char *what) {
    return pr_fail(err, PR_ERR_IO, "%s: cannot %s: %s", path, what, strerror(errno));
}

pr_status pr_secret_file_check(int fd, const char *path, const char *what, pr_error *err) {
    struct stat st;
    if (fstat(fd, &st) != 0) return fail_errno(err, path, "look at");
    if (!S_ISREG(st.st_mode)) return pr_fail(err, PR_ERR_REFUSED, "%s: %s must be in a regular file", path, what);
    if (st.st_mode & 077)
        return pr_fail(err, PR_ERR_REFUSED,
                       "%s: mode %04o lets others read or write %s; only 0600 or 0400 is allowed (chmod 600)", path,
                       (unsigned)(st.st_mode & 07777), what);
    if (st.st_uid != geteuid())
        return pr_fail(err, PR_ERR_REFUSED, "%s: belongs to user %u, this process runs as %u", path,
                       (unsigned)st.st_uid, (unsigned)geteuid());
    return PR_OK;
}

static bool is_stream(int fd) {
    struct stat st;
    return fstat(fd, &st) == 0 && !S_ISREG(st.st_mode);
}

/* Byte by byte: what follows the line stays where it is. */
static pr_status read_line(char line[PR_PASSPHRASE_MAX_BYTES + 2], int fd, const char *path, pr_error *err) {
    size_t n = 0;
    bool ends = false;
    while (!ends && n < PR_PASSPHRASE_MAX_BYTES + 2) {
        ssize_t got = read(fd, line + n, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno(err, path, "read");
        ends = got == 0 || line[n] == '\n';
        n += !ends;
    }
    if (n && ends && line[n - 1] == '\r') n--;
    if (!ends || n == 0 || n > PR_PASSPHRASE_MAX_BYTES || memchr(line, 0, n))
        return pr_fail(err, PR_ERR_USAGE,
                       "%s: no passphrase; allowed: a first line of 1 to %u bytes, none of them zero", path,
                       PR_PASSPHRASE_MAX_BYTES);
    line[n] = 0;
    return PR_OK;
}

static pr_status read_from(char *line, int fd, const char *path, pr_passphrase_source source, pr_error *err) {
    if (source == PR_PASSPHRASE_FILE || !is_stream(fd)) PR_TRY(pr_secret_file_check(fd, path, "the passphrase", err));
    return read_line(line, fd, path, err);
}

pr_status pr_passphrase_read(char **passphrase, const char *path, pr_passphrase_source source, pr_error *err) {
    bool is_stdin = path && source == PR_PASSPHRASE_STREAM && strcmp(path, "-") == 0;
    *passphrase = NULL;
    if (!path) return PR_OK;
    /* a pipe must not hang whoever wants none: it is refused */
    int fd =
        is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | (source == PR_PASSPHRASE_FILE ? O_NONBLOCK : 0));
    if (fd < 0) return fail_errno(err, path, "open");
    char *line = sodium_init() < 0 ? NULL : sodium_malloc(PR_PASSPHRASE_MAX_BYTES + 2);
    pr_status status = line ? read_from(line, fd, path, source, err)
                            : pr_fail(err, PR_ERR_MEMORY, "no locked memory for a passphrase");
    if (!is_stdin) close(fd);
    if (status == PR_OK)
        *passphrase = line;
    else
        pr_passphrase_destroy(line);
    return status;
}

void pr_passphrase_destroy(char *passphrase) { sodium_free(passphrase); }
