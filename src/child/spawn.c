#include "child/spawn.h"
#include "child/serve.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

static bool is_mpi_variable(const char *entry) {
    static const char *const prefixes[] = {"OMPI_", "PMIX_", "PMI_"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (strncmp(entry, prefixes[i], strlen(prefixes[i])) == 0) return true;
    return false;
}

/* Borrows the entries of environ; the array is the caller's to free. */
static char **environment_without_mpi(void) {
    size_t n = 0, kept = 0;
    while (environ[n]) n++;
    char **out = calloc(n + 1, sizeof *out);
    for (size_t i = 0; out && i < n; i++)
        if (!is_mpi_variable(environ[i])) out[kept++] = environ[i];
    return out;
}

static char **argument_list(const char *program, const char *const *arguments) {
    size_t n = 0;
    while (arguments[n]) n++;
    char **out = calloc(n + 2, sizeof *out);
    if (!out) return NULL;
    out[0] = (char *)(uintptr_t)program; /* posix_spawn changes none of them */
    for (size_t i = 0; i < n; i++) out[i + 1] = (char *)(uintptr_t)arguments[i];
    return out;
}

/* Own group, no signal blocked, all at their defaults. */
static int set_attributes(posix_spawnattr_t *attributes) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int e =
        posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (e == 0) e = posix_spawnattr_setpgroup(attributes, 0);
    if (e == 0) e = posix_spawnattr_setsigmask(attributes, &none);
    return e ? e : posix_spawnattr_setsigdefault(attributes, &all);
}

static int set_descriptors(posix_spawn_file_actions_t *actions, int socket) {
    bool has_error = fcntl(STDERR_FILENO, F_GETFD) >= 0;
    int e = posix_spawn_file_actions_adddup2(actions, socket, PR_CHILD_SOCKET);
    if (e == 0) e = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (e == 0 && !has_error) e = posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    return e ? e : posix_spawn_file_actions_adddup2(actions, STDERR_FILENO, STDOUT_FILENO);
}

static int spawn(pid_t *pid, const char *program, char **argv, char **envp, int socket) {
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    int e = posix_spawnattr_init(&attributes);
    if (e) return e;
    e = posix_spawn_file_actions_init(&actions);
    if (e == 0) {
        e = set_attributes(&attributes);
        if (e == 0) e = set_descriptors(&actions, socket);
        if (e == 0) e = posix_spawn(pid, program, &actions, &attributes, argv, envp);
        posix_spawn_file_actions_destroy(&actions);
    }
    posix_spawnattr_destroy(&attributes);
    return e;
}

/* A socket pair above the standard descriptors and PR_CHILD_SOCKET, which the child's end would clash with. */
static int open_pair(int ends[2]) {
    int e = 0;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return errno;
    for (size_t i = 0; i < 2; i++) {
        if (ends[i] > PR_CHILD_SOCKET) continue;
        int moved = fcntl(ends[i], F_DUPFD_CLOEXEC, PR_CHILD_SOCKET + 1);
        if (moved < 0) {
            e = errno;
            continue;
        }
        close(ends[i]);
        ends[i] = moved;
    }
    if (e == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) e = errno;
    if (e == 0) return 0;
    close(ends[0]);
    close(ends[1]);
    return e;
}

static int open_pidfd(pid_t pid) {
#ifdef SYS_pidfd_open
    return (int)syscall(SYS_pidfd_open, pid, 0); /* close-on-exec by itself */
#else
    (void)pid;
    return -1;
#endif
}

pr_status pr_child_spawn(pr_child_process *out, const char *program, const char *const *arguments, pr_error *err) {
    int ends[2];
    pid_t pid = 0;
    int e = open_pair(ends);
    if (e) return pr_fail(err, PR_ERR_BACKEND, "no socket for a prover child: %s", strerror(e));
    char **argv = argument_list(program, arguments), **envp = environment_without_mpi();
    e = argv && envp ? spawn(&pid, program, argv, envp, ends[1]) : ENOMEM;
    free(argv);
    free(envp);
    close(ends[1]);
    if (e) {
        close(ends[0]);
        return pr_fail(err, PR_ERR_BACKEND, "%s cannot be started as a prover child: %s", program, strerror(e));
    }
    *out = (pr_child_process){pid, open_pidfd(pid), ends[0]};
    return PR_OK;
}
