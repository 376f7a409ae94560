#include "child/child.h"
#include "base/clock.h"
#include "child/internal.h"
#include "work/work.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_LIMIT_MS 120000u
#define REAP_LIMIT_MS 10000u  /* from the kill to "hangs in the kernel" */
#define CLOSED_LIMIT_MS 5000u /* from the closing of its socket to its death */
#define LOOK_MS 1000          /* at most, while a limit runs */
#define STALL_NS 3000000000u  /* between two looks: the supervisor itself stood still */
#define MAX_PLACE 65536
#define UNKNOWN_STATUS 0xff00 /* as exit code 255 */

static uint64_t in_ms(uint64_t ms) {
    uint64_t now = pr_clock_monotonic_ns();
    return ms > (UINT64_MAX - now) / 1000000u ? UINT64_MAX : now + ms * 1000000u;
}
static bool is_past(uint64_t when_ns) { return when_ns && pr_clock_monotonic_ns() >= when_ns; }

const char *pr_child_cause_name(pr_child_cause cause) {
    static const char *const names[] = {"stopped", "killed",    "hung",         "broke the protocol",
                                        "exited",  "signalled", "out of memory"};
    return (size_t)cause < sizeof names / sizeof *names ? names[cause] : "unknown";
}

void pr_child_event_clear(pr_child_event *event) { pr_record_clear(&event->record); }

/* ---- creation ---- */

static bool copy_arguments(pr_child *c, const pr_child_options *o) {
    static const char *const standard[] = {"child", NULL};
    const char *const *given = o->arguments ? o->arguments : standard;
    char pid[24];
    size_t n = 0;
    while (given[n]) n++;
    c->arguments = calloc(n + 3, sizeof *c->arguments);
    if (!c->arguments) return false;
    for (size_t i = 0; i < n; i++)
        if (!(c->arguments[c->n_arguments++] = strdup(given[i]))) return false;
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    if (!(c->arguments[c->n_arguments++] = strdup(pid))) return false;
    return !o->place || (c->arguments[c->n_arguments++] = strdup(o->place));
}

static void fill_config(pr_child *c, const pr_child_options *o) {
    pr_child_config *f = &c->config.as.config;
    c->config.type = PR_CHILD_FRAME_CONFIG;
    snprintf(f->backend, sizeof f->backend, "%s", o->backend);
    snprintf(f->host, sizeof f->host, "%s", o->host);
    f->threads = o->threads;
    f->log = (uint32_t)o->log;
    f->rank = o->rank;
    f->max_bytes = o->max_bytes;
    f->max_device_bytes = o->max_device_bytes;
    f->share_bytes = o->share_bytes;
    f->memory_limit_bytes = o->memory_limit_bytes;
}

pr_status pr_child_create(pr_child **out, const pr_child_options *o, pr_error *err) {
    const pr_child_config *f = NULL;
    if (strlen(o->backend) >= sizeof f->backend || strlen(o->host) >= sizeof f->host ||
        (o->place && strlen(o->place) >= MAX_PLACE))
        return pr_fail(err, PR_ERR_USAGE, "the name of a backend or host, or a place, is too long");
    pr_child *c = calloc(1, sizeof *c);
    if (!c) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a prover child");
    c->oom_root = "";
    c->manifest_fd = c->process.socket = c->process.pidfd = -1;
    c->ready_limit_ms = o->ready_limit_ms ? o->ready_limit_ms : READY_LIMIT_MS;
    fill_config(c, o);
    c->program = strdup(o->program ? o->program : "/proc/self/exe");
    if (!c->program || !copy_arguments(c, o)) {
        pr_child_destroy(c);
        return pr_fail(err, PR_ERR_MEMORY, "out of memory for a prover child");
    }
    *out = c;
    return PR_OK;
}

/* ---- towards the child ---- */

