#include "base/log.h"
#include "base/bytes.h"
#include "base/clock.h"
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct { _Atomic int format, lowest, rank; } settings = {PR_LOG_TEXT, PR_LOG_INFO, -1};
static _Thread_local uint64_t trace;

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void pr_log_init(pr_log_format format, pr_log_level lowest, int rank) {
    atomic_store(&settings.format, (int)format);
    atomic_store(&settings.lowest, (int)lowest);
    atomic_store(&settings.rank, rank);
}

void pr_log_set_trace(uint64_t trace_id) { trace = trace_id; }

static void write_json(pr_writer *w, const char *when, const char *level, const char *module, const char *message) {
    int rank = atomic_load(&settings.rank);
    pr_write_format(w, "{\"time\":\"%s\",\"level\":\"%s\",\"module\":", when, level);
    pr_write_json_text(w, module);
    if (rank >= 0) pr_write_format(w, ",\"rank\":%d", rank);
    if (trace) pr_write_format(w, ",\"trace\":\"%016llx\"", (unsigned long long)trace);
    pr_write_format(w, ",\"message\":");
    pr_write_json_text(w, message);
    pr_write_format(w, "}\n");
}

static void write_text(pr_writer *w, const char *when, const char *level, const char *module, const char *message) {
    int rank = atomic_load(&settings.rank);
    pr_write_format(w, "%s %-5s ", when, level);
    if (rank >= 0) pr_write_format(w, "[%d] ", rank);
    pr_write_format(w, "%s: ", module);
    for (; *message; message++) pr_write_u8(w, (unsigned char)*message < ' ' ? ' ' : (uint8_t)*message);
    if (trace) pr_write_format(w, " (trace %016llx)", (unsigned long long)trace);
    pr_write_u8(w, '\n');
}

/* One write a line, so that lines of processes on one terminal or pipe do not mix. */
static void emit(const pr_writer *w) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    for (size_t at = 0; at < w->size;) {
        ssize_t n = write(STDERR_FILENO, w->data + at, w->size - at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break; /* nowhere to complain */
        at += (size_t)n;
    }
    pthread_mutex_unlock(&lock);
}

void pr_log(pr_log_level level, const char *module, const char *format, ...) {
    if ((int)level < atomic_load(&settings.lowest)) return;
    char when[32], message[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    pr_clock_iso8601(when, pr_clock_wall_ns());
    pr_writer w;
    pr_writer_init(&w);
    if (atomic_load(&settings.format) == PR_LOG_JSON)
        write_json(&w, when, level_names[level], module, message);
    else
        write_text(&w, when, level_names[level], module, message);
    emit(&w);
    pr_writer_clear(&w);
}
