#include "cluster/votelog.h"
#include "base/clock.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

typedef struct entry {
    struct entry *next;
    size_t size;
    uint8_t bytes[];
} entry;

struct pr_votelog {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int event;
    bool ends;    /* this and all below: under the mutex */
    bool hurries; /* the entries are to be written; never without any */
    entry *first, **last;
    uint64_t given, durable;
    pr_status status;
    pr_error err;
    pr_votelog_stats stats;
    pr_journal *journal; /* the thread's alone, once it runs */
};

/* ---- the thread ---- */

static void note_failure(pr_votelog *l, const pr_error *err) {
    if (l->status != PR_OK) return;
    l->status = err->status;
    l->err = *err;
    eventfd_write(l->event, 1);
}

/* What a group took; the thread's own until it is done. */
static pr_status append_all(pr_votelog *l, const entry *first, pr_votelog_stats *group, pr_error *err) {
    for (const entry *e = first; e; e = e->next) {
        const pr_frame frame = {.type = PR_FRAME_CONSENSUS, .rank = -1, .id = "", .payload = e->bytes, .size = e->size};
        uint64_t start = pr_clock_monotonic_ns();
        group->failed_appends = 1;
        PR_TRY(pr_journal_append(l->journal, &frame, err));
        group->failed_appends = 0;
        pr_histogram_observe(&group->append_times, pr_clock_monotonic_ns() - start);
    }
    return PR_OK;
}

static pr_status write_all(pr_votelog *l, const entry *first, pr_votelog_stats *group, pr_error *err) {
    PR_TRY(append_all(l, first, group, err));
    uint64_t start = pr_clock_monotonic_ns();
    group->failed_syncs = 1;
    PR_TRY(pr_journal_sync(l->journal, err));
    group->failed_syncs = 0;
    pr_histogram_observe(&group->sync_times, pr_clock_monotonic_ns() - start);
    return PR_OK;
}

static uint64_t drop(entry *first) {
    uint64_t n = 0;
    for (entry *next; first; first = next, n++) {
        next = first->next;
        free(first);
    }
    return n;
}

/* The mutex is held at both ends. */
static void write_group(pr_votelog *l) {
    pr_error err = {0};
    entry *first = l->first;
    l->first = NULL;
    l->last = &l->first;
    l->hurries = false;
    pthread_mutex_unlock(&l->mutex);
    pr_votelog_stats group = {0};
    pr_status status = write_all(l, first, &group, &err);
    uint64_t n = drop(first);
    pthread_mutex_lock(&l->mutex);
    pr_histogram_add(&l->stats.append_times, &group.append_times);
    pr_histogram_add(&l->stats.sync_times, &group.sync_times);
    l->stats.failed_appends += group.failed_appends;
    l->stats.failed_syncs += group.failed_syncs;
    if (status != PR_OK) {
        note_failure(l, &err);
        return;
    }
    l->durable += n;
    l->stats.records += n;
    eventfd_write(l->event, 1);
}

static void *live(void *context) {
    pr_votelog *l = context;
    prctl(PR_SET_NAME, "votes"); /* for who looks at processor time */
    pthread_mutex_lock(&l->mutex);
    for (;;) {
        if (l->first && (l->hurries || l->ends) && l->status == PR_OK)
            write_group(l);
        else if (l->ends)
            break;
        else
            pthread_cond_wait(&l->changed, &l->mutex);
    }
    pthread_mutex_unlock(&l->mutex);
    return NULL;
}

/* ---- opening ---- */

typedef struct visitor {
    pr_status (*visit)(void *context, const uint8_t *record, size_t size, pr_error *err);
    void *context;
} visitor;

static pr_status show(void *context, const pr_frame *f, pr_error *err) {
    const visitor *v = context;
    if (f->type != PR_FRAME_CONSENSUS)
        return pr_fail(err, PR_ERR_MALFORMED, "frame %llu (%s) is no record of a consensus",
                       (unsigned long long)f->sequence, pr_frame_type_name(f->type));
    return v->visit(v->context, f->payload, f->size, err);
}

/* A journal that was begun tells whose it is before it is written to. */
static pr_status check_run(const char *path, const char *run_id, pr_error *err) {
    pr_scan scan = {0};
    PR_TRY(pr_journal_scan(&scan, path, err));
    if (strcmp(scan.run_id, run_id) == 0) return PR_OK;
    return pr_fail(err, PR_ERR_MALFORMED, "%s: belongs to run %s, not to %s", path, scan.run_id, run_id);
}

