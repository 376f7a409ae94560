/* What a child sends, checked against what it may send now. */
#include "base/clock.h"
#include "child/internal.h"
#include "work/work.h"
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_IGNORED 64 /* frames at once: a child that floods its supervisor must not hold it up */

static bool take_ready(pr_child *c, const pr_child_ready *r, pr_child_event *event) {
    uint32_t current = c->has_manifest ? c->manifest.as.manifest.generation : 0;
    if (c->state == PR_CHILD_ENDING || r->generation < current) return false; /* of a manifest before */
    if (r->generation > current || c->state != PR_CHILD_STARTING) {
        pr_child_end(c, PR_CHILD_BROKE_PROTOCOL, "said ready for a manifest that it was not given");
        return false;
    }
    c->ready_by_ns = 0;
    event->kind = r->status == PR_OK ? PR_CHILD_READY : PR_CHILD_UNREADY;
    event->n_jobs = r->n_jobs;
    event->status = (pr_status)r->status;
    snprintf(event->text, sizeof event->text, "%s", r->text);
    if (r->status == PR_OK) c->state = PR_CHILD_IDLE;
    return true;
}

/* Whether an answer or a sign of progress is about the job that the child has. */
static bool is_current(pr_child *c, const char *what, uint32_t job, uint32_t attempt) {
    if (c->has_task && c->task.job == job && c->task.attempt == attempt) return true;
    pr_child_end(c, PR_CHILD_BROKE_PROTOCOL, "sent %s for job %u, attempt %u, which it does not have", what, job,
                 attempt);
    return false;
}

static void fill_task(const pr_child *c, pr_child_event *event) {
    event->has_job = true;
    event->job = c->task.job;
    event->attempt = c->task.attempt;
    event->stage = c->stage;
    event->step = c->step;
    event->busy_ns = pr_clock_monotonic_ns() - c->submitted_ns;
}

static bool take_progress(pr_child *c, const pr_child_progress *p, pr_child_event *event) {
    if (!is_current(c, "progress", p->job, p->attempt)) return false;
    if (p->step <= c->step) {
        pr_child_end(c, PR_CHILD_BROKE_PROTOCOL, "sent progress that goes backwards");
        return false;
    }
    c->stage = p->stage;
    c->step = p->step;
    if (c->task.quiet_ms) c->sign_by_ns = pr_clock_monotonic_ns() + c->task.quiet_ms * 1000000u;
    event->kind = PR_CHILD_PROGRESS;
    fill_task(c, event);
    return true;
}

static pr_status read_record(pr_record *record, int fd, size_t size, pr_error *err) {
    const uint8_t *data;
    PR_TRY(pr_child_sealed_map(&data, fd, size, err));
    pr_status status = pr_record_decode(record, data, size, err);
    munmap((void *)(uintptr_t)data, size);
    return status;
}

/* A proof comes with success, and with nothing else. */
static bool is_consistent(const pr_child_answer *a, const pr_record *record) {
    if (a->status != PR_OK) return record->row.proof_compressed_bytes == 0;
    return a->size > 0 && record->row.state == PR_STATE_SELF_VERIFIED && record->row.proof_compressed_bytes > 0;
}

static bool take_answer(pr_child *c, const pr_child_answer *a, int fd, pr_child_event *event) {
    pr_error e = {0};
    if (!is_current(c, "an answer", a->job, a->attempt)) return false;
    if (a->size > 0 && read_record(&event->record, fd, (size_t)a->size, &e) != PR_OK) {
        pr_child_end(c, PR_CHILD_BROKE_PROTOCOL, "sent an answer that cannot be read: %s", e.text);
        return false;
    }
    if (!is_consistent(a, &event->record)) {
        pr_record_clear(&event->record);
        pr_child_end(c, PR_CHILD_BROKE_PROTOCOL, "sent an answer that contradicts itself");
        return false;
    }
    event->kind = a->status == PR_OK ? PR_CHILD_PROVED : PR_CHILD_FAILED;
    event->status = (pr_status)a->status;
    snprintf(event->text, sizeof event->text, "%s", a->text);
    fill_task(c, event);
    c->has_task = false;
    c->sign_by_ns = 0;
    if (c->state == PR_CHILD_BUSY) c->state = PR_CHILD_IDLE;
    return true;
}

static bool take(pr_child *c, const pr_child_frame *f, int fd, pr_child_event *event) {
    switch (f->type) {
    case PR_CHILD_FRAME_READY:
        return take_ready(c, &f->as.ready, event);
    case PR_CHILD_FRAME_PROGRESS:
        return take_progress(c, &f->as.progress, event);
    case PR_CHILD_FRAME_ANSWER:
        return take_answer(c, &f->as.answer, fd, event);
    default:
        pr_child_end(c, PR_CHILD_BROKE_PROTOCOL, "sent a %s frame", pr_child_frame_name(f->type));
        return false;
    }
}

typedef enum taken { REPORTED, IGNORED, NOTHING } taken;

static taken take_one(pr_child *c, pr_child_event *event) {
    pr_child_frame frame;
    pr_error e = {0};
    int fd = -1;
    if (c->killed || c->socket_closed) return NOTHING;
    switch (pr_child_link_receive(c->process.socket, &frame, &fd, PR_CHILD_DONT_WAIT, &e)) {
    case PR_CHILD_LINK_DONE:
        break;
    case PR_CHILD_LINK_WOULD_WAIT:
        return NOTHING;
    case PR_CHILD_LINK_CLOSED:
        c->socket_closed = true;
        return NOTHING;
    case PR_CHILD_LINK_BROKEN:
        pr_child_end(c, PR_CHILD_BROKE_PROTOCOL, "sent %s", e.text);
        return NOTHING;
    }
    bool reported = take(c, &frame, fd, event);
    if (fd >= 0) close(fd);
    return reported ? REPORTED : IGNORED;
}

bool pr_child_take_frame(pr_child *c, pr_child_event *event) {
    taken t = IGNORED;
    for (unsigned i = 0; i < MAX_IGNORED && t == IGNORED; i++) t = take_one(c, event);
    return t == REPORTED;
}
