#include "child/serve.h"
#include "base/log.h"
#include "child/beat.h"
#include "child/kept.h"
#include "child/link.h"
#include "work/line.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define EXIT_NOT_STARTED 2
#define EXIT_PROTOCOL 70
#define AHEAD_MS 2000 /* without a job: what was made ahead on a device is given back */
#define OOM_RAISE 500 /* of 1000: the kernel takes a prover before its supervisor */

typedef struct server {
    const pr_serve_options *o;
    pr_child_config config;
    bool has_config, has_manifest, stopped;
    pr_status backend_status;
    pr_error backend_error;
    const pr_backend *backend;
    pr_manifest manifest;
    pr_hash run_digest;
    pr_work_line *line;
    pr_child_kept kept;
    pr_child_job job;
    pr_child_beat beat;
    pr_child_pulse pulse; /* the last one */
    uint32_t n_jobs, n_failures;
} server;

/* ---- the process ---- */

bool pr_child_bind_life(pid_t supervisor) {
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == supervisor;
}

static bool is_supervised(void) {
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(PR_CHILD_SOCKET, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

/* What the supervisor's libraries left open: network, locks of files. */
static void close_foreign(void) {
    DIR *folder = opendir("/proc/self/fd");
    if (!folder) return;
    for (const struct dirent *e; (e = readdir(folder));) {
        int fd = atoi(e->d_name);
        if (fd > PR_CHILD_SOCKET && fd != dirfd(folder)) close(fd);
    }
    closedir(folder);
}

static void ignore_signals(void) {
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE};
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) signal(ignored[i], SIG_IGN);
}

static void write_proc(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    ssize_t n = write(fd, text, strlen(text));
    (void)n; /* where the kernel does not allow it, it is left as it is */
    close(fd);
}

static void raise_oom_score(void) {
    char text[16];
    int score = 0;
    FILE *f = fopen("/proc/self/oom_score_adj", "re");
    if (!f || fscanf(f, "%d", &score) != 1) score = 0;
    if (f) fclose(f);
    snprintf(text, sizeof text, "%d", score + OOM_RAISE > 1000 ? 1000 : score + OOM_RAISE);
    write_proc("/proc/self/oom_score_adj", text);
}

static void limit_memory(uint64_t bytes) {
    struct rlimit limit;
    if (bytes == 0 || getrlimit(RLIMIT_DATA, &limit) != 0) return;
    if (limit.rlim_max != RLIM_INFINITY && bytes > limit.rlim_max) bytes = limit.rlim_max;
    limit.rlim_cur = limit.rlim_max = bytes;
    if (setrlimit(RLIMIT_DATA, &limit) != 0) pr_log(PR_LOG_WARN, "child", "memory is not limited: %s", strerror(errno));
}

/* ---- frames ---- */

/* When the supervisor is gone there is nothing left to do. */
static bool say(const pr_child_frame *frame, int passed, pr_child_wait wait) {
    pr_error e = {0};
    switch (pr_child_link_send(PR_CHILD_SOCKET, frame, passed, wait, &e)) {
    case PR_CHILD_LINK_DONE:
    case PR_CHILD_LINK_WOULD_WAIT:
        return true;
    case PR_CHILD_LINK_CLOSED:
        _exit(0);
    case PR_CHILD_LINK_BROKEN:
        break;
    }
    pr_log(PR_LOG_ERROR, "child", "%s", e.text);
    return false;
}

static bool take_config(server *s, const pr_child_config *config, int fd) {
    pr_error e = {0};
    if (s->has_config || pr_child_beat_open(&s->beat, fd, &e) != PR_OK) return false;
    s->has_config = true;
    s->config = *config;
    pr_log_init((pr_log_format)config->log, PR_LOG_INFO, config->rank);
    limit_memory(config->memory_limit_bytes);
    s->backend_status = s->o->find_backend(&s->backend, config->backend, &s->backend_error);
    if (s->o->faults && s->o->faults->lacks_device && s->o->faults->lacks_device())
        s->backend_status = pr_fail(&s->backend_error, PR_ERR_BACKEND, "no device, as the test wants it");
    return true;
}

