#include "cluster/progress.h"
#include "base/clock.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PR_TICK_NS 200000000u
#define PR_TABLE_ROWS 40 /* of a summary */
#define PR_MAX_FAILURES 1000
/* A window has this long and so many ends at least; a rate is taken over the last one, and what came since. */
#define PR_RATE_NS 10000000000u
#define PR_RATE_JOBS 16u
#define PR_LINE_NS ((uint64_t)60 * 1000000000u) /* between lines of progress that is not shown job by job */
#define PR_EACH_JOB 2000                        /* a larger batch is not told job by job */

void pr_progress_init(pr_progress *p, pr_log_format log, size_t n_jobs, size_t n_ended_before, size_t n_failed_before) {
    memset(p, 0, sizeof *p);
    p->log = log;
    p->terminal = log == PR_LOG_TEXT && isatty(STDERR_FILENO);
    p->n_jobs = n_jobs;
    p->n_ended = p->n_resumed = p->rate_ended = p->since_ended = n_ended_before;
    p->n_failed = n_failed_before;
    p->started_ns = p->rate_ns = p->since_ns = pr_clock_monotonic_ns();
}

void pr_progress_clear(pr_progress *p) { free(p->rows); }

static void close_line(pr_progress *p) {
    if (p->line_is_open) fputs("\r\033[K", stderr);
    p->line_is_open = false;
}

/* A batch of a million jobs is not kept here: the first ones that went well, and some failures. */
static bool is_kept(pr_progress *p, const pr_job_row *row) {
    bool good = pr_outcome_is_done(row->outcome);
    if (good ? p->n_good_rows < PR_TABLE_ROWS : p->n_rows - p->n_good_rows < PR_MAX_FAILURES) {
        p->n_good_rows += good;
        return true;
    }
    p->n_left_out++;
    return false;
}

static void keep_row(pr_progress *p, const pr_job_row *row) {
    if (!is_kept(p, row)) return;
    if (p->n_rows == p->capacity) {
        size_t room = p->capacity ? 2 * p->capacity : 16;
        pr_job_row *grown = realloc(p->rows, room * sizeof *grown);
        if (!grown) return; /* the table lacks it, the file does not */
        p->rows = grown;
        p->capacity = room;
    }
    p->rows[p->n_rows++] = *row;
}

static void describe(char *out, size_t size, const pr_job_row *row) {
    if (pr_outcome_is_done(row->outcome))
        snprintf(out, size, "%s %s: %s 2^%u rows, proven in %.1f ms, verified in %.1f ms, %.1f KiB%s%s", row->id,
                 pr_outcome_name(row->outcome), row->type, row->log_rows, row->prove_ms,
                 row->verifier_rank >= 0 ? row->verify_ms : row->self_verify_ms,
                 (double)row->proof_compressed_bytes / 1024, row->insecure ? ", insecure parameters" : "",
                 row->flagged_large ? ", too large for on-chain submission" : "");
    else
        snprintf(out, size, "%s %s: %s", row->id, pr_outcome_name(row->outcome), row->reason);
}

void pr_progress_job(pr_progress *p, const pr_job_row *row) {
    char text[1024];
    bool good = pr_outcome_is_done(row->outcome);
    p->n_ended++;
    p->n_failed += !good;
    p->n_insecure += row->insecure && good;
    keep_row(p, row);
    describe(text, sizeof text, row);
    if (p->log == PR_LOG_JSON) {
        pr_log(good ? PR_LOG_INFO : PR_LOG_ERROR, "run", "%s", text);
        return;
    }
    close_line(p);
    if (!good || p->n_jobs <= (p->terminal ? PR_TABLE_ROWS : PR_EACH_JOB))
        fprintf(stderr, "[%zu/%zu] %s\n", p->n_ended, p->n_jobs, text);
}

void pr_progress_retry(pr_progress *p, const char *id, uint32_t attempt, const char *reason, const char *what) {
    pr_progress_note(p, PR_LOG_WARN, "%s: attempt %u failed (%s); %s", id, attempt, reason, what);
}

static void update_rate(pr_progress *p, uint64_t now) {
    if (now - p->since_ns >= PR_RATE_NS && p->n_ended - p->since_ended >= PR_RATE_JOBS) {
        p->rate_ns = p->since_ns;
        p->rate_ended = p->since_ended;
        p->since_ns = now;
        p->since_ended = p->n_ended;
    }
    p->rate = now > p->rate_ns ? (double)(p->n_ended - p->rate_ended) * 1e9 / (double)(now - p->rate_ns) : 0;
}

