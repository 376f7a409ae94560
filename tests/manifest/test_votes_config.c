/* The configuration of a run: defaults, every key, and each mistake with its place and what is allowed. */
#include "manifest/votes_config.h"
#include "base/bytes.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static pr_status parse(pr_votes_config *c, const char *text, pr_error *err) {
    return pr_votes_config_parse(c, text, strlen(text), "conf/run.yaml", err);
}

static void refuses(const char *text, const char *place, const char *what) {
    pr_votes_config c;
    pr_error err = {0};
    assert_int_equal(parse(&c, text, &err), PR_ERR_USAGE);
    char start[64];
    snprintf(start, sizeof start, "conf/run.yaml:%s: ", place);
    if (strncmp(err.text, start, strlen(start)) != 0 || !strstr(err.text, what))
        fail_msg("'%s' is not '%s...%s'", err.text, start, what);
}

static void test_defaults(void **state) {
    (void)state;
    pr_votes_config c, d = pr_votes_config_defaults();
    pr_error err = {0};
    assert_int_equal(parse(&c, "version: 1\n", &err), PR_OK);
    assert_memory_equal(&c, &d, sizeof c);
    assert_int_equal(d.committee_size, 4);
}

static void test_every_key(void **state) {
    (void)state;
    pr_votes_config c;
    pr_error err = {0};
    if (parse(&c,
              "version: 1\nconsensus:\n  committee: 7\n  round_timeout: 2s\n  retries: 3\n  view_timeout: 500ms\n"
              "  verify_threads: 2\n  keys: secret\n  key_passphrase_file: words/ranks\n",
              &err) != PR_OK)
        fail_msg("%s", err.text);
    assert_int_equal(c.committee_size, 7);
    assert_int_equal(c.round_timeout_ms, 2000);
    assert_int_equal(c.retries, 3);
    assert_int_equal(c.view_timeout_ms, 500);
    assert_int_equal(c.threads, 2);
    assert_string_equal(c.key_folder, "conf/secret");
    assert_string_equal(c.key_passphrase_file, "conf/words/ranks");
    assert_int_equal(parse(&c, "version: 1\nconsensus: {keys: /var/keys, committee: 0}\n", &err), PR_OK);
    assert_string_equal(c.key_folder, "/var/keys");
    assert_string_equal(c.key_passphrase_file, "");
    assert_int_equal(c.committee_size, 0);
    assert_int_equal(parse(&c, "version: 1\nconsensus: {stake: stakes, evidence: abort}\n", &err), PR_OK);
    assert_string_equal(c.stake_file, "conf/stakes");
    assert_int_equal(c.evidence, PR_EVIDENCE_ABORT);
    assert_int_equal(parse(&c, "version: 1\nconsensus: {stake: equal, evidence: drain}\n", &err), PR_OK);
    assert_string_equal(c.stake_file, "");
    assert_int_equal(c.evidence, PR_EVIDENCE_DRAIN);
}

static void test_mistakes(void **state) {
    (void)state;
    refuses("consensus: {}\n", "1:1", "version: missing; allowed: 1");
    refuses("version: 2\n", "1:10", "allowed: 1");
    refuses("version: 1\nconsensu: {}\n", "2:1", "did you mean `consensus`?");
    refuses("version: 1\nconsensus:\n  comittee: 3\n", "3:3", "did you mean `committee`?");
    refuses("version: 1\nconsensus:\n  committee: 257\n", "3:14", "from 0 to 256");
    refuses("version: 1\nconsensus:\n  committee: -1\n", "3:14", "from 0 to 256");
    refuses("version: 1\nconsensus:\n  committee: [1]\n", "3:14", "a list");
    refuses("version: 1\nconsensus:\n  round_timeout: 5\n", "3:18", "a duration");
    refuses("version: 1\nconsensus:\n  round_timeout: 50ms\n", "3:18", "from 100ms");
    refuses("version: 1\nconsensus:\n  view_timeout: 50s\n", "3:3", "less than half");
    refuses("version: 1\nconsensus: 3\n", "2:12", "consensus");
    refuses("version: 1\nconsensus: {keys: ''}\n", "2:19", "keys: allowed: a path of at most 1023 bytes");
    refuses("version: 1\nconsensus:\n  key_passphrase_file: ''\n", "3:24", "key_passphrase_file: allowed: a path");
    refuses("version: 1\nconsensus:\n  key_passphrase_file: [a, b]\n", "3:24", "a list");
    refuses("version: 1\nconsensus:\n  key_pasphrase_file: a\n", "3:3", "did you mean `key_passphrase_file`?");
    refuses("version: 1\nconsensus: {stake: ''}\n", "2:20", "`equal`, or a file's path");
    refuses("version: 1\nconsensus: {evidence: ignore}\n", "2:23", "allowed: drain, abort");
}

static void test_the_template(void **state) {
    (void)state;
    pr_votes_config c, d = pr_votes_config_defaults();
    pr_error err = {0};
    if (pr_votes_config_load(&c, PR_CONFIGS "/run.yaml", &err) != PR_OK) fail_msg("%s", err.text);
    assert_memory_equal(&c, &d, sizeof c); /* it says the defaults */
    assert_int_not_equal(pr_votes_config_load(&c, "no-such-file.yaml", &err), PR_OK);
    assert_non_null(strstr(err.text, "no-such-file.yaml"));
}

/* Every key that the program knows, with its bounds where a refusal has some. */
static void test_the_template_is_whole(void **state) {
    (void)state;
    pr_votes_config c;
    pr_error err = {0};
    uint8_t *template = NULL;
    size_t size;
    char line[80], names[300];
    if (pr_file_read(&template, &size, PR_CONFIGS "/run.yaml", 1 << 16, &err) != PR_OK) fail_msg("%s", err.text);
    assert_int_equal(parse(&c, "version: 1\nconsensus: {zzzzzz: 1}\n", &err), PR_ERR_USAGE);
    const char *list = strstr(err.text, "allowed: ");
    assert_non_null(list);
    snprintf(names, sizeof names, "%s", list + strlen("allowed: "));
    size_t n = 0;
    for (char *name = strtok(names, ", "); name; name = strtok(NULL, ", "), n++) {
        snprintf(line, sizeof line, "\n  %s: ", name);
        const char *found = strstr((char *)template, line);
        snprintf(line, sizeof line, "\n  # %s: ", name); /* without a default that could stand there */
        if (!found && !strstr((char *)template, line)) fail_msg("configs/run.yaml does not tell of `%s`", name);
        snprintf(line, sizeof line, "version: 1\nconsensus: {%s: none}\n", name);
        unsigned min, max;
        const char *bounds = parse(&c, line, &err) == PR_OK ? NULL : strstr(err.text, "a whole number from ");
        if (!bounds) continue;
        assert_int_equal(sscanf(bounds, "a whole number from %u to %u", &min, &max), 2);
        snprintf(line, sizeof line, ", %u to %u", min, max);
        const char *told = strstr(found, line);
        if (!told || told > strstr(found + 1, "\n  ")) fail_msg("configs/run.yaml does not tell `%s`%s", name, line);
    }
    assert_int_equal(n, 9);
    free(template);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_defaults), cmocka_unit_test(test_every_key),
                                       cmocka_unit_test(test_mistakes), cmocka_unit_test(test_the_template),
                                       cmocka_unit_test(test_the_template_is_whole)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
