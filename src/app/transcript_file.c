#include "app/transcript_file.h"
#include <inttypes.h>

static void write_words(pr_writer *w, const uint32_t *words, size_t n) {
    pr_write_format(w, "[");
    for (size_t i = 0; i < n; i++) pr_write_format(w, "%s%" PRIu32, i ? "," : "", words[i]);
    pr_write_format(w, "]");
}

static void write_felts(pr_writer *w, const uint32_t *words, size_t n) {
    pr_write_format(w, "[");
    for (size_t i = 0; i < n; i++) {
        if (i) pr_write_format(w, ",");
        write_words(w, words + 4 * i, 4);
    }
    pr_write_format(w, "]");
}

static void write_root(pr_writer *w, const uint32_t *words) {
    uint8_t bytes[32];
    char hex[65];
    for (size_t k = 0; k < 32; k++) bytes[k] = (uint8_t)(words[k / 4] >> 8 * (k % 4));
    pr_hex_encode(hex, bytes, 32);
    pr_write_format(w, "\"%s\"", hex);
}

static void write_data(pr_writer *w, pr_channel_op op, const uint32_t *data, size_t n) {
    switch (op) {
    case PR_CHANNEL_MIX_U64:
        pr_write_format(w, "%" PRIu64, (uint64_t)data[1] << 32 | data[0]);
        return;
    case PR_CHANNEL_MIX_ROOT:
        write_root(w, data);
        return;
    case PR_CHANNEL_MIX_U32S:
    case PR_CHANNEL_DRAW_U32S:
        write_words(w, data, n);
        return;
    case PR_CHANNEL_MIX_FELTS:
    case PR_CHANNEL_DRAW_SECURE_FELT:
    case PR_CHANNEL_DRAW_SECURE_FELTS:
        write_felts(w, data, n);
        return;
    }
}

void pr_transcript_listen(void *writer, const pr_channel *channel, pr_channel_op op, const uint32_t *data, size_t n) {
    static const char *const names[] = {"mix_u32s",  "mix_u64",          "mix_felts",        "mix_root",
                                        "draw_u32s", "draw_secure_felt", "draw_secure_felts"};
    pr_writer *w = writer;
    char hex[65];
    pr_hex_encode(hex, channel->digest.bytes, 32);
    pr_write_format(w, "%s{\"op\":\"%s\",\"data\":", w->size ? ",\n" : "[", names[op]);
    write_data(w, op, data, n);
    pr_write_format(w, ",\"digest\":\"%s\"}", hex);
}

void pr_transcript_end(pr_writer *writer) { pr_write_format(writer, writer->size ? "]\n" : "[]\n"); }
