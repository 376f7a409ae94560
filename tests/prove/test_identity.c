/* Bit identity: every golden case, on one backend: the transcript step by step, the proof's JSON text byte for byte
 * (its digest for the large ones), and our verifier's verdict on it.
 *   test_identity BACKEND [--large] [--threads N] [--least-device-memory] [CASE.json ...]
 * --least-device-memory: one more proof of each case of at most 2^12 rows and 20 bits of work, with the smallest limit
 * of device memory that its plan accepts, so that its columns are streamed through the smallest window. Exit 77
 * (skipped) where the processor lacks the backend. */
#include "air/statement.h"
#include "casefile/casefile.h"
#include "../backends.h"
#include "prove/prove.h"
#include "verify/verify.h"
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const pr_backend *const backends[] = {PR_TEST_BACKENDS};
static bool stream;          /* --least-device-memory */
static size_t n_streamed;    /* proofs whose columns were */
static pr_arena_keep memory; /* from one case to the next */

typedef struct transcript_check {
    const pr_case *c;
    size_t at, n_wrong;
} transcript_check;

static const char *const op_names[] = {"mix_u32s",  "mix_u64",          "mix_felts",        "mix_root",
                                       "draw_u32s", "draw_secure_felt", "draw_secure_felts"};

static json_t *words_json(const uint32_t *words, size_t n) {
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) json_array_append_new(list, json_integer(words[i]));
    return list;
}

static json_t *data_json(pr_channel_op op, const uint32_t *data, size_t n) {
    char hex[65];
    if (op == PR_CHANNEL_MIX_U64) return json_integer((json_int_t)((uint64_t)data[1] << 32 | data[0]));
    if (op == PR_CHANNEL_MIX_U32S || op == PR_CHANNEL_DRAW_U32S) return words_json(data, n);
    if (op == PR_CHANNEL_MIX_ROOT) {
        pr_hex_encode(hex, (const uint8_t *)data, 32);
        return json_string(hex);
    }
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) json_array_append_new(list, words_json(data + 4 * i, 4));
    return list;
}

/* Long lists are recorded as {"count": n}. */
static bool same_data(const char *expected_text, pr_channel_op op, const uint32_t *data, size_t n) {
    json_t *expected = json_loads(expected_text, JSON_DECODE_ANY, NULL), *got = data_json(op, data, n);
    json_t *count = json_object_get(expected, "count");
    bool same = count ? (size_t)json_integer_value(count) == n : json_equal(expected, got) == 1;
    json_decref(expected);
    json_decref(got);
    return same;
}

static void listen(void *context, const pr_channel *channel, pr_channel_op op, const uint32_t *data, size_t n) {
    transcript_check *t = context;
    char hex[65];
    pr_hex_encode(hex, channel->digest.bytes, 32);
    if (t->at >= t->c->n_expected_steps) {
        t->n_wrong++;
        return;
    }
    const pr_expected_step *s = &t->c->expected_steps[t->at];
    bool same = !strcmp(s->op, op_names[op]) && !strcmp(s->digest, hex) && same_data(s->data_json, op, data, n);
    if (!same && !t->n_wrong++)
        fprintf(stderr, "  step %zu: expected %s digest %s, got %s digest %s\n", t->at, s->op, s->digest, op_names[op],
                hex);
    t->at++;
}

static int wrong(const char *path, const char *what) {
    fprintf(stderr, "FAILED %s: %s\n", path, what);
    return 1;
}

static int compare_text(const char *path, const pr_case *c, const pr_proof *proof, const pr_layout *layout) {
    pr_writer json, envelope;
    char hex[65];
    int failed = 0;
    pr_writer_init(&json);
    pr_writer_init(&envelope);
    if (pr_proof_write_json(&json, proof, layout) != PR_OK ||
        pr_proof_write_envelope(&envelope, proof, layout) != PR_OK)
        failed += wrong(path, "no text");
    pr_hash digest = pr_blake2s_hash(json.data, json.size);
    pr_hex_encode(hex, digest.bytes, 32);
    if (json.size != c->expected_json_bytes) failed += wrong(path, "length of the JSON text");
    if (strcmp(hex, c->expected_json_blake2s)) failed += wrong(path, "digest of the JSON text");
    if (c->expected_envelope &&
        (envelope.size != c->expected_envelope_size || memcmp(envelope.data, c->expected_envelope, envelope.size)))
        failed += wrong(path, "bytes of the envelope");
    pr_writer_clear(&json);
    pr_writer_clear(&envelope);
    return failed;
}

static int check_verdict(const char *path, const pr_case *c, const pr_proof *proof) {
    pr_verifier *v = NULL;
    pr_error err = {0};
    pr_verdict verdict = PR_REJECTED_SHAPE;
    if (pr_verifier_create(&v, &c->statement, &err) != PR_OK || pr_verifier_run(v, proof, &verdict, &err) != PR_OK)
        return wrong(path, err.text);
    pr_verifier_destroy(v);
    return verdict == PR_ACCEPTED ? 0 : wrong(path, pr_verdict_text(verdict));
}

/* The emulation takes seconds for it, whatever the columns. */
static bool grinds_long(const pr_case *c) { return c->statement.config.pow_bits > 20; }

/* A prover finds no zeros in its memory: what other cases left there, and every other time rubbish. */
static void soil(void) {
    static unsigned n;
    if (n++ % 2 || !memory.arena.base) return;
    memset(memory.arena.base, 0xd5, memory.arena.bytes);
    memory.note = 0;
}

