/* What a person sees of a run, on standard error: a line that renews itself on a terminal, plain lines otherwise, log
 * lines when logs are JSON; at the end a table. */
#ifndef PR_CLUSTER_PROGRESS_H
#define PR_CLUSTER_PROGRESS_H
#include "base/log.h"
#include "store/record.h"

typedef struct pr_progress {
    pr_log_format log;
    bool terminal, line_is_open;
    size_t n_jobs, n_ended, n_running, n_failed, n_insecure, n_resumed; /* resumed: ended before */
    uint64_t started_ns, shown_ns;                                      /* monotonic */
    /* The rate is taken since rate_ns, a window ago; since_ns is the window's end, and the next rate_ns. */
    double rate; /* jobs a second; 0: none has ended */
    size_t rate_ended, since_ended;
    uint64_t rate_ns, since_ns;
    pr_job_row *rows; /* of this session, for the table: the first ones, and failures, within bounds; owned */
    size_t n_rows, capacity, n_good_rows, n_left_out;
} pr_progress;

void pr_progress_init(pr_progress *p, pr_log_format log, size_t n_jobs, size_t n_ended_before, size_t n_failed_before);
void pr_progress_clear(pr_progress *p);
void pr_progress_job(pr_progress *p, const pr_job_row *row); /* a job ended and its row is on the disk */
void pr_progress_retry(pr_progress *p, const char *id, uint32_t attempt, const char *reason, const char *what);
/* Often; it shows what is due. left_s: an estimate of the time to the end; 0: none. */
void pr_progress_tick(pr_progress *p, size_t n_running, double left_s);
void pr_progress_note(pr_progress *p, pr_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void pr_progress_summary(pr_progress *p, const char *status, size_t n_failed);
#endif
