/* How far a prover child is, in memory that it shares with its supervisor: a stage of a tiny job is over in
 * microseconds, and a message for each would cost both sides more than the stage. One word, written by the child and
 * read by the supervisor whenever it looks; neither waits. The memory cannot be resized by either side, so that no look
 * can fault; what stands in it is the child's word and nothing else. */
#ifndef PR_CHILD_BEAT_H
#define PR_CHILD_BEAT_H
#include "base/error.h"
#include <stdint.h>

typedef struct pr_child_beat {
    _Atomic uint64_t *word; /* mapped; NULL: none */
} pr_child_beat;

/* What is read. task: tasks that the child was given before this one, modulo 2^24. */
typedef struct pr_child_pulse {
    uint32_t task, step; /* step counts from 1; 0: nothing was written yet */
    uint8_t stage;
} pr_child_pulse;
#define PR_CHILD_PULSE_TASKS ((uint32_t)1 << 24)

/* The supervisor's side. *fd: for the child, the caller's to close. PR_ERR_MEMORY. */
PR_MUST_CHECK pr_status pr_child_beat_create(pr_child_beat *b, int *fd, pr_error *err);
/* The child's side. PR_ERR_MALFORMED: no such memory; PR_ERR_MEMORY. */
PR_MUST_CHECK pr_status pr_child_beat_open(pr_child_beat *b, int fd, pr_error *err);
void pr_child_beat_clear(pr_child_beat *b);
void pr_child_beat_write(const pr_child_beat *b, pr_child_pulse pulse); /* task is taken modulo 2^24 */
pr_child_pulse pr_child_beat_read(const pr_child_beat *b);
#endif