/* A few jobs at a time keep the socket nearly empty: a child for which there is no room does not read. */
static void send_frame(pr_child *c, const pr_child_frame *frame, int passed) {
    pr_error e = {0};
    if (c->killed || c->socket_closed) return;
    switch (pr_child_link_send(c->process.socket, frame, passed, PR_CHILD_DONT_WAIT, &e)) {
    case PR_CHILD_LINK_DONE:
        return;
    case PR_CHILD_LINK_WOULD_WAIT:
        pr_child_end(c, PR_CHILD_HUNG, "does not read what it is sent");
        return;
    case PR_CHILD_LINK_CLOSED: /* its death is reported by what it died of */
        c->end_by_ns = c->end_by_ns ? c->end_by_ns : in_ms(CLOSED_LIMIT_MS);
        return;
    case PR_CHILD_LINK_BROKEN:
        pr_child_end(c, PR_CHILD_KILLED, "cannot be written to: %s", e.text);
        return;
    }
}

static void send_manifest(pr_child *c) {
    c->state = PR_CHILD_STARTING;
    c->ready_by_ns = in_ms(c->ready_limit_ms);
    send_frame(c, &c->manifest, c->manifest_fd);
}

static void begin(pr_child *c) {
    c->state = PR_CHILD_STARTING;
    c->starts++;
    c->ready_by_ns = c->sign_by_ns = c->end_by_ns = c->reap_by_ns = 0;
    c->stopping = c->killed = c->dead = c->socket_closed = false;
    c->n_tasks = c->n_answered = c->n_failures = c->stage = c->step = 0;
    c->looked_ns = 0;
    c->text[0] = 0;
}

static bool reap(pr_child *c);

pr_status pr_child_start(pr_child *c, pr_error *err) {
    if (c->state != PR_CHILD_CREATED && c->state != PR_CHILD_GONE)
        return pr_fail(err, PR_ERR_BACKEND, "the prover child is already there");
    if (c->process.pid && !reap(c))
        return pr_fail(err, PR_ERR_BACKEND, "the prover child before (process %ld) still hangs in the kernel",
                       (long)c->process.pid);
    pr_child_oom oom = pr_child_oom_read(c->oom_root, getpid());
    int beat;
    pr_child_beat_clear(&c->beat);
    PR_TRY(pr_child_beat_create(&c->beat, &beat, err));
    pr_status status = pr_child_spawn(&c->process, c->program, (const char *const *)c->arguments, err);
    if (status == PR_OK) {
        begin(c);
        c->oom = oom;
        send_frame(c, &c->config, beat);
        if (c->has_manifest) send_manifest(c);
    }
    close(beat);
    return status;
}

pr_status pr_child_give_manifest(pr_child *c, const pr_child_manifest *m, pr_error *err) {
    pr_child_frame frame = {.type = PR_CHILD_FRAME_MANIFEST};
    pr_child_text *t = &frame.as.manifest;
    int fd = -1;
    if (c->state == PR_CHILD_BUSY || c->state == PR_CHILD_ENDING)
        return pr_fail(err, PR_ERR_BACKEND, "the prover child is busy");
    if (strlen(m->path) >= sizeof t->path || strlen(m->base_dir) >= sizeof t->base_dir ||
        m->text_size > PR_CHILD_MAX_TEXT)
        return pr_fail(err, PR_ERR_USAGE, "the manifest or its path is too long for a prover child");
    if (m->text_size) PR_TRY(pr_child_sealed_create(&fd, m->text, m->text_size, err));
    snprintf(t->path, sizeof t->path, "%s", m->path);
    snprintf(t->base_dir, sizeof t->base_dir, "%s", m->base_dir);
    t->size = m->text_size;
    t->digest = m->digest;
    t->run_digest = m->run_digest;
    t->generation = c->manifest.as.manifest.generation + 1;
    if (c->manifest_fd >= 0) close(c->manifest_fd);
    c->manifest_fd = fd;
    c->manifest = frame;
    c->has_manifest = true;
    if (c->state == PR_CHILD_STARTING || c->state == PR_CHILD_IDLE) send_manifest(c);
    return PR_OK;
}