static pr_status parse(server *s, const pr_child_text *text, int fd, pr_error *err) {
    const uint8_t *data = (const uint8_t *)"";
    if (text->size) PR_TRY(pr_child_sealed_map(&data, fd, (size_t)text->size, err));
    pr_work_line_reset(s->line);
    if (s->has_manifest) pr_manifest_clear(&s->manifest);
    pr_status status = pr_manifest_parse(&s->manifest, (const char *)data, (size_t)text->size, text->path,
                                         text->base_dir, s->o->types, NULL, err);
    s->has_manifest = status == PR_OK;
    if (text->size) munmap((void *)(uintptr_t)data, (size_t)text->size);
    if (status != PR_OK) return status;
    s->run_digest = text->run_digest;
    if (pr_hash_equal(&s->manifest.digest, &text->digest)) return PR_OK;
    return pr_fail(err, PR_ERR_INTERNAL, "the manifest changed on its way to the prover child");
}

static bool take_manifest(server *s, const pr_child_text *text, int fd) {
    pr_child_frame answer = {.type = PR_CHILD_FRAME_READY};
    pr_error e = s->backend_error;
    pr_status status = s->backend_status == PR_ERR_BACKEND ? PR_OK : s->backend_status; /* the processor is there */
    if (!s->has_config) return false;
    if (status == PR_OK) status = parse(s, text, fd, &e);
    answer.as.ready.generation = text->generation;
    answer.as.ready.status = (uint32_t)status;
    answer.as.ready.n_jobs = status == PR_OK ? (uint32_t)s->manifest.n_jobs : 0;
    pr_row_set_text(answer.as.ready.text, sizeof answer.as.ready.text, e.text);
    return say(&answer, -1, PR_CHILD_WAIT);
}

/* ---- a job ---- */

static void tell_stage(void *context, uint32_t stage) {
    server *s = context;
    const pr_child_job *j = &s->job;
    if (stage >= PR_WORK_STAGE_PROVER) pr_child_kept_prove(&s->kept);
    s->pulse.stage = (uint8_t)stage;
    s->pulse.step++;
    pr_child_beat_write(&s->beat, s->pulse);
    if (s->o->faults && s->o->faults->stage) s->o->faults->stage(PR_CHILD_SOCKET, j->job, j->attempt, j->fault, stage);
}

static bool send_answer(server *s, pr_status status, const char *text, const pr_record *record) {
    pr_child_frame f = {.type = PR_CHILD_FRAME_ANSWER,
                        .as.answer = {.job = s->job.job,
                                      .attempt = s->job.attempt,
                                      .status = (uint32_t)status,
                                      .stage = s->pulse.stage,
                                      .step = s->pulse.step}};
    pr_writer bytes;
    pr_error e = {0};
    int fd = -1;
    pr_writer_init(&bytes);
    pr_record_encode(&bytes, record);
    pr_status shared = bytes.failed ? pr_fail(&e, PR_ERR_MEMORY, "out of memory for the record of a job")
                                    : pr_child_sealed_create(&fd, bytes.data, bytes.size, &e);
    if (shared == PR_OK) f.as.answer.size = bytes.size;
    if (shared != PR_OK && status == PR_OK) {
        f.as.answer.status = (uint32_t)shared;
        text = e.text;
    }
    pr_row_set_text(f.as.answer.text, sizeof f.as.answer.text, text);
    s->n_failures += f.as.answer.status != PR_OK;
    pr_writer_clear(&bytes);
    bool sent = say(&f, fd, PR_CHILD_WAIT);
    if (fd >= 0) close(fd);
    return sent;
}

/* What may be begun ahead. */
static size_t list_next(const pr_manifest_job **next, const server *s, const pr_child_job *job) {
    size_t n = 0;
    for (uint32_t k = 0; k < job->n_next && !job->cpu_only; k++) {
        const uint32_t j = job->next[k];
        bool is_new = j < s->manifest.n_jobs && j != job->job;
        for (size_t i = 0; i < n; i++) is_new &= next[i] != &s->manifest.jobs[j];
        if (is_new) next[n++] = &s->manifest.jobs[j];
    }
    return n;
}

/* Without a record: what becomes of it is for its supervisor to say. */
static bool refuse_job(server *s, pr_status status, const char *text) {
    pr_child_frame f = {.type = PR_CHILD_FRAME_ANSWER,
                        .as.answer = {.job = s->job.job, .attempt = s->job.attempt, .status = (uint32_t)status}};
    pr_row_set_text(f.as.answer.text, sizeof f.as.answer.text, text);
    s->n_failures += status != PR_ERR_INTERRUPTED; /* that one was not begun */
    return say(&f, -1, PR_CHILD_WAIT);
}

