/* Known answers of the channel, its proof of work and its queries: primitives/channel.json, and the transcripts of the
 * golden cases. */
#include "base/bytes.h"
#include "transcript/channel.h"
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "../field/json_field.h"

enum { MOST_WORDS = 4096 };

/* What the listener heard last. */
typedef struct heard {
    pr_channel_op op;
    uint32_t words[MOST_WORDS];
    size_t n, calls;
} heard;

static json_t *root;

static int setup(void **state) {
    (void)state;
    root = test_load("channel.json");
    return root ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    json_decref(root);
    return 0;
}

static size_t words_of(pr_channel_op op, size_t n) {
    switch (op) {
    case PR_CHANNEL_MIX_U64:
        return 2;
    case PR_CHANNEL_MIX_ROOT:
        return 8;
    case PR_CHANNEL_MIX_FELTS:
    case PR_CHANNEL_DRAW_SECURE_FELT:
    case PR_CHANNEL_DRAW_SECURE_FELTS:
        return 4 * n;
    case PR_CHANNEL_MIX_U32S:
    case PR_CHANNEL_DRAW_U32S:
        break;
    }
    return n;
}

static void listen(void *context, const pr_channel *channel, pr_channel_op op, const uint32_t *data, size_t n) {
    heard *h = context;
    assert_ptr_equal(channel->listener_context, h);
    h->op = op;
    h->n = n;
    h->calls++;
    assert_true(words_of(op, n) <= MOST_WORDS);
    if (n) memcpy(h->words, data, words_of(op, n) * sizeof *data);
}

static pr_channel channel_at(const json_t *digest) {
    pr_channel ch;
    pr_channel_init(&ch);
    ch.digest = to_hash(digest);
    return ch;
}

/* One operation from its name and its argument: a list, a number or decimal, a hash; n for draws. */
static void run(pr_channel *ch, const char *op, const json_t *in, size_t n_draw) {
    size_t n;
    if (strcmp(op, "mix_u32s") == 0) {
        uint32_t *words = to_m31s(in, &n);
        pr_channel_mix_u32s(ch, words, n);
        free(words);
    } else if (strcmp(op, "mix_u64") == 0) {
        pr_channel_mix_u64(ch, to_u64(in));
    } else if (strcmp(op, "mix_felts") == 0) {
        pr_qm31 *felts = to_qm31s(in, &n);
        pr_channel_mix_felts(ch, felts, n);
        free(felts);
    } else if (strcmp(op, "mix_root") == 0) {
        pr_hash r = to_hash(in);
        pr_channel_mix_root(ch, &r);
    } else if (strcmp(op, "draw_u32s") == 0) {
        uint32_t words[8];
        pr_channel_draw_u32s(ch, words);
    } else if (strcmp(op, "draw_secure_felt") == 0) {
        pr_channel_draw_secure_felt(ch);
    } else {
        assert_string_equal(op, "draw_secure_felts");
        pr_qm31 felts[64];
        assert_true(n_draw <= 64);
        pr_channel_draw_secure_felts(ch, felts, n_draw);
    }
}

static void expect_words(const heard *h, const json_t *want) {
    for (size_t k = 0; k < words_of(h->op, h->n); k++) expect_m31(h->words[k], json_array_get(want, k));
}

/* What was drawn: a list of words, one element, or a list of elements. */
static void expect_drawn(const heard *h, const json_t *want) {
    if (!json_is_array(json_array_get(want, 0))) {
        expect_words(h, want);
        return;
    }
    assert_int_equal(json_array_size(want), h->n);
    for (size_t k = 0; k < h->n; k++) {
        pr_qm31 got;
        memcpy(&got, h->words + 4 * k, sizeof got);
        expect_qm31(got, json_array_get(want, k));
    }
}

static void test_script(void **state) {
    (void)state;
    heard h = {0};
    pr_channel ch;
    pr_channel_init(&ch);
    ch.listener = listen;
    ch.listener_context = &h;
    size_t k;
    json_t *c;
    json_array_foreach(get_cases(root, "script"), k, c) {
        const json_t *in = get(c, "in"), *out = get(c, "out");
        run(&ch, json_string_value(get(c, "op")), in, json_is_integer(in) ? (size_t)json_integer_value(in) : 0);
        assert_int_equal(h.calls, k + 1);
        if (!json_is_null(out)) expect_drawn(&h, out);
        expect_hash(&ch.digest, get(c, "digest"));
        assert_int_equal(ch.n_draws, get_size(c, "n_draws"));
    }
}

static void test_rare(void **state) {
    (void)state;
    size_t k;
    json_t *c;
    json_array_foreach(get_cases(root, "rare"), k, c) {
        pr_channel ch = channel_at(get(c, "digest"));
        expect_qm31(pr_channel_draw_secure_felt(&ch), get(c, "draw_secure_felt"));
        assert_int_equal(ch.n_draws, get_size(c, "n_draws_after"));
        ch = channel_at(get(c, "digest"));
        pr_qm31 three[3];
        pr_channel_draw_secure_felts(&ch, three, 3);
        expect_qm31s(three, 3, get(c, "draw_secure_felts_3"));
        assert_int_equal(ch.n_draws, get_size(c, "n_draws_after_felts"));
    }
}

