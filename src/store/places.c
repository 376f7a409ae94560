#include "store/places.h"
#include "base/bytes.h"
#include "base/log.h"
#include "store/journal.h"
#include "store/store.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PR_NOTE_MAX_BYTES 64u

pr_status pr_places_name(pr_places *p, const char *path, pr_error *err) {
    p->path = path;
    int n = snprintf(p->fresh_path, sizeof p->fresh_path, "%s.repaired.h5", path);
    if (n < 0 || (size_t)n > sizeof p->fresh_path - 32) return pr_fail(err, PR_ERR_USAGE, "%s: too long a path", path);
    snprintf(p->note, sizeof p->note, "%.*s", n - (int)strlen(".h5"), p->fresh_path);
    PR_TRY(pr_store_journal_path(p->log, sizeof p->log, path, err));
    return pr_store_journal_path(p->fresh_log, sizeof p->fresh_log, p->fresh_path, err);
}

static pr_status move(const char *from, const char *to, pr_error *err) {
    if (rename(from, to) == 0 || errno == ENOENT) return PR_OK;
    return pr_fail(err, PR_ERR_IO, "%s: cannot rename it to %s: %s", from, to, strerror(errno));
}

/* fresh: NULL where nothing takes the place. One that is not there has taken it before. */
static pr_status replace(const char *name, const char *damaged, const char *fresh, pr_error *err) {
    if (fresh && access(fresh, F_OK) != 0) return PR_OK;
    PR_TRY(move(name, damaged, err));
    return fresh ? move(fresh, name, err) : PR_OK;
}

static pr_status replace_segment(const pr_places *p, uint32_t k, bool has_fresh, pr_error *err) {
    char name[4200], fresh[4200], damaged[4200], base[4120];
    snprintf(base, sizeof base, "%s.damaged", p->log);
    pr_journal_segment_path(name, sizeof name, p->log, k);
    pr_journal_segment_path(fresh, sizeof fresh, p->fresh_log, k);
    pr_journal_segment_path(damaged, sizeof damaged, base, k);
    return replace(name, damaged, has_fresh ? fresh : NULL, err);
}

static pr_status replace_all(const pr_places *p, uint32_t n_old, uint32_t n_fresh, pr_error *err) {
    char damaged[4120];
    for (uint32_t k = 0; k < n_old || k < n_fresh; k++) PR_TRY(replace_segment(p, k, k < n_fresh, err));
    snprintf(damaged, sizeof damaged, "%s.damaged", p->path);
    PR_TRY(replace(p->path, damaged, p->fresh_path, err));
    PR_TRY(pr_file_sync_folder(p->path, err));
    if (unlink(p->note) == 0) return PR_OK;
    return pr_fail(err, PR_ERR_IO, "%s: cannot remove it: %s", p->note, strerror(errno));
}

static pr_status read_note(const pr_places *p, uint32_t *n_old, uint32_t *n_fresh, pr_error *err) {
    uint8_t *text;
    size_t size;
    PR_TRY(pr_file_read(&text, &size, p->note, PR_NOTE_MAX_BYTES, err));
    bool good = sscanf((const char *)text, "segments %u, repaired %u", n_old, n_fresh) == 2 &&
                *n_old <= PR_JOURNAL_MAX_SEGMENTS + 1 && *n_fresh >= 1 && *n_fresh <= PR_JOURNAL_MAX_SEGMENTS + 1;
    free(text);
    return good ? PR_OK : pr_fail(err, PR_ERR_MALFORMED, "%s: not the note of a repair", p->note);
}

static pr_status go_on_locked(const pr_places *p, int fd, bool *went_on, pr_error *err) {
    struct stat st;
    uint32_t n_old, n_fresh;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return pr_fail(err, PR_ERR_IO, "%s: another process repairs this run", p->note);
    if (fstat(fd, &st) == 0 && st.st_nlink == 0) return PR_OK; /* that other has just finished */
    *went_on = true;
    PR_TRY(read_note(p, &n_old, &n_fresh, err));
    return replace_all(p, n_old, n_fresh, err);
}

/* From the note, whoever wrote it, and one process at a time. */
static pr_status go_on(const pr_places *p, bool *went_on, pr_error *err) {
    *went_on = false;
    int fd = open(p->note, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return PR_OK;
    if (fd < 0) return pr_fail(err, PR_ERR_IO, "%s: cannot open: %s", p->note, strerror(errno));
    pr_status status = go_on_locked(p, fd, went_on, err);
    close(fd);
    return status;
}

pr_status pr_places_take(const pr_places *p, uint32_t n_old, uint32_t n_fresh, pr_error *err) {
    char text[PR_NOTE_MAX_BYTES];
    bool went_on;
    int n = snprintf(text, sizeof text, "segments %u, repaired %u\n", n_old, n_fresh);
    PR_TRY(pr_file_write_atomic(p->note, text, (size_t)n, 0644, err));
    return go_on(p, &went_on, err);
}

pr_status pr_places_finish(const pr_places *p, pr_error *err) {
    bool went_on;
    PR_TRY(go_on(p, &went_on, err));
    if (went_on)
        pr_log(PR_LOG_WARN, "store",
               "%s: a repair that was interrupted has been finished; /events says whether frames were lost, and the "
               "damaged files are kept as *.damaged",
               p->path);
    return PR_OK;
}