void pr_child_begin_task(pr_child *c) {
    const uint64_t quiet_ms = c->n_tasks ? c->tasks[0].quiet_ms : 0;
    c->stage = c->step = 0;
    c->begun_ns = pr_clock_monotonic_ns();
    c->sign_by_ns = quiet_ms ? in_ms(quiet_ms) : 0;
    if (c->state == PR_CHILD_BUSY || c->state == PR_CHILD_IDLE) c->state = c->n_tasks ? PR_CHILD_BUSY : PR_CHILD_IDLE;
}

bool pr_child_takes_task(const pr_child *c) {
    return (c->state == PR_CHILD_IDLE || c->state == PR_CHILD_BUSY) && c->n_tasks < PR_CHILD_MOST_TASKS;
}

pr_status pr_child_submit(pr_child *c, const pr_child_task *task, pr_error *err) {
    pr_child_frame frame = {.type = PR_CHILD_FRAME_JOB};
    if (!pr_child_takes_task(c)) return pr_fail(err, PR_ERR_BACKEND, "the prover child takes no job now");
    PR_ASSERT(task->n_next <= PR_WORK_MOST_NEXT);
    frame.as.job = (pr_child_job){.job = task->job,
                                  .attempt = task->attempt,
                                  .cpu_only = task->cpu_only,
                                  .n_next = task->n_next,
                                  .failures = c->n_failures,
                                  .fault = task->fault};
    memcpy(frame.as.job.next, task->next, sizeof task->next);
    c->known[c->n_tasks] = c->n_failures;
    c->tasks[c->n_tasks++] = *task;
    if (c->n_tasks == 1) pr_child_begin_task(c);
    send_frame(c, &frame, -1);
    return PR_OK;
}

/* ---- its end ---- */

void pr_child_where(const pr_child *c, char *out, size_t size) {
    out[0] = 0;
    if (c->n_tasks)
        snprintf(out, size, " during %s of job %u, attempt %u, after %.1f s",
                 c->step ? pr_work_stage_name(c->stage) : "the start", c->tasks[0].job, c->tasks[0].attempt,
                 (double)(pr_clock_monotonic_ns() - c->begun_ns) / 1e9);
}

static void kill_group(const pr_child *c) {
    if (!c->process.pid) return;
    kill(-c->process.pid, SIGKILL); /* not reaped: the number is still this group's */
    kill(c->process.pid, SIGKILL);
}

void pr_child_end(pr_child *c, pr_child_cause cause, const char *format, ...) {
    char where[160];
    va_list args;
    if (c->killed) return;
    va_start(args, format);
    int n = vsnprintf(c->text, sizeof c->text, format, args);
    va_end(args);
    pr_child_where(c, where, sizeof where);
    if (n >= 0 && (size_t)n < sizeof c->text) snprintf(c->text + n, sizeof c->text - (size_t)n, "%s", where);
    c->cause = cause;
    c->killed = true;
    c->state = PR_CHILD_ENDING;
    c->reap_by_ns = in_ms(REAP_LIMIT_MS);
    kill_group(c);
}

void pr_child_kill(pr_child *c, const char *why) {
    if (c->state == PR_CHILD_CREATED || c->state == PR_CHILD_GONE) return;
    pr_child_end(c, PR_CHILD_KILLED, "killed: %s", why);
}

void pr_child_stop(pr_child *c, uint64_t grace_ms) {
    static const pr_child_frame stop = {.type = PR_CHILD_FRAME_STOP};
    if (c->state == PR_CHILD_CREATED || c->state == PR_CHILD_GONE || c->killed) return;
    if (grace_ms == 0) {
        pr_child_end(c, PR_CHILD_KILLED, "killed: stopped at once");
        return;
    }
    if (!c->stopping) send_frame(c, &stop, -1);
    if (c->killed) return;
    c->stopping = true;
    c->state = PR_CHILD_ENDING;
    c->ready_by_ns = 0;
    c->end_by_ns = in_ms(grace_ms);
}

