#include "cluster/keeper.h"
#include "base/clock.h"
#include "base/hdf5_lock.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

typedef enum item_kind {
    ITEM_PUT,
    ITEM_EVENT,
    ITEM_ASSIGNMENT,
    ITEM_RANK,
    ITEM_SAMPLE,
    ITEM_CONSENSUS,
    ITEM_BATCH,
    ITEM_FILE
} item_kind;

typedef struct item { /* something to write */
    struct item *next;
    item_kind kind;
    uint32_t token;
    size_t bytes;
    union {
        pr_record record;
        pr_event_row event; /* kind, rank, id, text */
        pr_assignment_row assignment;
        pr_rank_row rank;
        pr_sample_row sample; /* id, value */
        struct {
            uint8_t *bytes;
            size_t size;
        } consensus;
        struct {
            char path[1100], *text;
            size_t size;
        } file;
    } as;
} item;

typedef struct kept { /* tokens, a ring that grows */
    uint32_t *tokens;
    size_t first, n, room;
} kept;

struct pr_keeper {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int event;
    bool ends, joined; /* and all below: under the mutex */
    item *first, **last;
    size_t waiting_bytes;
    kept kept;
    pr_status status;
    pr_error err, file_err;       /* file_err: of the last file beside that could not be written */
    bool file_fails, file_untold; /* the last one; one since it was last asked for */
    pr_keeper_stats stats;
    pr_store *store; /* the thread's alone, with what follows */
    uint64_t flush_ns, flushed_ns;
};

static void free_item(item *it) {
    if (it->kind == ITEM_PUT) pr_record_clear(&it->as.record);
    if (it->kind == ITEM_CONSENSUS || it->kind == ITEM_BATCH) free(it->as.consensus.bytes);
    if (it->kind == ITEM_FILE) free(it->as.file.text);
    free(it);
}

/* ---- the thread ---- */

/* The metrics are not the truth: a run does not end for them. */
static void write_file(pr_keeper *k, const item *it) {
    pr_error err = {0};
    pr_status status = pr_file_write_atomic(it->as.file.path, it->as.file.text, it->as.file.size, 0644, &err);
    pthread_mutex_lock(&k->mutex);
    k->file_fails = status != PR_OK;
    if (k->file_fails) {
        k->stats.file_errors++;
        k->file_err = err;
        k->file_untold = true;
    }
    pthread_mutex_unlock(&k->mutex);
}

static pr_status write_item(pr_keeper *k, const item *it, pr_error *err) {
    pr_store *s = k->store;
    switch (it->kind) {
    case ITEM_PUT:
        return pr_store_put(s, &it->as.record, err);
    case ITEM_EVENT:
        return pr_store_event(s, (pr_event_kind)it->as.event.kind, it->as.event.rank,
                              it->as.event.id[0] ? it->as.event.id : NULL, it->as.event.text, err);
    case ITEM_ASSIGNMENT:
        return pr_store_note_assignment(s, it->as.assignment.id, it->as.assignment.attempt,
                                        (pr_assigned)it->as.assignment.what, it->as.assignment.rank, err);
    case ITEM_RANK:
        return pr_store_note_rank(s, &it->as.rank, err);
    case ITEM_SAMPLE:
        return pr_store_sample(s, it->as.sample.id, it->as.sample.value, err);
    case ITEM_CONSENSUS:
        return pr_store_consensus(s, it->as.consensus.bytes, it->as.consensus.size, err);
    case ITEM_BATCH:
        return pr_store_batch(s, it->as.consensus.bytes, it->as.consensus.size, err);
    case ITEM_FILE:
        write_file(k, it);
        break;
    }
    return PR_OK;
}

/* Only what will be told as kept is worth an fsync of its own; the rest goes with the next one, or the next flush. */
static pr_status write_items(pr_keeper *k, const item *first, pr_error *err) {
    bool must_sync = false;
    pr_hdf5_lock();
    pr_status status = PR_OK;
    for (const item *it = first; status == PR_OK && it; it = it->next) {
        status = write_item(k, it, err);
        must_sync |= it->kind == ITEM_PUT;
    }
    pr_hdf5_unlock();
    PR_TRY(status);
    return must_sync ? pr_store_commit(k->store, err) : PR_OK;
}