static void test_pow(void **state) {
    (void)state;
    size_t k;
    json_t *c;
    json_array_foreach(get_cases(root, "pow"), k, c) {
        pr_channel ch = channel_at(get(c, "digest"));
        uint32_t bits = (uint32_t)get_size(c, "pow_bits");
        uint64_t nonce = to_u64(get(c, "nonce")), smallest = to_u64(get(c, "smallest_nonce"));
        pr_hash prefix = pr_channel_pow_prefix(&ch, bits);
        expect_hash(&prefix, get(c, "prefixed_digest"));
        assert_true(pr_pow_check(&prefix, bits, nonce));
        assert_true(pr_pow_check(&prefix, bits, smallest));
        assert_int_equal(pr_pow_check(&prefix, bits, nonce + 1), json_is_true(get(c, "verify_nonce_plus_1")));
        for (uint64_t tried = smallest > 2000 ? smallest - 2000 : 0; tried < smallest; tried++)
            assert_false(pr_pow_check(&prefix, bits, tried));
        pr_channel_mix_u64(&ch, nonce);
        expect_hash(&ch.digest, get(c, "digest_after_mix_u64"));
    }
    pr_hash prefix = {{0}};
    assert_false(pr_pow_check(&prefix, 33, 0));
}

static void test_mix_config(void **state) {
    (void)state;
    size_t k;
    json_t *c;
    json_array_foreach(get_cases(root, "mix_config"), k, c) {
        const json_t *lifting = get(c, "lifting_log_size");
        pr_channel ch = channel_at(get(c, "digest_before"));
        pr_qm31 felts[2] = {{{to_m31(get(c, "pow_bits")), to_m31(get(c, "log_blowup_factor")),
                              to_m31(get(c, "n_queries")), to_m31(get(c, "log_last_layer_degree_bound"))}},
                            {{to_m31(get(c, "fold_step")), json_is_null(lifting) ? 0 : to_m31(lifting), 0, 0}}};
        pr_channel_mix_felts(&ch, felts, 2);
        expect_hash(&ch.digest, get(c, "digest_after"));
    }
}

static void test_queries(void **state) {
    (void)state;
    size_t k;
    json_t *c;
    json_array_foreach(get_cases(root, "queries"), k, c) {
        pr_channel ch = channel_at(get(c, "digest"));
        size_t n = get_size(c, "n_queries");
        uint32_t *positions = malloc((n + 1) * sizeof *positions);
        positions[n] = 0xdeadbeef; /* room for n_queries, no more */
        size_t count = pr_channel_draw_queries(&ch, positions, n, (unsigned)get_size(c, "log_domain_size"));
        expect_m31s(positions, count, get(c, "positions"));
        assert_int_equal(positions[n], 0xdeadbeef);
        assert_int_equal(ch.n_draws, get_size(c, "n_draws_after"));
        expect_hash(&ch.digest, get(c, "digest_after"));
        free(positions);
    }
}

static void replay(const json_t *transcript) {
    heard h = {0};
    pr_channel ch;
    pr_channel_init(&ch);
    ch.listener = listen;
    ch.listener_context = &h;
    size_t k;
    json_t *c;
    json_array_foreach(transcript, k, c) {
        const char *op = json_string_value(get(c, "op"));
        const json_t *data = get(c, "data");
        if (json_is_object(data)) { /* a long list, only counted in the case file: go on from its digest */
            ch.digest = to_hash(get(c, "digest"));
            ch.n_draws = 0;
            continue;
        }
        run(&ch, op, data, json_array_size(data));
        expect_hash(&ch.digest, get(c, "digest"));
        if (strncmp(op, "draw", 4) == 0) expect_drawn(&h, data);
    }
}

/* Every transcript of every case: what was drawn follows from what was mixed. */
static size_t replay_directory(const char *path) {
    DIR *directory = opendir(path);
    assert_non_null(directory);
    size_t replayed = 0;
    for (struct dirent *e; (e = readdir(directory));) {
        const char *dot = strrchr(e->d_name, '.');
        if (!dot || strcmp(dot, ".json") != 0) continue;
        char file[1024];
        snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        json_t *c = json_load_file(file, 0, NULL), *transcript;
        assert_non_null(c);
        transcript = json_object_get(json_object_get(c, "expected"), "transcript");
        if (json_array_size(transcript) > 0) replay(transcript), replayed++;
        json_decref(c);
    }
    closedir(directory);
    return replayed;
}

static void test_transcripts(void **state) {
    (void)state;
    assert_true(replay_directory(PR_TEST_VECTORS "/cases") >= 10);
    assert_true(replay_directory(PR_TEST_VECTORS "/cases/random") >= 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_script),  cmocka_unit_test(test_rare),
                                       cmocka_unit_test(test_pow),     cmocka_unit_test(test_mix_config),
                                       cmocka_unit_test(test_queries), cmocka_unit_test(test_transcripts)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