/* Sees its death, kills what is left of its group while the number is still taken, and reaps it. */
static bool reap(pr_child *c) {
    siginfo_t info = {0};
    int r;
    do r = waitid(P_PID, (id_t)c->process.pid, &info, WEXITED | WNOHANG | WNOWAIT);
    while (r != 0 && errno == EINTR);
    if (r == 0 && info.si_pid == 0) return false;
    c->wait_status = UNKNOWN_STATUS; /* somebody else reaped it: SIGCHLD is ignored in this program */
    if (r == 0) {
        kill_group(c);
        while (waitpid(c->process.pid, &c->wait_status, 0) < 0 && errno == EINTR) {
        }
    }
    if (c->process.pidfd >= 0) close(c->process.pidfd);
    c->process.pidfd = -1;
    c->process.pid = 0;
    return true;
}

static void tell_exit(const pr_child *c, pr_child_event *event, const char *where) {
    event->code = WEXITSTATUS(c->wait_status);
    event->cause = c->stopping && event->code == 0 && !c->n_tasks ? PR_CHILD_STOPPED : PR_CHILD_EXITED;
    if (event->cause == PR_CHILD_STOPPED)
        snprintf(event->text, sizeof event->text, "stopped");
    else
        snprintf(event->text, sizeof event->text, "exited by itself with code %d%s", event->code, where);
}

static void tell_signal(const pr_child *c, pr_child_event *event, const char *where) {
    int number = event->code = WTERMSIG(c->wait_status);
    pr_child_oom now = pr_child_oom_read(c->oom_root, getpid());
    const char *name = sigdescr_np(number);
    bool memory = number == SIGKILL && (now.cgroup > c->oom.cgroup || now.machine > c->oom.machine);
    event->cause = memory ? PR_CHILD_OUT_OF_MEMORY : PR_CHILD_SIGNALLED;
    if (memory)
        snprintf(event->text, sizeof event->text, "killed by the kernel for want of memory%s%s",
                 now.cgroup > c->oom.cgroup ? " of its cgroup" : ", probably: the machine counted such a kill", where);
    else
        snprintf(event->text, sizeof event->text, "died of signal %d (%s)%s", number, name ? name : "unknown", where);
}

static void tell_end(pr_child *c, pr_child_event *event) {
    char where[160];
    pr_child_where(c, where, sizeof where);
    event->kind = PR_CHILD_ENDED;
    event->reaped = c->process.pid == 0;
    event->has_job = c->n_tasks > 0;
    if (c->n_tasks) {
        event->job = c->tasks[0].job;
        event->attempt = c->tasks[0].attempt;
        event->stage = c->stage;
        event->step = c->step;
        event->busy_ns = pr_clock_monotonic_ns() - c->begun_ns;
    }
    if (c->killed) {
        event->cause = c->cause;
        event->code = SIGKILL;
        snprintf(event->text, sizeof event->text, "%s", c->text);
    } else if (WIFSIGNALED(c->wait_status)) {
        tell_signal(c, event, where);
    } else {
        tell_exit(c, event, where);
    }
}

static void finish(pr_child *c, pr_child_event *event) {
    tell_end(c, event);
    if (c->process.socket >= 0) close(c->process.socket);
    c->process.socket = -1;
    c->n_tasks = 0;
    c->ready_by_ns = c->sign_by_ns = c->end_by_ns = c->reap_by_ns = 0;
    c->state = PR_CHILD_GONE;
}

/* With a supervisor that stood still (a suspended job, a machine without a turn for it) the child did, too: that time
 * does not count. */
static void forgive_stall(pr_child *c) {
    uint64_t *const limits[] = {&c->ready_by_ns, &c->sign_by_ns, &c->end_by_ns, &c->reap_by_ns};
    uint64_t now = pr_clock_monotonic_ns(), since = c->looked_ns;
    c->looked_ns = now;
    if (!since || now - since < STALL_NS) return;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (*limits[i] && *limits[i] < UINT64_MAX - (now - since)) *limits[i] += now - since;
}