static void keep_longest(uint64_t *longest, uint64_t start) {
    uint64_t took = pr_clock_monotonic_ns() - start;
    if (took > *longest) *longest = took;
}

static bool remember(kept *k, uint32_t token) {
    if (k->n == k->room) {
        size_t room = k->room ? 2 * k->room : 64;
        uint32_t *grown = malloc(room * sizeof *grown);
        if (!grown) return false;
        for (size_t i = 0; i < k->n; i++) grown[i] = k->tokens[(k->first + i) % k->room];
        free(k->tokens);
        k->tokens = grown;
        k->room = room;
        k->first = 0;
    }
    k->tokens[(k->first + k->n++) % k->room] = token;
    return true;
}

static void note_failure(pr_keeper *k, pr_status status, const pr_error *err) {
    if (k->status != PR_OK) return;
    k->status = status;
    k->err = *err;
    eventfd_write(k->event, 1);
}

/* A group that is on the disk. The mutex is held. */
static void tell(pr_keeper *k, const item *first) {
    const pr_error err = {PR_ERR_MEMORY, "out of memory for what is kept"};
    for (const item *it = first; it; it = it->next) {
        if (it->kind != ITEM_PUT) continue;
        k->stats.records++;
        if (!remember(&k->kept, it->token)) note_failure(k, PR_ERR_MEMORY, &err);
    }
    eventfd_write(k->event, 1);
}

static void drop_items(pr_keeper *k, item *first) {
    while (first) {
        item *next = first->next;
        k->waiting_bytes -= first->bytes;
        free_item(first);
        first = next;
    }
}

static item *take_items(pr_keeper *k) {
    item *first = k->first;
    k->first = NULL;
    k->last = &k->first;
    return first;
}

static uint64_t thread_cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The mutex is held at both ends. */
static void write_group(pr_keeper *k, item *first) {
    pr_error err = {0};
    uint64_t start = pr_clock_monotonic_ns(), longest = k->stats.longest_commit_ns;
    pthread_mutex_unlock(&k->mutex);
    pr_status status = write_items(k, first, &err);
    keep_longest(&longest, start);
    pthread_mutex_lock(&k->mutex);
    k->stats.longest_commit_ns = longest;
    k->stats.commits++;
    if (status == PR_OK)
        tell(k, first);
    else
        note_failure(k, status, &err);
    drop_items(k, first);
}

static void flush(pr_keeper *k) {
    pr_error err = {0};
    uint64_t start = pr_clock_monotonic_ns(), longest = k->stats.longest_flush_ns;
    pthread_mutex_unlock(&k->mutex);
    pr_hdf5_lock();
    pr_status status = pr_store_flush(k->store, &err);
    pr_hdf5_unlock();
    uint64_t file = pr_store_bytes(k->store), journal = pr_store_journal_bytes(k->store), cpu = thread_cpu_ns();
    keep_longest(&longest, start);
    pthread_mutex_lock(&k->mutex);
    k->flushed_ns = pr_clock_monotonic_ns();
    k->stats.longest_flush_ns = longest;
    k->stats.flushes++;
    k->stats.file_bytes = file;
    k->stats.journal_bytes = journal;
    k->stats.cpu_ns = cpu;
    if (status != PR_OK) note_failure(k, status, &err);
}

static void await_change(pr_keeper *k) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t ns = (uint64_t)until.tv_nsec + k->flush_ns;
    until.tv_sec += (time_t)(ns / 1000000000u);
    until.tv_nsec = (long)(ns % 1000000000u);
    pthread_cond_timedwait(&k->changed, &k->mutex, &until);
}

