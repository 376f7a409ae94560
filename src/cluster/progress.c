#include "cluster/progress.h"
#include "base/clock.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PR_TICK_NS 200000000u
#define PR_TABLE_ROWS 40 /* of a summary; failures are always shown */

void pr_progress_init(pr_progress *p, pr_log_format log, size_t n_jobs, size_t n_resumed) {
    memset(p, 0, sizeof *p);
    p->log = log;
    p->terminal = log == PR_LOG_TEXT && isatty(STDERR_FILENO);
    p->n_jobs = n_jobs;
    p->n_ended = p->n_resumed = n_resumed;
    p->started_ns = pr_clock_monotonic_ns();
}

void pr_progress_clear(pr_progress *p) { free(p->rows); }

static void close_line(pr_progress *p) {
    if (p->line_is_open) fputs("\r\033[K", stderr);
    p->line_is_open = false;
}

static void keep_row(pr_progress *p, const pr_job_row *row) {
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
    if (!p->terminal || !good || p->n_jobs <= PR_TABLE_ROWS)
        fprintf(stderr, "[%zu/%zu] %s\n", p->n_ended, p->n_jobs, text);
}

void pr_progress_retry(pr_progress *p, const char *id, uint32_t attempt, const char *reason) {
    pr_progress_note(p, PR_LOG_WARN, "%s: attempt %u failed (%s); it is tried again", id, attempt, reason);
}

void pr_progress_tick(pr_progress *p, size_t n_running) {
    uint64_t now = pr_clock_monotonic_ns();
    p->n_running = n_running;
    if (!p->terminal || now - p->shown_ns < PR_TICK_NS) return;
    p->shown_ns = now;
    fprintf(stderr, "\r\033[K%zu of %zu done, %zu running, %zu failed, %.0f s", p->n_ended, p->n_jobs, n_running,
            p->n_failed, (double)(now - p->started_ns) / 1e9);
    fflush(stderr);
    p->line_is_open = true;
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
    size_t shown = 0, left_out = 0;
    fprintf(stderr, "\n%-24s %-13s %5s %4s %9s %9s %9s %6s %6s\n", "id", "outcome", "log n", "rank", "prove ms",
            "verify ms", "KiB", "conj.", "proven");
    for (size_t i = 0; i < p->n_rows; i++) {
        if (pr_outcome_is_done(p->rows[i].outcome) && shown >= PR_TABLE_ROWS) {
            left_out++;
            continue;
        }
        print_row(&p->rows[i]);
        shown++;
    }
    if (left_out) fprintf(stderr, "and %zu more (`proverun show` prints all)\n", left_out);
    fputc('\n', stderr);
}

void pr_progress_summary(pr_progress *p, const char *status) {
    double seconds = (double)(pr_clock_monotonic_ns() - p->started_ns) / 1e9;
    close_line(p);
    if (p->log == PR_LOG_TEXT && p->n_rows) print_table(p);
    pr_progress_note(p, PR_LOG_INFO, "%s: %zu of %zu jobs done (%zu of them before), %zu failed, %.1f s", status,
                     p->n_ended - p->n_failed, p->n_jobs, p->n_resumed, p->n_failed, seconds);
    if (p->n_insecure)
        pr_progress_note(p, PR_LOG_WARN, "%zu results have insecure parameters (less than 96 bits)", p->n_insecure);
}
