#include "cluster/examiner.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

typedef struct item {
    struct item *next;
    pr_examination x;
} item;

typedef struct list {
    item *first, **last;
} list;

struct pr_examiner {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int event;
    bool ends; /* this and all below: under the mutex */
    unsigned capacity, n, n_running;
    list waiting, done;
    unsigned n_threads;
    pthread_t threads[];
};

static void push(list *l, item *it) {
    it->next = NULL;
    *l->last = it;
    l->last = &it->next;
}

static item *pop(list *l) {
    item *it = l->first;
    if (!it) return NULL;
    l->first = it->next;
    if (!l->first) l->last = &l->first;
    return it;
}

static void examine(pr_examination *x) {
    pr_error err = {0};
    x->unable = false;
    pr_status status = pr_work_check(x->work, x->job, &x->record, x->depth, &x->verdict, x->reason, sizeof x->reason,
                                     &x->verify_ms, &err);
    if (status == PR_OK) return;
    x->unable = true;
    pr_row_set_text(x->reason, sizeof x->reason, err.text);
}

static void *live(void *context) {
    pr_examiner *e = context;
    prctl(PR_SET_NAME, "verify"); /* for who looks at processor time */
    pthread_mutex_lock(&e->mutex);
    while (!e->ends) {
        item *it = pop(&e->waiting);
        if (!it) {
            pthread_cond_wait(&e->changed, &e->mutex);
            continue;
        }
        e->n_running++;
        pthread_mutex_unlock(&e->mutex);
        examine(&it->x);
        pthread_mutex_lock(&e->mutex);
        e->n_running--;
        push(&e->done, it);
        pthread_cond_broadcast(&e->changed);
        eventfd_write(e->event, 1);
    }
    pthread_mutex_unlock(&e->mutex);
    return NULL;
}

static void drop_all(pr_examiner *e, list *l) {
    for (item *it; (it = pop(l)); e->n--) {
        pr_record_clear(&it->x.record);
        free(it);
    }
}

static void end_threads(pr_examiner *e) {
    pthread_mutex_lock(&e->mutex);
    e->ends = true;
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->mutex);
    for (unsigned i = 0; i < e->n_threads; i++) pthread_join(e->threads[i], NULL);
}

pr_status pr_examiner_create(pr_examiner **out, unsigned n_threads, unsigned capacity, pr_error *err) {
    pr_examiner *e = calloc(1, sizeof *e + n_threads * sizeof e->threads[0]);
    if (!e) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the verifying threads");
    e->capacity = capacity;
    e->waiting.last = &e->waiting.first;
    e->done.last = &e->done.first;
    e->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&e->mutex, NULL);
    pthread_cond_init(&e->changed, NULL);
    while (e->event >= 0 && e->n_threads < n_threads && !pthread_create(&e->threads[e->n_threads], NULL, live, e))
        e->n_threads++;
    *out = e;
    if (e->event >= 0 && e->n_threads == n_threads) return PR_OK;
    *out = NULL;
    pr_examiner_destroy(e);
    return pr_fail(err, PR_ERR_MEMORY, "the verifying threads do not start");
}

void pr_examiner_destroy(pr_examiner *e) {
    if (!e) return;
    end_threads(e);
    drop_all(e, &e->waiting);
    drop_all(e, &e->done);
    if (e->event >= 0) close(e->event);
    pthread_cond_destroy(&e->changed);
    pthread_mutex_destroy(&e->mutex);
    free(e);
}

void pr_examiner_finish(pr_examiner *e) {
    pthread_mutex_lock(&e->mutex);
    drop_all(e, &e->waiting);
    while (e->n_running) pthread_cond_wait(&e->changed, &e->mutex);
    drop_all(e, &e->done);
    pthread_mutex_unlock(&e->mutex);
}

bool pr_examiner_give(pr_examiner *e, pr_examination *x) {
    item *it = malloc(sizeof *it);
    if (!it) return false;
    pthread_mutex_lock(&e->mutex);
    bool taken = e->n < e->capacity;
    if (taken) {
        it->x = *x;
        memset(&x->record, 0, sizeof x->record);
        push(&e->waiting, it);
        e->n++;
        pthread_cond_signal(&e->changed);
    }
    pthread_mutex_unlock(&e->mutex);
    if (!taken) free(it);
    return taken;
}

bool pr_examiner_take(pr_examiner *e, pr_examination *x) {
    eventfd_t n;
    pthread_mutex_lock(&e->mutex);
    item *it = pop(&e->done);
    if (it) e->n--;
    if (!e->done.first) (void)eventfd_read(e->event, &n);
    pthread_mutex_unlock(&e->mutex);
    if (!it) return false;
    *x = it->x;
    free(it);
    return true;
}

int pr_examiner_fd(const pr_examiner *e) { return e->event; }

unsigned pr_examiner_room(pr_examiner *e) {
    pthread_mutex_lock(&e->mutex);
    unsigned room = e->capacity - e->n;
    pthread_mutex_unlock(&e->mutex);
    return room;
}

bool pr_examiner_is_idle(pr_examiner *e) {
    pthread_mutex_lock(&e->mutex);
    bool idle = e->n == 0;
    pthread_mutex_unlock(&e->mutex);
    return idle;
}