static int prove_case(const char *path, pr_case *c, const pr_layout *layout, pr_prover_options options) {
    pr_prover *prover = NULL;
    pr_proof proof = {0};
    pr_error err = {0};
    transcript_check t = {.c = c};
    pr_trace_source source = {.context = c, .fill = pr_case_fill_trace};
    int failed = 0;
    const pr_hash air_digest = pr_air_digest(c->air);
    options.memory = &memory;
    options.air_digest = &air_digest;
    soil();
    if (pr_prover_create(&prover, layout, &options, &err) != PR_OK) return wrong(path, err.text);
    const int n_runs = stream && (layout->log_max_rows > 10 || grinds_long(c)) ? 1 : 2;
    for (int again = 0; again < n_runs; again++) { /* a prover's second run meets its own remains, and its tree 0 */
        t.at = 0;
        if (pr_prover_run(prover, &proof, &source, NULL, listen, &t, &err) != PR_OK) {
            failed += wrong(path, err.text);
            break;
        }
        if (t.n_wrong || t.at != c->n_expected_steps) failed += wrong(path, "transcript");
        failed += compare_text(path, c, &proof, layout);
        if (!again) failed += check_verdict(path, c, &proof);
        pr_proof_clear(&proof);
    }
    pr_prover_destroy(prover);
    return failed;
}

/* The smallest limit that is accepted, within 64 bytes. */
static size_t least_device_bytes(const pr_layout *layout, pr_prover_options options) {
    size_t refused = 0, accepted = (size_t)1 << 40;
    while (accepted - refused > 64) {
        pr_plan plan;
        size_t middle = refused + (accepted - refused) / 2;
        options.max_device_bytes = middle;
        if (pr_prover_plan(&plan, layout, &options, NULL) == PR_OK)
            accepted = middle;
        else
            refused = middle;
    }
    return accepted;
}

static int prove_streamed(const char *path, pr_case *c, const pr_layout *layout, pr_prover_options options) {
    pr_prover *prover = NULL;
    pr_proof proof = {0};
    pr_error err = {0};
    pr_trace_source source = {.context = c, .fill = pr_case_fill_trace};
    options.max_device_bytes = least_device_bytes(layout, options);
    if (pr_prover_create(&prover, layout, &options, &err) != PR_OK) return wrong(path, err.text);
    int failed = 0;
    n_streamed += pr_prover_get_plan(prover)->far_bytes > 0; /* not where the window would be as large as they are */
    if (pr_prover_run(prover, &proof, &source, NULL, NULL, NULL, &err) != PR_OK)
        failed += wrong(path, err.text);
    else
        failed += compare_text(path, c, &proof, layout);
    pr_proof_clear(&proof);
    pr_prover_destroy(prover);
    return failed;
}

static int run_case(const char *path, const pr_prover_options *options) {
    pr_case c;
    pr_layout layout;
    pr_error err = {0};
    if (pr_case_load(&c, path, &err) != PR_OK) return wrong(path, err.text);
    int failed = 1;
    if (pr_layout_init(&layout, &c.statement, &err) != PR_OK)
        wrong(path, err.text);
    else {
        failed = prove_case(path, &c, &layout, *options);
        if (stream && layout.log_max_rows <= 12 && !grinds_long(&c))
            failed += prove_streamed(path, &c, &layout, *options);
        pr_layout_clear(&layout);
    }
    pr_case_clear(&c);
    return failed;
}

static bool is_large(const char *name) { return strstr(name, "_l18_") || strstr(name, "_l20_"); }

static int run_folder(const char *folder, bool large, const pr_prover_options *options, size_t *n_run) {
    struct dirent **list;
    char path[2048];
    int failed = 0, n = scandir(folder, &list, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        const char *name = list[i]->d_name, *dot = strrchr(name, '.');
        if (dot && !strcmp(dot, ".json") && is_large(name) == large) {
            snprintf(path, sizeof path, "%s/%s", folder, name);
            failed += run_case(path, options);
            ++*n_run;
        }
        free(list[i]);
    }
    if (n >= 0) free(list);
    return failed;
}

static const pr_backend *choose(const char *name) {
    if (!strcmp(name, "auto")) name = pr_isa_name(pr_cpu_isa());
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++)
        if (!strcmp(backends[i]->name, name)) return backends[i];
    return NULL;
}

int main(int argc, char **argv) {
    const pr_backend *backend = argc > 1 ? choose(argv[1]) : NULL;
    pr_prover_options options = {.backend = backend};
    bool large = false;
    int failed = 0;
    size_t n_run = 0;
    if (!backend)
        return fputs("usage: test_identity BACKEND [--large] [--threads N] [--least-device-memory] [CASE.json ...]\n",
                     stderr),
               2;
    if (!backend->available()) return 77;
    for (int i = 2; i < argc; i++) {
        if (!strcmp(argv[i], "--large"))
            large = true;
        else if (!strcmp(argv[i], "--least-device-memory"))
            stream = true;
        else if (!strcmp(argv[i], "--threads") && i + 1 < argc)
            options.n_threads = (unsigned)atoi(argv[++i]);
        else
            failed += run_case(argv[i], &options), n_run++;
    }
    if (!n_run) {
        failed += run_folder(PR_TEST_VECTORS "/cases", large, &options, &n_run);
        failed += run_folder(PR_TEST_VECTORS "/cases/random", large, &options, &n_run);
    }
    pr_arena_keep_clear(&memory);
    printf("%s: %zu cases, %zu of them streamed too, %d failures\n", backend->name, n_run, n_streamed, failed);
    return failed || !n_run || (stream && !n_streamed);
}
