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

/* Whether an answer is about the job that the child has at hand. */
static bool is_current(pr_child *c, uint32_t job, uint32_t attempt) {
    if (c->n_tasks && c->tasks[0].job == job && c->tasks[0].attempt == attempt) return true;
    pr_child_end(c, PR_CHILD_BROKE_PROTOCOL, "sent an answer for job %u, attempt %u, which it does not have", job,
                 attempt);
    return false;
}

static void fill_task(const pr_child *c, pr_child_event *event) {
    event->has_job = true;
    event->job = c->tasks[0].job;
    event->attempt = c->tasks[0].attempt;
    event->stage = c->stage;
    event->step = c->step;
    event->busy_ns = pr_clock_monotonic_ns() - c->begun_ns;
}

/* Any change is a sign of life, whatever it says. */
bool pr_child_take_pulse(pr_child *c, pr_child_event *event) {
    if (!c->n_tasks || c->killed) return false;
    const pr_child_pulse p = pr_child_beat_read(&c->beat);
    if (p.task != c->n_answered % PR_CHILD_PULSE_TASKS || p.step == c->step) return false;
    c->stage = p.stage;
    c->step = p.step;
    if (c->tasks[0].quiet_ms) c->sign_by_ns = pr_clock_monotonic_ns() + c->tasks[0].quiet_ms * 1000000u;
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

/* A proof comes with success, and with nothing else. Not begun is what a failure came before. */
static bool is_consistent(const pr_child *c, const pr_child_answer *a, const pr_record *record) {
    if (a->status == PR_ERR_INTERRUPTED && c->known[0] == c->n_failures) return false;
    if (a->status != PR_OK) return record->row.proof_compressed_bytes == 0;
    return a->size > 0 && record->row.state == PR_STATE_SELF_VERIFIED && record->row.proof_compressed_bytes > 0;
}

/* The task at hand has its answer. */
static void take_off(pr_child *c, bool failed) {
    c->n_failures += failed;
    c->n_answered++;
    c->n_tasks--;
    memmove(c->tasks, c->tasks + 1, c->n_tasks * sizeof *c->tasks);
    memmove(c->known, c->known + 1, c->n_tasks * sizeof *c->known);
    pr_child_begin_task(c);
}

static pr_child_event_kind kind_of(pr_status status) {
    return status == PR_OK ? PR_CHILD_PROVED : status == PR_ERR_INTERRUPTED ? PR_CHILD_UNBEGUN : PR_CHILD_FAILED;
}

static bool take_answer(pr_child *c, const pr_child_answer *a, int fd, pr_child_event *event) {
    pr_error e = {0};
    if (!is_current(c, a->job, a->attempt)) return false;
    if (a->size > 0 && read_record(&event->record, fd, (size_t)a->size, &e) != PR_OK) {
        pr_child_end(c, PR_CHILD_BROKE_PROTOCOL, "sent an answer that cannot be read: %s", e.text);
        return false;
    }
    if (!is_consistent(c, a, &event->record)) {
        pr_record_clear(&event->record);
        pr_child_end(c, PR_CHILD_BROKE_PROTOCOL, "sent an answer that contradicts itself");
        return false;
    }
    event->kind = kind_of((pr_status)a->status);
    event->status = (pr_status)a->status;
    snprintf(event->text, sizeof event->text, "%s", a->text);
    c->stage = a->stage;
    c->step = a->step;
    fill_task(c, event);
    take_off(c, event->kind == PR_CHILD_FAILED);
    return true;
}

static bool take(pr_child *c, const pr_child_frame *f, int fd, pr_child_event *event) {
    switch (f->type) {
    case PR_CHILD_FRAME_READY:
        return take_ready(c, &f->as.ready, event);
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