static void watch_limits(pr_child *c) {
    if (c->socket_closed && !c->end_by_ns) c->end_by_ns = in_ms(CLOSED_LIMIT_MS);
    if (is_past(c->end_by_ns))
        pr_child_end(c, PR_CHILD_KILLED,
                     c->stopping ? "killed: it did not stop within its grace" : "killed: it closed its socket");
    if (is_past(c->ready_by_ns))
        pr_child_end(c, PR_CHILD_HUNG, "was not ready within %.1f s", (double)c->ready_limit_ms / 1e3);
    if (is_past(c->sign_by_ns))
        pr_child_end(c, PR_CHILD_HUNG, "showed no progress for %.1f s", (double)c->tasks[0].quiet_ms / 1e3);
}

pr_child_event_kind pr_child_poll(pr_child *c, pr_child_event *event) {
    memset(event, 0, sizeof *event);
    if (c->state == PR_CHILD_CREATED) return PR_CHILD_NONE;
    if (c->state == PR_CHILD_GONE) {
        if (c->process.pid) (void)reap(c);
        return PR_CHILD_NONE;
    }
    forgive_stall(c);
    if (pr_child_take_frame(c, event)) return event->kind;
    if (!c->dead && (c->dead = reap(c)) && pr_child_take_frame(c, event)) return event->kind; /* its last words */
    if (pr_child_take_pulse(c, event)) return event->kind;
    if (!c->dead) watch_limits(c);
    if (c->dead || is_past(c->reap_by_ns)) finish(c, event);
    return event->kind;
}

/* ---- for the caller's loop ---- */

size_t pr_child_fds(const pr_child *c, struct pollfd fds[PR_CHILD_MAX_FDS]) {
    size_t n = 0;
    if (c->process.socket >= 0 && !c->killed && !c->socket_closed)
        fds[n++] = (struct pollfd){.fd = c->process.socket, .events = POLLIN};
    if (c->process.pidfd >= 0) fds[n++] = (struct pollfd){.fd = c->process.pidfd, .events = POLLIN};
    return n;
}

int pr_child_timeout_ms(const pr_child *c) {
    const uint64_t limits[] = {c->ready_by_ns, c->sign_by_ns, c->end_by_ns, c->reap_by_ns};
    uint64_t now = pr_clock_monotonic_ns(), first = UINT64_MAX;
    if (c->dead && c->state != PR_CHILD_GONE) return 0;
    /* without a descriptor for its death somebody has to look */
    if (c->process.pid && c->process.pidfd < 0 && (c->killed || c->socket_closed || c->state == PR_CHILD_GONE))
        first = now + 10000000u;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (limits[i] && limits[i] < first) first = limits[i];
    if (first == UINT64_MAX) return -1;
    if (first <= now) return 0;
    uint64_t ms = (first - now) / 1000000u + 1;
    return ms > LOOK_MS ? LOOK_MS : (int)ms;
}

pr_child_state pr_child_get_state(const pr_child *c) { return c->state; }
pid_t pr_child_pid(const pr_child *c) { return c->process.pid; }
uint32_t pr_child_starts(const pr_child *c) { return c->starts; }

void pr_child_destroy(pr_child *c) {
    if (!c) return;
    kill_group(c);
    for (unsigned i = 0; c->process.pid && !reap(c) && i < 1000; i++) usleep(5000);
    if (c->process.socket >= 0) close(c->process.socket);
    if (c->process.pidfd >= 0) close(c->process.pidfd);
    if (c->manifest_fd >= 0) close(c->manifest_fd);
    pr_child_beat_clear(&c->beat);
    for (size_t i = 0; c->arguments && i < c->n_arguments; i++) free(c->arguments[i]);
    free(c->arguments);
    free(c->program);
    free(c);
}
