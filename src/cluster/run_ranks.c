/* Ranks come and go: silence, loss, return; pings; what SIGUSR2 shows. */
#include "base/clock.h"
#include "cluster/leader.h"
#include "cluster/run.h"
#include <string.h>

#define PR_LOOK_NS 1000000000u
#define PR_STALL_NS ((uint64_t)3 * 1000000000u)
#define PR_NOTE_NS ((uint64_t)1000000000u) /* a rank */
#define PR_NOTE_MIN_NS ((uint64_t)10 * 1000000000u)
#define PR_NOTE_MAX_NS ((uint64_t)60 * 1000000000u)
#define PR_CLOCK_JUMP_NS ((int64_t)2 * 1000000000)

static void tell_change(pr_run *r, unsigned rank, const char *why) {
    const pr_member *m = &r->roll->members[rank];
    bool lost = m->state == PR_RANK_LOST;
    pr_run_event(r, lost ? PR_EVENT_RANK_LOST : PR_EVENT_RANK_SILENT, (int32_t)rank, PR_SCHEDULE_NO_JOB,
                 "rank %u on %s %s", rank, m->hello.host, why);
    pr_schedule_set_rank(r->schedule, pr_clock_monotonic_ns(), rank, m->state);
    if (!lost) return;
    r->quorum_lost |= !pr_run_has_quorum(r);
    pr_transport_forget(r->t, (int)rank);
}

static void look_for_the_gone(pr_run *r) {
    for (unsigned rank = 1; rank < r->roll->n; rank++)
        if (pr_leader_sees_gone(&r->roll->members[rank]) && pr_roll_lose(r->roll, rank))
            tell_change(r, rank, "is gone");
}

/* Whoever was removed, or was not there when the roster was made, gets no work: nobody would vote on it. */
static bool may_work(const pr_run *r, unsigned rank) {
    return !r->roll->members[rank].removed && r->roll->members[rank].ready_run == r->number;
}

void pr_run_heard(pr_run *r, unsigned rank) {
    if (!pr_roll_heard(r->roll, rank, pr_clock_monotonic_ns())) return;
    pr_transport_know(r->t, (int)rank);
    bool works = may_work(r, rank);
    pr_run_event(r, PR_EVENT_RANK_BACK, (int32_t)rank, PR_SCHEDULE_NO_JOB, "rank %u is back%s", rank,
                 works ? "" : ": it is no validator of this run and gets no work");
    if (works) pr_schedule_set_rank(r->schedule, pr_clock_monotonic_ns(), rank, PR_RANK_UP);
}

/* Who was lost and is there hears from rank 0 too: else it would end, for rank 0 would be silent. */
static bool is_pinged(pr_run *r, unsigned rank, uint64_t now) {
    const pr_member *m = &r->roll->members[rank];
    if (m->state != PR_RANK_LOST) return m->state == PR_RANK_UP;
    bool there = pr_roll_is_lost_and_there(r->roll, rank, now) && !pr_leader_sees_gone(m);
    if (there)
        pr_transport_know(r->t, (int)rank);
    else
        pr_transport_forget(r->t, (int)rank);
    return there;
}

static pr_status ping_all(pr_run *r, uint64_t now, pr_error *err) {
    const pr_wire m = {.type = PR_WIRE_PING};
    for (unsigned rank = 1; rank < r->roll->n; rank++)
        if (is_pinged(r, rank, now)) PR_TRY(pr_transport_send(r->t, (int)rank, &m, err));
    return PR_OK;
}

/* What a rank was given last counts, not its last ping, which is up to a second older; only the stage is from there. */
static void describe_work(pr_rank_row *row, const pr_run *r, unsigned rank) {
    const pr_member *m = &r->roll->members[rank];
    pr_task task = pr_schedule_rank_task(r->schedule, rank, PR_TASK_PROVE);
    row->state = PR_ACTIVITY_PROVING;
    if (task.kind == PR_TASK_NONE) {
        task = pr_schedule_rank_task(r->schedule, rank, PR_TASK_VERIFY);
        row->state = task.kind == PR_TASK_NONE ? PR_ACTIVITY_IDLE : PR_ACTIVITY_VERIFYING;
    }
    if (task.kind == PR_TASK_NONE) return;
    pr_row_set_text(row->id, sizeof row->id, r->manifest->jobs[task.job].id);
    if (m->ping.has_job && m->ping.task.run == r->number && m->ping.task.job == task.job)
        pr_row_set_text(row->stage, sizeof row->stage, m->ping.stage);
}