static pr_status open_journal(pr_journal **out, const char *path, const char *run_id, visitor *v, pr_error *err) {
    PR_TRY(pr_file_make_folders_above(path, err));
    if (access(path, F_OK) != 0) return pr_journal_create(out, path, run_id, err);
    PR_TRY(check_run(path, run_id, err));
    return pr_journal_open(out, path, show, v, err);
}

static pr_status pass(void *context, const uint8_t *record, size_t size, pr_error *err) {
    (void)context, (void)record, (void)size, (void)err;
    return PR_OK;
}

pr_status pr_votelog_write(const char *path, const char *run_id, const uint8_t *records, size_t size, size_t n,
                           pr_error *err) {
    visitor v = {pass, NULL};
    pr_journal *j = NULL;
    PR_TRY(open_journal(&j, path, run_id, &v, err));
    pr_status status = PR_OK;
    for (size_t i = 0; i < n && status == PR_OK; i++) {
        const pr_frame frame = {.type = PR_FRAME_CONSENSUS, .rank = -1, .payload = records + i * size, .size = size};
        status = pr_journal_append(j, &frame, err);
    }
    if (status == PR_OK) status = pr_journal_sync(j, err);
    pr_journal_close(j);
    return status;
}

pr_status pr_votelog_open(pr_votelog **out, const char *path, const char *run_id,
                          pr_status (*visit)(void *context, const uint8_t *record, size_t size, pr_error *err),
                          void *context, pr_error *err) {
    visitor v = {visit, context};
    pr_votelog *l = calloc(1, sizeof *l);
    if (!l) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the record of votes");
    l->last = &l->first;
    l->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&l->mutex, NULL);
    pthread_cond_init(&l->changed, NULL);
    pr_status status = l->event < 0 ? pr_fail(err, PR_ERR_MEMORY, "no descriptor for the record of votes")
                                    : open_journal(&l->journal, path, run_id, &v, err);
    if (status == PR_OK && pthread_create(&l->thread, NULL, live, l) != 0)
        status = pr_fail(err, PR_ERR_MEMORY, "the thread that writes votes does not start");
    if (status == PR_OK) {
        *out = l;
        return PR_OK;
    }
    pr_journal_close(l->journal);
    if (l->event >= 0) close(l->event);
    free(l);
    return status;
}

void pr_votelog_close(pr_votelog *l) {
    if (!l) return;
    pthread_mutex_lock(&l->mutex);
    l->ends = true;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->mutex);
    pthread_join(l->thread, NULL);
    (void)drop(l->first);
    pr_journal_close(l->journal);
    close(l->event);
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->mutex);
    free(l);
}

/* ---- from outside ---- */

uint64_t pr_votelog_append(pr_votelog *l, const uint8_t *record, size_t size) {
    const pr_error none = {PR_ERR_MEMORY, "out of memory for a record of votes"};
    entry *e = malloc(sizeof *e + size);
    pthread_mutex_lock(&l->mutex);
    uint64_t number = ++l->given;
    if (e) {
        e->next = NULL;
        e->size = size;
        memcpy(e->bytes, record, size);
        *l->last = e;
        l->last = &e->next;
    } else {
        note_failure(l, &none);
    }
    pthread_mutex_unlock(&l->mutex);
    return number;
}

void pr_votelog_hurry(pr_votelog *l) {
    pthread_mutex_lock(&l->mutex);
    if (l->first && !l->hurries) pthread_cond_signal(&l->changed);
    l->hurries = l->first != NULL;
    pthread_mutex_unlock(&l->mutex);
}

uint64_t pr_votelog_durable(pr_votelog *l) {
    eventfd_t n;
    pthread_mutex_lock(&l->mutex);
    uint64_t durable = l->durable;
    if (l->status == PR_OK) (void)eventfd_read(l->event, &n);
    pthread_mutex_unlock(&l->mutex);
    return durable;
}

int pr_votelog_fd(const pr_votelog *l) { return l->event; }

pr_status pr_votelog_check(pr_votelog *l, pr_error *err) {
    pthread_mutex_lock(&l->mutex);
    pr_status status = l->status;
    if (status != PR_OK && err) *err = l->err;
    pthread_mutex_unlock(&l->mutex);
    return status;
}

pr_votelog_stats pr_votelog_get_stats(pr_votelog *l) {
    pthread_mutex_lock(&l->mutex);
    pr_votelog_stats stats = l->stats;
    pthread_mutex_unlock(&l->mutex);
    return stats;
}
