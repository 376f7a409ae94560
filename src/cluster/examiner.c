#include "cluster/examiner.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

typedef struct item {
    const pr_work *work;
    const pr_manifest_job *job;
    pr_wire_task task;
    pr_record record;
} item;

struct pr_examiner { /* rings of PR_EXAMINER_MAX; under the mutex */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int event;
    bool ends, running;
    unsigned first, n; /* that wait */
    item items[PR_EXAMINER_MAX];
    unsigned first_done, n_done;
    pr_wire_verdict done[PR_EXAMINER_MAX];
};

static void examine(pr_wire_verdict *v, const item *it) {
    bool accepted = false;
    pr_error err = {0};
    memset(v, 0, sizeof *v);
    v->task = it->task;
    pr_status status =
        pr_work_verify(it->work, it->job, &it->record, &accepted, v->reason, sizeof v->reason, &v->verify_ms, &err);
    v->verdict = status != PR_OK ? PR_VERDICT_UNABLE : accepted ? PR_VERDICT_ACCEPTED : PR_VERDICT_REFUSED;
    if (status != PR_OK) pr_row_set_text(v->reason, sizeof v->reason, err.text);
}

/* The mutex is held at both ends. */
static void run_one(pr_examiner *e) {
    pr_wire_verdict verdict;
    item it = e->items[e->first];
    e->first = (e->first + 1) % PR_EXAMINER_MAX;
    e->n--;
    e->running = true;
    pthread_mutex_unlock(&e->mutex);
    examine(&verdict, &it);
    pr_record_clear(&it.record);
    pthread_mutex_lock(&e->mutex);
    e->running = false;
    e->done[(e->first_done + e->n_done++) % PR_EXAMINER_MAX] = verdict;
    pthread_cond_broadcast(&e->changed);
    eventfd_write(e->event, 1);
}

static void *live(void *context) {
    pr_examiner *e = context;
    pthread_mutex_lock(&e->mutex);
    while (!e->ends) {
        if (e->n && e->n_done < PR_EXAMINER_MAX)
            run_one(e);
        else
            pthread_cond_wait(&e->changed, &e->mutex);
    }
    pthread_mutex_unlock(&e->mutex);
    return NULL;
}

pr_status pr_examiner_create(pr_examiner **out, pr_error *err) {
    pr_examiner *e = calloc(1, sizeof *e);
    if (!e) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the verifying thread");
    e->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&e->mutex, NULL);
    pthread_cond_init(&e->changed, NULL);
    if (e->event < 0 || pthread_create(&e->thread, NULL, live, e) != 0) {
        if (e->event >= 0) close(e->event);
        free(e);
        return pr_fail(err, PR_ERR_MEMORY, "the verifying thread does not start");
    }
    *out = e;
    return PR_OK;
}

static void drop_waiting(pr_examiner *e) {
    for (; e->n; e->n--) {
        pr_record_clear(&e->items[e->first].record);
        e->first = (e->first + 1) % PR_EXAMINER_MAX;
    }
}

void pr_examiner_finish(pr_examiner *e) {
    pthread_mutex_lock(&e->mutex);
    drop_waiting(e);
    while (e->running) pthread_cond_wait(&e->changed, &e->mutex);
    e->n_done = 0;
    pthread_mutex_unlock(&e->mutex);
}

void pr_examiner_destroy(pr_examiner *e) {
    if (!e) return;
    pthread_mutex_lock(&e->mutex);
    drop_waiting(e);
    e->ends = true;
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->mutex);
    pthread_join(e->thread, NULL);
    close(e->event);
    pthread_cond_destroy(&e->changed);
    pthread_mutex_destroy(&e->mutex);
    free(e);
}

bool pr_examiner_give(pr_examiner *e, const pr_work *work, const pr_manifest_job *job, const pr_wire_task *task,
                      pr_record *record) {
    pthread_mutex_lock(&e->mutex);
    bool taken = e->n + (e->running ? 1 : 0) < PR_EXAMINER_MAX;
    if (taken) {
        e->items[(e->first + e->n++) % PR_EXAMINER_MAX] = (item){work, job, *task, *record};
        memset(record, 0, sizeof *record);
        pthread_cond_broadcast(&e->changed);
    }
    pthread_mutex_unlock(&e->mutex);
    return taken;
}

bool pr_examiner_take(pr_examiner *e, pr_wire_verdict *verdict) {
    eventfd_t n;
    pthread_mutex_lock(&e->mutex);
    bool there = e->n_done > 0;
    if (there) {
        *verdict = e->done[e->first_done];
        e->first_done = (e->first_done + 1) % PR_EXAMINER_MAX;
        e->n_done--;
        pthread_cond_broadcast(&e->changed);
    }
    if (e->n_done == 0) (void)eventfd_read(e->event, &n);
    pthread_mutex_unlock(&e->mutex);
    return there;
}

int pr_examiner_fd(const pr_examiner *e) { return e->event; }

bool pr_examiner_is_idle(pr_examiner *e) {
    pthread_mutex_lock(&e->mutex);
    bool idle = e->n == 0 && !e->running && e->n_done == 0;
    pthread_mutex_unlock(&e->mutex);
    return idle;
}
