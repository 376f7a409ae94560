/* Files of stakes: what they may say, and each mistake with its place. */
#include "manifest/stakes.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define KEY "0x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static pr_status parse(pr_stakes *s, const char *text, pr_error *err) {
    return pr_stakes_parse(s, text, strlen(text), "stakes", err);
}

static void refuses(const char *text, const char *place, const char *what) {
    pr_stakes s;
    pr_error err = {0};
    char start[64];
    assert_int_equal(parse(&s, text, &err), PR_ERR_USAGE);
    assert_null(s.items);
    snprintf(start, sizeof start, "stakes:%s: ", place);
    if (strncmp(err.text, start, strlen(start)) != 0 || !strstr(err.text, what))
        fail_msg("'%s' is not '%s...%s'", err.text, start, what);
}

static void test_all_forms(void **state) {
    (void)state;
    pr_stakes s;
    pr_error err = {0};
    if (parse(&s, "# who much\n\n rank-0\t5 # five\r\n" KEY " 1000000000000000\nrank-12 1", &err) != PR_OK)
        fail_msg("%s", err.text);
    assert_int_equal(s.n, 3);
    assert_int_equal(s.items[0].rank, 0);
    assert_int_equal(s.items[0].stake, 5);
    assert_int_equal(s.items[0].line, 3);
    assert_int_equal(s.items[1].rank, -1);
    assert_int_equal(s.items[1].public_key[1], 0x11);
    assert_int_equal(s.items[1].stake, PR_STAKES_MAX);
    assert_int_equal(s.items[2].rank, 12);
    assert_int_equal(s.items[2].line, 5);
    pr_stakes_clear(&s);
}

static void test_mistakes(void **state) {
    (void)state;
    refuses("", "1:1", "no stakes");
    refuses("# nobody\n", "1:1", "no stakes");
    refuses("rank-0 1\nrank-1\n", "2:7", "from 1 to 1000000000000000");
    refuses("rank-0 0\n", "1:8", "`0`; allowed: a whole number from 1");
    refuses("rank-0 -1\n", "1:8", "a whole number");
    refuses("rank-0 1.5\n", "1:8", "a whole number");
    refuses("rank-0 1000000000000001\n", "1:8", "a whole number");
    refuses("rank-0 99999999999999999999999999\n", "1:8", "a whole number");
    refuses("rank-0 1 2\n", "1:10", "a third word: `2`");
    refuses("\n  node-1 3\n", "2:3", "validator: `node-1`; allowed: rank-N");
    refuses("rank- 3\n", "1:1", "rank-N");
    refuses("rank-1x 3\n", "1:1", "rank-N");
    refuses("0x1234 3\n", "1:1", "64 hex digits");
    refuses("rank-1 3\nrank-0 1\nrank-1 3\n", "3:1", "in line 1");
    refuses(KEY " 3\n " KEY " 4\n", "2:2", "in line 1");
}

static void test_no_file(void **state) {
    (void)state;
    pr_stakes s;
    pr_error err = {0};
    assert_int_equal(pr_stakes_load(&s, "no-such-stakes", &err), PR_ERR_IO);
    assert_non_null(strstr(err.text, "no-such-stakes"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_forms), cmocka_unit_test(test_mistakes),
                                       cmocka_unit_test(test_no_file)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
