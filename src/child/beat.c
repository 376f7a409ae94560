#include "child/beat.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW)
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "a lock would not be shared by two processes");

static pr_status map(pr_child_beat *b, int fd, pr_error *err) {
    void *at = mmap(NULL, sizeof *b->word, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) return pr_fail(err, PR_ERR_MEMORY, "no memory to share with a prover child");
    b->word = at;
    return PR_OK;
}

pr_status pr_child_beat_create(pr_child_beat *b, int *fd, pr_error *err) {
    pr_status status = PR_OK;
    b->word = NULL;
    *fd = memfd_create("proverun beat", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (*fd < 0 || ftruncate(*fd, sizeof *b->word) != 0 || fcntl(*fd, F_ADD_SEALS, SEALS) != 0)
        status = pr_fail(err, PR_ERR_MEMORY, "no memory to share with a prover child: %s", strerror(errno));
    if (status == PR_OK) status = map(b, *fd, err);
    if (status == PR_OK) return PR_OK;
    if (*fd >= 0) close(*fd);
    *fd = -1;
    return status;
}

pr_status pr_child_beat_open(pr_child_beat *b, int fd, pr_error *err) {
    struct stat st;
    b->word = NULL;
    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size != sizeof *b->word)
        return pr_fail(err, PR_ERR_MALFORMED, "no memory to tell progress in");
    return map(b, fd, err);
}

void pr_child_beat_clear(pr_child_beat *b) {
    if (b->word) munmap((void *)b->word, sizeof *b->word);
    b->word = NULL;
}

void pr_child_beat_write(const pr_child_beat *b, pr_child_pulse p) {
    uint64_t word = (uint64_t)(p.task % PR_CHILD_PULSE_TASKS) << 40 | (uint64_t)p.step << 8 | p.stage;
    atomic_store_explicit(b->word, word, memory_order_relaxed);
}

pr_child_pulse pr_child_beat_read(const pr_child_beat *b) {
    uint64_t word = atomic_load_explicit(b->word, memory_order_relaxed);
    return (pr_child_pulse){(uint32_t)(word >> 40), (uint32_t)(word >> 8), (uint8_t)word};
}
