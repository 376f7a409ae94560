#include "cluster/watch.h"
#include "base/clock.h"
#include "cluster/coordinator.h"
#include "cluster/signals.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PR_SETTLE_NS ((uint64_t)2 * 1000000000u)
#define PR_SCAN_NS ((uint64_t)500 * 1000000u)
#define PR_MAX_WATCHED 256u /* files that are looked at while they settle */

bool pr_watch_is_settled(pr_watch_state *s, uint64_t size, uint64_t changed_ns, uint64_t now_ns) {
    bool same = s->seen_ns && s->size == size && s->changed_ns == changed_ns;
    if (!same) *s = (pr_watch_state){size, changed_ns, now_ns};
    return same && now_ns - s->seen_ns >= PR_SETTLE_NS;
}

typedef struct watched {
    char name[256];
    pr_watch_state state;
} watched;

typedef struct watch {
    pr_leader *l;
    const pr_run_options *o;
    watched files[PR_MAX_WATCHED];
    size_t n_files;
    int exit_code;
    char status_path[1400], manifest[1300];
} watch;

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
}

static bool is_manifest(const char *name) {
    return name[0] != '.' && strlen(name) < 200 && (ends_with(name, ".yaml") || ends_with(name, ".yml"));
}

static void path_of(char *out, size_t size, const watch *w, const char *name, const char *end) {
    snprintf(out, size, "%s/%s%s", w->o->watch_dir, name, end);
}

/* Wants work: no answer is there, or one that says it was not finished (then: the run to go on with). */
static bool is_open(const watch *w, const char *name, char *results, size_t size) {
    char path[1400];
    path_of(path, sizeof path, w, name, ".status.json");
    results[0] = 0;
    return access(path, F_OK) != 0 || pr_status_file_was_running(path, results, size);
}

static watched *find(watch *w, const char *name) {
    for (size_t i = 0; i < w->n_files; i++)
        if (strcmp(w->files[i].name, name) == 0) return &w->files[i];
    if (w->n_files == PR_MAX_WATCHED) return NULL; /* its turn comes */
    watched *f = &w->files[w->n_files++];
    memset(f, 0, sizeof *f);
    snprintf(f->name, sizeof f->name, "%s", name);
    return f;
}

static void forget(watch *w, const char *name) {
    for (size_t i = 0; i < w->n_files; i++)
        if (strcmp(w->files[i].name, name) == 0) w->files[i] = w->files[--w->n_files];
}

/* Its last change is long ago, as after a rename from elsewhere, or it was watched for long enough. */
static bool is_settled(watch *w, const char *name, const struct stat *st) {
    uint64_t changed = (uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec;
    uint64_t wall = pr_clock_wall_ns();
    watched *f = find(w, name);
    if (wall > changed && wall - changed > 2 * PR_SETTLE_NS) return true;
    return f && pr_watch_is_settled(&f->state, (uint64_t)st->st_size, changed, pr_clock_monotonic_ns());
}

/* The manifest that has waited longest; *name "" when there is none. */
static pr_status choose(watch *w, char *name, size_t size, char *results, size_t results_size, pr_error *err) {
    char path[1400], its[1024];
    struct stat st;
    struct timespec oldest = {0};
    DIR *d = opendir(w->o->watch_dir);
    name[0] = 0;
    if (!d) return pr_fail(err, PR_ERR_USAGE, "--watch: %s: %s", w->o->watch_dir, strerror(errno));
    for (struct dirent *e; (e = readdir(d));) {
        if (!is_manifest(e->d_name) || !is_open(w, e->d_name, its, sizeof its)) continue;
        path_of(path, sizeof path, w, e->d_name, "");
        if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || !is_settled(w, e->d_name, &st)) continue;
        bool older = st.st_mtim.tv_sec < oldest.tv_sec ||
                     (st.st_mtim.tv_sec == oldest.tv_sec && st.st_mtim.tv_nsec < oldest.tv_nsec);
        if (name[0] && !older && !(st.st_mtim.tv_sec == oldest.tv_sec && strcmp(e->d_name, name) < 0)) continue;
        oldest = st.st_mtim;
        snprintf(name, size, "%s", e->d_name);
        snprintf(results, results_size, "%s", its);
    }
    closedir(d);
    return PR_OK;
}

static void tell(watch *w, const pr_run_report *report) {
    pr_error e = {0};
    if (pr_status_file_write(w->status_path, report, w->manifest, &e) != PR_OK)
        pr_log(PR_LOG_ERROR, "watch", "%s", e.text);
}

static void on_begun(void *context, const pr_run_report *report) {
    pr_run_report r = *report;
    r.exit_code = -1;
    tell(context, &r);
}

/* Disk and MPI errors end the watch; a manifest's own mistakes do not. */
static pr_status run_one(watch *w, const char *name, const char *results, pr_error *err) {
    pr_run_options o = *w->o;
    pr_run_report report;
    path_of(w->manifest, sizeof w->manifest, w, name, "");
    path_of(w->status_path, sizeof w->status_path, w, name, ".status.json");
    o.manifest_path = w->manifest;
    o.resume = results[0] && access(results, F_OK) == 0 ? results : NULL;
    pr_log(PR_LOG_INFO, "watch", "%s %s", o.resume ? "going on with" : "taking up", w->manifest);
    pr_status status = pr_coordinator_run(&report, w->l, &o, on_begun, w, err);
    if (status != PR_OK) {
        report.exit_code = pr_status_exit_code(status);
        if (report.status[0] == 'r') report.status = "refused";
        snprintf(report.reason, sizeof report.reason, "%s", err->text);
    }
    tell(w, &report);
    if (report.results[0]) printf("%s\n", report.results);
    fflush(stdout);
    if (report.exit_code > w->exit_code) w->exit_code = report.exit_code;
    forget(w, name);
    bool is_fatal = status == PR_ERR_IO || status == PR_ERR_MPI || status == PR_ERR_INTERNAL || status == PR_ERR_MEMORY;
    if (!is_fatal && status != PR_OK) pr_log(PR_LOG_ERROR, "watch", "%s: %s", w->manifest, err->text);
    return is_fatal ? status : PR_OK;
}

static pr_status watch_on(watch *w, pr_error *err) {
    char name[256], results[1024];
    uint64_t scanned = 0;
    while (pr_signals_asked() == PR_ASK_NONE) {
        PR_TRY(pr_leader_idle(w->l, err));
        if (pr_clock_monotonic_ns() - scanned < PR_SCAN_NS) continue;
        PR_TRY(choose(w, name, sizeof name, results, sizeof results, err));
        if (name[0])
            PR_TRY(run_one(w, name, results, err));
        else
            scanned = pr_clock_monotonic_ns();
    }
    return PR_OK;
}

pr_status pr_watch_run(int *exit_code, pr_leader *l, const pr_run_options *o, pr_error *err) {
    watch *w = calloc(1, sizeof *w);
    if (!w) return pr_fail(err, PR_ERR_MEMORY, "out of memory for --watch");
    w->l = l;
    w->o = o;
    pr_log(PR_LOG_INFO, "watch", "waiting for manifests in %s", o->watch_dir);
    pr_status status = watch_on(w, err);
    *exit_code = w->exit_code;
    free(w);
    return status;
}