static void *live(void *context) {
    pr_keeper *k = context;
    prctl(PR_SET_NAME, "keep"); /* for who looks at processor time */
    pthread_mutex_lock(&k->mutex);
    for (;;) {
        item *first = take_items(k);
        bool ends = k->ends, due = pr_clock_monotonic_ns() - k->flushed_ns >= k->flush_ns;
        if (first && k->status == PR_OK)
            write_group(k, first);
        else
            drop_items(k, first);
        if (k->status == PR_OK && (due || (ends && !k->first))) flush(k);
        if (ends && !k->first) break;
        if (!k->first && !k->ends) await_change(k);
    }
    pthread_mutex_unlock(&k->mutex);
    return NULL;
}

/* ---- from outside ---- */

static bool init_locks(pr_keeper *k) {
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) return false;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    bool good = pthread_cond_init(&k->changed, &attributes) == 0 && pthread_mutex_init(&k->mutex, NULL) == 0;
    pthread_condattr_destroy(&attributes);
    return good;
}

pr_status pr_keeper_create(pr_keeper **out, pr_store *store, uint64_t flush_ns, pr_error *err) {
    pr_keeper *k = calloc(1, sizeof *k);
    if (!k) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the writing thread");
    k->store = store;
    k->flush_ns = flush_ns;
    k->flushed_ns = pr_clock_monotonic_ns();
    k->last = &k->first;
    k->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (k->event < 0 || !init_locks(k) || pthread_create(&k->thread, NULL, live, k) != 0) {
        if (k->event >= 0) close(k->event);
        free(k);
        return pr_fail(err, PR_ERR_MEMORY, "the writing thread does not start");
    }
    *out = k;
    return PR_OK;
}

pr_status pr_keeper_finish(pr_keeper *k, pr_error *err) {
    pthread_mutex_lock(&k->mutex);
    k->ends = true;
    pthread_cond_broadcast(&k->changed);
    pthread_mutex_unlock(&k->mutex);
    if (!k->joined) pthread_join(k->thread, NULL);
    k->joined = true;
    return pr_keeper_check(k, err);
}

void pr_keeper_destroy(pr_keeper *k) {
    if (!k) return;
    if (pr_keeper_finish(k, NULL) != PR_OK) drop_items(k, take_items(k));
    close(k->event);
    free(k->kept.tokens);
    pthread_cond_destroy(&k->changed);
    pthread_mutex_destroy(&k->mutex);
    free(k);
}

static item *make_item(pr_keeper *k, item_kind kind) {
    const pr_error err = {PR_ERR_MEMORY, "out of memory for what is to be written"};
    item *it = calloc(1, sizeof *it);
    if (it) {
        it->kind = kind;
        it->bytes = sizeof *it;
        return it;
    }
    pthread_mutex_lock(&k->mutex);
    note_failure(k, PR_ERR_MEMORY, &err);
    pthread_mutex_unlock(&k->mutex);
    return NULL;
}

static void give(pr_keeper *k, item *it) {
    pthread_mutex_lock(&k->mutex);
    *k->last = it;
    k->last = &it->next;
    k->waiting_bytes += it->bytes;
    pthread_cond_signal(&k->changed);
    pthread_mutex_unlock(&k->mutex);
}

void pr_keeper_put(pr_keeper *k, pr_record *record, uint32_t token) {
    item *it = make_item(k, ITEM_PUT);
    if (!it) {
        pr_record_clear(record);
        return;
    }
    it->token = token;
    it->as.record = *record;
    it->bytes += record->row.proof_compressed_bytes + record->row.public_bytes;
    memset(record, 0, sizeof *record);
    give(k, it);
}

void pr_keeper_event(pr_keeper *k, pr_event_kind kind, int32_t rank, const char *id, const char *text) {
    item *it = make_item(k, ITEM_EVENT);
    if (!it) return;
    it->as.event.kind = kind;
    it->as.event.rank = rank;
    pr_row_set_text(it->as.event.id, sizeof it->as.event.id, id ? id : "");
    pr_row_set_text(it->as.event.text, sizeof it->as.event.text, text);
    give(k, it);
}

