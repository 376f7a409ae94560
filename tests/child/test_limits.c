/* What a child may take, leaves behind and outlives: memory, descriptors, environment, its supervisor. */
#include "child/internal.h"
#include "support.h"
#include "work/work.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* RLIMIT_DATA: a proof that needs more fails with its reason, the child lives; one that ignores it dies. */
static void test_memory_limit(void **state) {
    (void)state;
#if defined(__SANITIZE_ADDRESS__)
    skip(); /* its shadow memory is more than any limit */
#endif
    fixture f;
    pr_child_options o = start_options();
    o.memory_limit_bytes = (size_t)48 << 20;
    create(&f, &o);
    start(&f);
    submit(&f, WIDE, 0, PR_FAULT_NONE, 0);
    pr_child_event e = expect(&f, PR_CHILD_FAILED);
    if (e.status != PR_ERR_MEMORY) fail_msg("%s: %s", pr_status_name(e.status), e.text);
    pr_child_event_clear(&e);
    submit(&f, FIB, 0, PR_FAULT_NONE, 0);
    e = expect(&f, PR_CHILD_PROVED);
    pr_child_event_clear(&e);
    submit(&f, FIB, 1, PR_FAULT_EAT_MEMORY, 0);
    expect_end(&f, PR_CHILD_SIGNALLED, "signal 6");
    expect_recovery(&f);
    end_fixture(&f);
}

