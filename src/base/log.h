/* Log lines on standard error: text for people or one JSON object a line. Thread safe. */
#ifndef PR_BASE_LOG_H
#define PR_BASE_LOG_H
#include <stdint.h>

typedef enum pr_log_level { PR_LOG_DEBUG, PR_LOG_INFO, PR_LOG_WARN, PR_LOG_ERROR } pr_log_level;
typedef enum pr_log_format { PR_LOG_TEXT, PR_LOG_JSON } pr_log_format;

void pr_log_init(pr_log_format format, pr_log_level lowest, int rank /* -1: none */);
void pr_log_set_trace(uint64_t trace_id); /* this thread's lines bear it; 0: none */
void pr_log(pr_log_level level, const char *module, const char *format, ...) __attribute__((format(printf, 3, 4)));
#endif