void pr_keeper_assignment(pr_keeper *k, const char *id, uint32_t attempt, pr_assigned what, int32_t rank) {
    item *it = make_item(k, ITEM_ASSIGNMENT);
    if (!it) return;
    pr_row_set_text(it->as.assignment.id, sizeof it->as.assignment.id, id);
    it->as.assignment.attempt = attempt;
    it->as.assignment.what = what;
    it->as.assignment.rank = rank;
    give(k, it);
}

void pr_keeper_rank(pr_keeper *k, const pr_rank_row *row) {
    item *it = make_item(k, ITEM_RANK);
    if (!it) return;
    it->as.rank = *row;
    give(k, it);
}

void pr_keeper_sample(pr_keeper *k, const char *series, double value) {
    item *it = make_item(k, ITEM_SAMPLE);
    if (!it) return;
    pr_row_set_text(it->as.sample.id, sizeof it->as.sample.id, series);
    it->as.sample.value = value;
    give(k, it);
}

static void give_bytes(pr_keeper *k, item_kind kind, const uint8_t *bytes, size_t size) {
    const pr_error err = {PR_ERR_MEMORY, "out of memory for what is to be written"};
    item *it = make_item(k, kind);
    if (!it) return;
    it->as.consensus.bytes = malloc(size ? size : 1);
    it->as.consensus.size = size;
    it->bytes += size;
    if (it->as.consensus.bytes) {
        memcpy(it->as.consensus.bytes, bytes, size);
        give(k, it);
        return;
    }
    free(it);
    pthread_mutex_lock(&k->mutex);
    note_failure(k, PR_ERR_MEMORY, &err);
    pthread_mutex_unlock(&k->mutex);
}

void pr_keeper_consensus(pr_keeper *k, const uint8_t *record, size_t size) {
    give_bytes(k, ITEM_CONSENSUS, record, size);
}

void pr_keeper_batch(pr_keeper *k, const uint8_t *certificate, size_t size) {
    give_bytes(k, ITEM_BATCH, certificate, size);
}

void pr_keeper_file(pr_keeper *k, const char *path, char *text, size_t size) {
    item *it = make_item(k, ITEM_FILE);
    if (!it) {
        free(text);
        return;
    }
    strncpy(it->as.file.path, path, sizeof it->as.file.path - 1);
    it->as.file.text = text;
    it->as.file.size = size;
    give(k, it);
}

bool pr_keeper_take(pr_keeper *k, uint32_t *token) {
    eventfd_t n;
    pthread_mutex_lock(&k->mutex);
    bool there = k->kept.n > 0;
    if (there) {
        *token = k->kept.tokens[k->kept.first];
        k->kept.first = (k->kept.first + 1) % k->kept.room;
        k->kept.n--;
    } else {
        (void)eventfd_read(k->event, &n);
    }
    pthread_mutex_unlock(&k->mutex);
    return there;
}

bool pr_keeper_file_error(pr_keeper *k, char *text, size_t size) {
    pthread_mutex_lock(&k->mutex);
    bool failed = k->file_fails || k->file_untold;
    k->file_untold = false;
    pr_row_set_text(text, size, failed ? k->file_err.text : "");
    pthread_mutex_unlock(&k->mutex);
    return failed;
}

bool pr_keeper_is_full(pr_keeper *k) {
    pthread_mutex_lock(&k->mutex);
    bool full = k->waiting_bytes > PR_KEEPER_MAX_BYTES;
    pthread_mutex_unlock(&k->mutex);
    return full;
}

int pr_keeper_fd(const pr_keeper *k) { return k->event; }

pr_status pr_keeper_check(pr_keeper *k, pr_error *err) {
    pthread_mutex_lock(&k->mutex);
    pr_status status = k->status;
    if (status != PR_OK && err) *err = k->err;
    pthread_mutex_unlock(&k->mutex);
    return status;
}

pr_keeper_stats pr_keeper_get_stats(pr_keeper *k) {
    pthread_mutex_lock(&k->mutex);
    pr_keeper_stats stats = k->stats;
    pthread_mutex_unlock(&k->mutex);
    return stats;
}