static void write_file(const char *root, const char *path, const char *content) {
    char full[512], *slash;
    snprintf(full, sizeof full, "%s/%s", root, path);
    for (slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = 0;
        (void)mkdir(full, 0755);
    }
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

/* The kernel's counters, from a tree of our own. */
static void test_out_of_memory_kill(void **state) {
    (void)state;
    char root[] = "/tmp/proverun-oom-XXXXXX", path[64], command[128];
    fixture f;
    assert_non_null(mkdtemp(root));
    write_file(root, "proc/vmstat", "nr_free_pages 5\noom_kill 3\n");
    snprintf(path, sizeof path, "proc/%ld/cgroup", (long)getpid());
    write_file(root, path, "5:memory:/v1\n4:cpu,cpuacct:/x\n0::/a/b\n");
    write_file(root, "sys/fs/cgroup/a/b/memory.events", "low 0\noom 1\noom_kill 1\noom_group_kill 0\n");
    write_file(root, "sys/fs/cgroup/memory/v1/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n");
    pr_child_oom oom = pr_child_oom_read(root, getpid());
    assert_int_equal(oom.machine, 3);
    assert_int_equal(oom.cgroup, 5);

    create(&f, NULL);
    f.child->oom_root = root;
    start(&f);
    submit(&f, FIB, 0, PR_FAULT_KILL, 0);
    expect_end(&f, PR_CHILD_SIGNALLED, "signal 9"); /* no counter moved */
    start(&f);
    write_file(root, "proc/vmstat", "oom_kill 4\n");
    submit(&f, FIB, 0, PR_FAULT_KILL, 0);
    expect_end(&f, PR_CHILD_OUT_OF_MEMORY, "probably");
    start(&f);
    write_file(root, "sys/fs/cgroup/a/b/memory.events", "oom_kill 2\n");
    submit(&f, FIB, 0, PR_FAULT_KILL, 0);
    expect_end(&f, PR_CHILD_OUT_OF_MEMORY, "of its cgroup during quotients");
    start(&f);
    write_file(root, "proc/vmstat", "oom_kill 5\n");
    submit(&f, FIB, 0, PR_FAULT_ABORT, 0);
    expect_end(&f, PR_CHILD_SIGNALLED, "signal 6"); /* not the kernel's way */
    end_fixture(&f);
    snprintf(command, sizeof command, "rm -r %s", root);
    assert_int_equal(system(command), 0);
}

/* The supervisor is killed while its child hangs in a proof: the child goes. */
static void test_supervisor_killed(void **state) {
    (void)state;
    int pipes[2];
    pid_t child = 0;
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    assert_int_equal(pipe(pipes), 0);
    pid_t supervisor = fork();
    if (supervisor == 0) {
        fixture f;
        begin_fixture(&f);
        submit(&f, FIB, 0, PR_FAULT_HANG, 0);
        await_stage(&f, PR_WORK_STAGE_PROVER + PR_STAGE_QUOTIENTS);
        pid_t pid = pr_child_pid(f.child);
        if (write(pipes[1], &pid, sizeof pid) < 0) _exit(1);
        for (;;) pause();
    }
    assert_int_equal(read(pipes[0], &child, sizeof child), sizeof child);
    assert_int_equal(kill(child, 0), 0);
    kill(supervisor, SIGKILL);
    assert_int_equal(waitpid(supervisor, NULL, 0), supervisor);
    int status = 0, reaped = 0;
    for (int k = 0; k < 3000 && !reaped; k++) { /* it is ours now */
        usleep(10000);
        reaped = waitpid(child, &status, WNOHANG);
    }
    if (reaped != child) kill(child, SIGKILL);
    assert_int_equal(reaped, child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
    close(pipes[0]);
    close(pipes[1]);
}

static void test_not_by_hand(void **state) {
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        close(PR_CHILD_SOCKET);
        execl("/proc/self/exe", "t", "child", "1", (char *)NULL);
        _exit(99);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 2);
}

/* A child answers before it closes what it was sent. */
static size_t settled_fds(pid_t pid, size_t expected) {
    for (int k = 0; k < 6000 && count_fds(pid) != expected; k++) usleep(5000);
    return count_fds(pid);
}

/* No MPI in its environment, no descriptor of the supervisor's, first to go when memory is short. */
static void test_isolation(void **state) {
    (void)state;
    static char environment[1 << 16], score[64];
    fixture f;
    int leak = open("/dev/null", O_RDONLY); /* as MPI's: not close-on-exec */
    setenv("OMPI_TEST_RANK", "1", 1);
    setenv("PMIX_TEST", "1", 1);
    setenv("PROVERUN_TEST_KEPT", "1", 1);
    begin_fixture(&f);
    read_proc(environment, sizeof environment, pr_child_pid(f.child), "environ");
    assert_null(strstr(environment, "OMPI_"));
    assert_null(strstr(environment, "PMIX_"));
    assert_non_null(strstr(environment, "PROVERUN_TEST_KEPT=1"));
    read_proc(score, sizeof score, pr_child_pid(f.child), "oom_score_adj");
    assert_true(atoi(score) >= 500);
    assert_int_equal(settled_fds(pr_child_pid(f.child), 2 + 4), 2 + 4); /* ".", "..", three standard ones, the socket */
    assert_true(fcntl(f.child->process.socket, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(f.child->manifest_fd, F_GETFD) & FD_CLOEXEC);
    if (f.child->process.pidfd >= 0) assert_true(fcntl(f.child->process.pidfd, F_GETFD) & FD_CLOEXEC);
    end_fixture(&f);
    close(leak);
}

static void test_many_jobs(void **state) {
    (void)state;
    fixture f;
    unsigned long child_kib = 0, own_kib = 0;
    size_t child_fds = 2 + 4, own_fds = 0;
    begin_fixture(&f);
    for (uint32_t i = 0; i < 200; i++) {
        submit(&f, i % 10 == 9 ? MISSING : FIB, i, PR_FAULT_NONE, 0);
        pr_child_event e = next_event(&f);
        assert_int_equal(e.kind, i % 10 == 9 ? PR_CHILD_FAILED : PR_CHILD_PROVED);
        assert_int_equal(e.attempt, i);
        pr_child_event_clear(&e);
        if (i != 49) continue;
        child_kib = resident_kib(pr_child_pid(f.child));
        own_kib = resident_kib(getpid());
        own_fds = count_fds(getpid());
    }
    assert_int_equal(settled_fds(pr_child_pid(f.child), child_fds), child_fds);
    assert_int_equal(count_fds(getpid()), own_fds);
#if !defined(__SANITIZE_ADDRESS__) /* which keeps freed memory for a while; it finds leaks by itself */
    assert_true(resident_kib(pr_child_pid(f.child)) < child_kib + 1024);
    assert_true(resident_kib(getpid()) < own_kib + 1024);
#else
    (void)child_kib;
    (void)own_kib;
#endif
    end_fixture(&f);
}

static void test_no_leak_over_restarts(void **state) {
    (void)state;
    fixture f;
    size_t before = count_fds(getpid()), at_first = 0;
    create(&f, NULL);
    for (int i = 0; i < 10; i++) {
        start(&f);
        if (i == 0) at_first = count_fds(getpid());
        assert_int_equal(count_fds(getpid()), at_first);
        submit(&f, FIB, 0, i % 2 ? PR_FAULT_KILL : PR_FAULT_RUBBISH, 0);
        expect_end(&f, i % 2 ? PR_CHILD_SIGNALLED : PR_CHILD_BROKE_PROTOCOL, "");
    }
    start(&f); /* destroyed alive */
    end_fixture(&f);
    assert_int_equal(count_fds(getpid()), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* and no child is left, dead or alive */
    assert_int_equal(errno, ECHILD);
}

/* Kernels before 5.3 tell of a death by the socket alone. */
static void test_without_pidfd(void **state) {
    (void)state;
    fixture f;
    struct pollfd fds[PR_CHILD_MAX_FDS];
    begin_fixture(&f);
    if (f.child->process.pidfd >= 0) close(f.child->process.pidfd);
    f.child->process.pidfd = -1;
    assert_int_equal(pr_child_fds(f.child, fds), 1);
    submit(&f, FIB, 0, PR_FAULT_KILL, 0);
    expect_end(&f, PR_CHILD_SIGNALLED, "signal 9");
    start(&f);
    close(f.child->process.pidfd);
    f.child->process.pidfd = -1;
    submit(&f, FIB, 0, PR_FAULT_FREEZE, 300);
    expect_end(&f, PR_CHILD_HUNG, "no progress");
    end_fixture(&f);
}

/* Ten seconds in which nobody looked are none of the child's, which may have stood still as well. */
static void test_supervisor_stood_still(void **state) {
    (void)state;
    const uint64_t still_ns = 10000000000u;
    fixture f;
    pr_child_event e;
    begin_fixture(&f);
    submit(&f, FIB, 0, PR_FAULT_HANG, 5000);
    await_stage(&f, PR_WORK_STAGE_PROVER + PR_STAGE_QUOTIENTS);
    f.child->looked_ns -= still_ns;
    f.child->sign_by_ns -= still_ns;
    assert_int_equal(pr_child_poll(f.child, &e), PR_CHILD_NONE);
    assert_int_equal(pr_child_get_state(f.child), PR_CHILD_BUSY);
    assert_true(pr_child_timeout_ms(f.child) <= 1000); /* so that a wait is no standing still */
    f.child->sign_by_ns -= still_ns;
    expect_end(&f, PR_CHILD_HUNG, "no progress");
    end_fixture(&f);
}

/* A program that ignores SIGCHLD has its children reaped by the kernel. */
static void test_ignored_sigchld(void **state) {
    (void)state;
    fixture f;
    signal(SIGCHLD, SIG_IGN);
    begin_fixture(&f);
    submit(&f, FIB, 0, PR_FAULT_KILL, 0);
    expect_end(&f, PR_CHILD_EXITED, "code 255"); /* of what is not known any more */
    expect_recovery(&f);
    end_fixture(&f);
    signal(SIGCHLD, SIG_DFL);
}

int main(int argc, char **argv) {
    int code = pr_test_child_main(argc, argv);
    if (code >= 0) return code;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_limit),      cmocka_unit_test(test_out_of_memory_kill),
        cmocka_unit_test(test_supervisor_killed), cmocka_unit_test(test_not_by_hand),
        cmocka_unit_test(test_isolation),         cmocka_unit_test(test_many_jobs),
        cmocka_unit_test(test_without_pidfd),     cmocka_unit_test(test_supervisor_stood_still),
        cmocka_unit_test(test_ignored_sigchld),   cmocka_unit_test(test_no_leak_over_restarts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