static bool prove_job(server *s, const pr_child_job *job) {
    const pr_work_watch watch = {tell_stage, s};
    const pr_child_faults *faults = s->o->faults;
    pr_record record;
    pr_error e = {0};
    pr_work work = {job->cpu_only ? s->o->cpu_backend : s->backend,
                    s->config.threads,
                    (size_t)s->config.max_bytes,
                    s->config.rank,
                    s->config.host,
                    &s->run_digest,
                    (size_t)s->config.max_device_bytes,
                    &s->kept.memory,
                    (size_t)s->config.share_bytes};
    pr_child_kept_begin(&s->kept);
    if (faults && faults->begin) faults->begin(PR_CHILD_SOCKET, job->job, job->attempt, job->fault);
    const pr_manifest_job *jobs = s->manifest.jobs, *next[PR_WORK_MOST_NEXT];
    size_t n_next = list_next(next, s, job);
    pr_status status = pr_work_prove_in_line(&record, s->line, &work, &jobs[job->job], next, n_next, &watch, &e);
    record.row.peak_rss_bytes = pr_child_kept_peak(&s->kept, record.row.peak_rss_bytes);
    pr_child_kept_end(&s->kept, status == PR_OK && !jobs[job->job].encrypt_to, "");
    if (faults && faults->answer) faults->answer(PR_CHILD_SOCKET, job->job, job->attempt, job->fault, &status, &record);
    bool sent = send_answer(s, status, e.text, &record);
    pr_record_clear(&record);
    return sent;
}

static bool take_job(server *s, const pr_child_job *job) {
    if (!s->has_manifest || job->job >= s->manifest.n_jobs) return false;
    s->job = *job;
    s->pulse = (pr_child_pulse){.task = s->n_jobs++};
    if (job->failures != s->n_failures) /* sent before its supervisor heard of a failure */
        return refuse_job(s, PR_ERR_INTERRUPTED, "");
    if (s->backend_status != PR_OK && !job->cpu_only) return refuse_job(s, s->backend_status, s->backend_error.text);
    return prove_job(s, job);
}

/* False: the supervisor broke the protocol. */
static bool handle(server *s, const pr_child_frame *f, int fd) {
    switch (f->type) {
    case PR_CHILD_FRAME_CONFIG:
        return take_config(s, &f->as.config, fd);
    case PR_CHILD_FRAME_MANIFEST:
        return take_manifest(s, &f->as.manifest, fd);
    case PR_CHILD_FRAME_JOB:
        return take_job(s, &f->as.job);
    case PR_CHILD_FRAME_STOP:
        s->stopped = true;
        return true;
    default:
        return false;
    }
}

/* The next job may go elsewhere, and memory with it. */
static void wait_for_frame(server *s) {
    struct pollfd socket = {PR_CHILD_SOCKET, POLLIN, 0};
    if (poll(&socket, 1, PR_CHILD_KEPT_MS) != 0) return;
    pr_child_kept_clear(&s->kept);
    if (poll(&socket, 1, AHEAD_MS - PR_CHILD_KEPT_MS) == 0) pr_work_line_reset(s->line);
}

static int serve(server *s) {
    while (!s->stopped) {
        wait_for_frame(s);
        pr_child_frame frame;
        pr_error e = {0};
        int fd = -1;
        pr_child_link_result result = pr_child_link_receive(PR_CHILD_SOCKET, &frame, &fd, PR_CHILD_WAIT, &e);
        if (result == PR_CHILD_LINK_CLOSED) return 0;
        if (result != PR_CHILD_LINK_DONE) {
            pr_log(PR_LOG_ERROR, "child", "from its supervisor: %s", e.text);
            return EXIT_PROTOCOL;
        }
        bool good = handle(s, &frame, fd);
        if (fd >= 0) close(fd);
        if (good) continue;
        pr_log(PR_LOG_ERROR, "child", "a %s frame that has no place here", pr_child_frame_name(frame.type));
        return EXIT_PROTOCOL;
    }
    return 0;
}

int pr_child_serve(pid_t supervisor, const pr_serve_options *options) {
    if (!is_supervised()) return EXIT_NOT_STARTED;
    if (!pr_child_bind_life(supervisor)) return 0;
    fcntl(PR_CHILD_SOCKET, F_SETFD, FD_CLOEXEC);
    close_foreign();
    ignore_signals();
    raise_oom_score();
    server *s = calloc(1, sizeof *s);
    if (!s) return EXIT_PROTOCOL;
    s->o = options;
    int code = pr_work_line_create(&s->line, NULL) == PR_OK ? serve(s) : EXIT_PROTOCOL;
    pr_work_line_destroy(s->line);
    pr_child_kept_clear(&s->kept);
    pr_child_beat_clear(&s->beat);
    if (s->has_manifest) pr_manifest_clear(&s->manifest);
    free(s);
    return code;
}
