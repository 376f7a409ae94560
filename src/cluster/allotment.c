#include "cluster/allotment.h"
#include "base/clock.h"
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PR_SQUEUE_MS 20000    /* it waits for slurmctld itself: MessageTimeout, 10 s unless configured */
#define PR_SQUEUE_BYTES 65536 /* a line for each task of an array that has started */

extern char **environ;

bool pr_allotment_parse(uint64_t *seconds, const char *text) {
    struct tm tm;
    memset(&tm, 0, sizeof tm);
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!rest || rest[strspn(rest, " \n")]) return false;
    tm.tm_isdst = -1;
    time_t t = mktime(&tm);
    if (t <= 0) return false;
    *seconds = (uint64_t)t;
    return true;
}

/* Reads what comes within the time. */
static void read_some(char *out, size_t size, int fd) {
    uint64_t end = pr_clock_monotonic_ns() + PR_SQUEUE_MS * 1000000ull;
    size_t at = 0;
    for (;;) {
        uint64_t now = pr_clock_monotonic_ns();
        struct pollfd p = {fd, POLLIN, 0};
        if (now >= end || at + 1 >= size) break;
        if (poll(&p, 1, (int)((end - now) / 1000000) + 1) < 0 && errno == EINTR) continue;
        ssize_t n = p.revents ? read(fd, out + at, size - 1 - at) : 0;
        if (n <= 0) break;
        at += (size_t)n;
    }
    out[at] = 0;
}

/* "%A %e": number and end. A job's number may also be that of its array, or of the heterogeneous job that it leads:
 * then squeue lists them all. */
static bool ask_squeue(char *out, size_t size, const char *job) {
    char *const words[] = {"squeue", "-h", "-j", (char *)(uintptr_t)job, "-o", "%A %e", NULL};
    posix_spawn_file_actions_t actions;
    int ends[2];
    pid_t pid;
    if (pipe(ends) != 0) return false;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    bool started = posix_spawnp(&pid, "squeue", &actions, NULL, words, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    out[0] = 0;
    if (started) {
        read_some(out, size, ends[0]);
        kill(pid, SIGKILL); /* nothing to it when it has ended */
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
    }
    close(ends[0]);
    return started;
}

static bool is_number(const char *text) {
    size_t n = strspn(text, "0123456789");
    return n > 0 && n < 19 && text[n] == 0;
}

/* The end in a line of squeue's; false: not of this job, which has all parts of a heterogeneous one. *seconds is 0 for
 * "NONE": no end. */
static bool read_line(uint64_t *seconds, const char *line, const char *job) {
    size_t n = strspn(line, "0123456789");
    bool ours = getenv("SLURM_HET_SIZE") || (n == strlen(job) && strncmp(line, job, n) == 0);
    if (n == 0 || line[n] != ' ' || !ours) return false;
    *seconds = 0;
    return strcmp(line + n + 1, "NONE") == 0 || pr_allotment_parse(seconds, line + n + 1);
}

/* The earliest end; *told: at least one line says something of this job. */
static uint64_t earliest_end(bool *told, char *text, const char *job) {
    char *rest = NULL;
    uint64_t earliest = 0, seconds;
    *told = false;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (!read_line(&seconds, line, job)) continue;
        *told = true;
        if (seconds && (!earliest || seconds < earliest)) earliest = seconds;
    }
    return earliest;
}

/* Seconds since 1970; 0: no end is known. */
static uint64_t slurm_end(pr_error *err) {
    const char *job = getenv("SLURM_JOB_ID"), *end = getenv("SLURM_JOB_END_TIME");
    char text[PR_SQUEUE_BYTES] = "";
    bool told = false;
    if (end && is_number(end)) return strtoull(end, NULL, 10);
    if (!job || !is_number(job)) return 0;
    uint64_t seconds = ask_squeue(text, sizeof text, job) ? earliest_end(&told, text, job) : 0;
    if (!told)
        (void)pr_fail(err, PR_OK, "squeue does not tell the end of Slurm job %s: the run will not drain before it",
                      job);
    return seconds;
}

pr_status pr_allotment_find(pr_allotment *a, uint64_t max_time_ns, pr_error *err) {
    uint64_t now = pr_clock_monotonic_ns(), wall = pr_clock_wall_ns(), end = slurm_end(err) * 1000000000u;
    a->end_ns = 0;
    a->what = "";
    if (max_time_ns) {
        a->end_ns = now + max_time_ns;
        a->what = "--max-time";
    }
    if (!end) return PR_OK;
    uint64_t left = end > wall ? end - wall : 1;
    if (a->end_ns && a->end_ns <= now + left) return PR_OK;
    a->end_ns = now + left;
    a->what = "the end of the Slurm allocation";
    return PR_OK;
}