static pr_rank_row describe_rank(const pr_run *r, unsigned rank, uint64_t now) {
    const pr_member *m = &r->roll->members[rank];
    pr_rank_row row;
    memset(&row, 0, sizeof row);
    row.rank = (int32_t)rank;
    row.heard_ns = pr_clock_wall_ns() - (now - m->heard_ns);
    pr_row_set_text(row.host, sizeof row.host, m->hello.host);
    if (m->state == PR_RANK_SILENT)
        row.state = PR_ACTIVITY_SILENT;
    else if (m->state == PR_RANK_LOST)
        row.state = PR_ACTIVITY_LOST;
    else if (m->said_bye)
        row.state = PR_ACTIVITY_ENDED;
    else
        describe_work(&row, r, rank);
    return row;
}

/* For `proverun status`. Many ranks are noted less often: a row a second at most, but each once a minute. */
static void note_ranks(pr_run *r, uint64_t now) {
    uint64_t pause = PR_NOTE_NS * r->roll->n;
    if (pause < PR_NOTE_MIN_NS) pause = PR_NOTE_MIN_NS;
    if (pause > PR_NOTE_MAX_NS) pause = PR_NOTE_MAX_NS;
    if (r->noted_ns && now - r->noted_ns < pause) return;
    r->noted_ns = now;
    for (unsigned rank = 0; rank < r->roll->n; rank++) {
        pr_rank_row row = describe_rank(r, rank, now);
        pr_keeper_rank(r->keeper, &row);
    }
}

/* Times in rows come from the wall clock; when it jumps, the reader of the results should know. */
static void watch_clock(pr_run *r) {
    uint64_t before = pr_clock_monotonic_ns(), offset = pr_clock_wall_ns() - before;
    if (pr_clock_monotonic_ns() - before > (uint64_t)PR_CLOCK_JUMP_NS / 2)
        return; /* it stood still in between: the next look */
    int64_t jump = (int64_t)(offset - r->wall_offset_ns);
    if (r->wall_offset_ns && (jump > PR_CLOCK_JUMP_NS || jump < -PR_CLOCK_JUMP_NS))
        pr_run_event(r, PR_EVENT_CLOCK, 0, PR_SCHEDULE_NO_JOB, "the wall clock of rank 0 jumped by %.1f s",
                     (double)jump / 1e9);
    r->wall_offset_ns = offset;
}

static const char *why_changed(const pr_member *m) {
    if (m->refused) return "is out of reach: MPI refuses to send to it";
    return m->state == PR_RANK_LOST ? "has been silent for too long: it is lost" : "does not answer";
}

/* Rank 0 stood still itself: what the others have said meanwhile waits to be read. */
static void watch_stalls(pr_run *r, uint64_t now) {
    if (!r->pinged_ns || now - r->pinged_ns < PR_STALL_NS) return;
    pr_roll_forgive(r->roll, now);
    pr_run_event(r, PR_EVENT_NOTE, 0, PR_SCHEDULE_NO_JOB, "rank 0 stood still for %.1f s",
                 (double)(now - r->pinged_ns) / 1e9);
}

pr_status pr_run_watch_ranks(pr_run *r, pr_error *err) {
    unsigned rank;
    uint64_t now = pr_clock_monotonic_ns();
    watch_stalls(r, now);
    while (pr_roll_next(r->roll, now, &rank)) tell_change(r, rank, why_changed(&r->roll->members[rank]));
    if (now - r->pinged_ns < PR_LOOK_NS) return PR_OK;
    r->pinged_ns = now;
    look_for_the_gone(r);
    PR_TRY(pr_run_watch_votes(r, err));
    watch_clock(r);
    note_ranks(r, now);
    return ping_all(r, now, err);
}

void pr_run_status(pr_run *r) {
    uint64_t now = pr_clock_monotonic_ns();
    const pr_schedule *s = r->schedule;
    pr_progress_note(r->progress, PR_LOG_INFO,
                     "status: %zu done, %zu failed, %zu proving, %zu to be verified, %zu waiting, about %.0f s to go",
                     pr_schedule_count(s, PR_JOB_DONE), pr_schedule_count(s, PR_JOB_FAILED),
                     pr_schedule_count(s, PR_JOB_PROVING),
                     pr_schedule_count(s, PR_JOB_PROVEN) + pr_schedule_count(s, PR_JOB_VERIFYING),
                     pr_schedule_count(s, PR_JOB_QUEUED) + pr_schedule_count(s, PR_JOB_WAITING) +
                         pr_schedule_count(s, PR_JOB_BACKOFF),
                     (double)pr_schedule_remaining_ns(s) / 1e9);
    for (unsigned rank = 0; rank < r->roll->n; rank++) {
        pr_rank_row row = describe_rank(r, rank, now);
        pr_progress_note(r->progress, PR_LOG_INFO, "status: rank %u on %s: %s%s%s%s%s, heard %.1f s ago", rank,
                         row.host, pr_rank_activity_name(row.state), row.id[0] ? " " : "", row.id,
                         row.stage[0] ? ", " : "", row.stage, (double)(now - r->roll->members[rank].heard_ns) / 1e9);
    }
}