static void format_seconds(char *out, size_t size, double s) {
    if (s < 120)
        snprintf(out, size, "%.0f s", s);
    else if (s < 7200)
        snprintf(out, size, "%.0f min", s / 60);
    else
        snprintf(out, size, "%.1f h", s / 3600);
}

/* ", 3.2 jobs/s, 5 min to go, ends about 14:05"; before a job has ended the estimate alone. */
static void describe_pace(char *out, size_t size, const pr_progress *p, double left_s) {
    char left[32], clock[16], rate[32] = "";
    out[0] = 0;
    if (p->rate > 0) {
        double by_rate = (double)(p->n_jobs - p->n_ended) / p->rate;
        if (left_s < by_rate) left_s = by_rate;
        snprintf(rate, sizeof rate, ", %.3g jobs/s", p->rate);
    }
    if (left_s <= 0 || left_s > 1e8) return;
    time_t end = time(NULL) + (time_t)left_s;
    struct tm tm;
    localtime_r(&end, &tm);
    strftime(clock, sizeof clock, left_s < 72000 ? "%H:%M" : "%d %H:%M", &tm);
    format_seconds(left, sizeof left, left_s);
    snprintf(out, size, "%s, %s to go, ends about %s", rate, left, clock);
}

void pr_progress_tick(pr_progress *p, size_t n_running, double left_s) {
    char pace[112];
    uint64_t now = pr_clock_monotonic_ns();
    p->n_running = n_running;
    update_rate(p, now);
    if (now - p->shown_ns < (p->terminal ? PR_TICK_NS : PR_LINE_NS)) return;
    bool first = p->shown_ns == 0;
    p->shown_ns = now;
    describe_pace(pace, sizeof pace, p, left_s);
    if (p->terminal) {
        fprintf(stderr, "\r\033[K%zu of %zu done, %zu running, %zu failed, %.0f s%s", p->n_ended, p->n_jobs, n_running,
                p->n_failed, (double)(now - p->started_ns) / 1e9, pace);
        fflush(stderr);
        p->line_is_open = true;
    } else if (!first) {
        pr_progress_note(p, PR_LOG_INFO, "%zu of %zu done, %zu running, %zu failed, %.0f s%s", p->n_ended, p->n_jobs,
                         n_running, p->n_failed, (double)(now - p->started_ns) / 1e9, pace);
    }
}

void pr_progress_note(pr_progress *p, pr_log_level level, const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    close_line(p);
    if (p->log == PR_LOG_JSON)
        pr_log(level, "run", "%s", text);
    else
        fprintf(stderr, "proverun: %s%s\n", level >= PR_LOG_WARN ? "warning: " : "", text);
}

static void print_row(const pr_job_row *r) {
    if (!pr_outcome_is_done(r->outcome)) {
        fprintf(stderr, "%-24s %-13s %s\n", r->id, pr_outcome_name(r->outcome), r->reason);
        return;
    }
    fprintf(stderr, "%-24s %-13s %5u %4d %9.1f %9.1f %9.1f %6.0f %6.0f%s\n", r->id, pr_outcome_name(r->outcome),
            r->log_rows, r->prover_rank, r->prove_ms, r->verifier_rank >= 0 ? r->verify_ms : r->self_verify_ms,
            (double)r->proof_compressed_bytes / 1024, r->conjectured_bits, r->proven_bits,
            r->insecure ? "  insecure parameters" : "");
}

static void print_table(const pr_progress *p) {
    fprintf(stderr, "\n%-24s %-13s %5s %4s %9s %9s %9s %6s %6s\n", "id", "outcome", "log n", "rank", "prove ms",
            "verify ms", "KiB", "conj.", "proven");
    for (size_t i = 0; i < p->n_rows; i++) print_row(&p->rows[i]);
    if (p->n_left_out) fprintf(stderr, "and %zu more (`proverun show` prints all)\n", p->n_left_out);
    fputc('\n', stderr);
}

void pr_progress_summary(pr_progress *p, const char *status, size_t n_failed) {
    double seconds = (double)(pr_clock_monotonic_ns() - p->started_ns) / 1e9;
    close_line(p);
    if (p->log == PR_LOG_TEXT && p->n_rows) print_table(p);
    pr_progress_note(p, PR_LOG_INFO, "%s: %zu of %zu jobs done (%zu of them before), %zu failed, %.1f s, %.3g jobs/s",
                     status, p->n_ended - n_failed, p->n_jobs, p->n_resumed, n_failed, seconds,
                     seconds > 0 ? (double)(p->n_ended - p->n_resumed) / seconds : 0);
    if (p->n_insecure)
        pr_progress_note(p, PR_LOG_WARN, "%zu results have insecure parameters (less than 96 bits)", p->n_insecure);
}
