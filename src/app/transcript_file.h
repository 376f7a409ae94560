/* A transcript as JSON: a list of {op, data, digest after it}, in the shape of air-format.md's "expected.transcript".
 */
#ifndef PR_APP_TRANSCRIPT_FILE_H
#define PR_APP_TRANSCRIPT_FILE_H
#include "base/bytes.h"
#include "transcript/channel.h"

/* A pr_channel_listener; context is a pr_writer that collects the list (begun by an empty writer). */
void pr_transcript_listen(void *writer, const pr_channel *channel, pr_channel_op op, const uint32_t *data, size_t n);
/* Closes the list. */
void pr_transcript_end(pr_writer *writer);
#endif
