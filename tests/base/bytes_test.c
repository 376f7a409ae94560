/* Reader, writer, hex and files: every bound, and what is written reads back. */
#include "base/bytes.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <dirent.h>
#include <cmocka.h>
#include "seed.h"

static void test_round_trip(void **state) {
    (void)state;
    pr_writer w;
    pr_writer_init(&w);
    pr_write_u8(&w, 0x01);
    pr_write_u16(&w, 0x0302);
    pr_write_u32(&w, 0x07060504);
    pr_write_u64(&w, 0x0f0e0d0c0b0a0908);
    pr_write_bytes(&w, "ab", 2);
    pr_write_text(&w, "xyz");
    pr_write_format(&w, "%d%s", 42, "!");
    assert_false(w.failed);
    for (uint8_t k = 0; k < 15; k++) assert_int_equal(w.data[k], k + 1); /* little-endian, no padding */
    assert_int_equal(w.size, 15 + 2 + 8 + 3 + 3);
    pr_reader r;
    pr_reader_init(&r, w.data, w.size);
    assert_int_equal(pr_read_u8(&r), 1);
    assert_int_equal(pr_read_u16(&r), 0x0302);
    assert_int_equal(pr_read_u32(&r), 0x07060504);
    assert_true(pr_read_u64(&r) == 0x0f0e0d0c0b0a0908);
    char text[4] = "";
    pr_read_bytes(&r, text, 2);
    assert_string_equal(text, "ab");
    assert_true(pr_read_u64(&r) == 3);
    assert_memory_equal(pr_read_borrow(&r, 3), "xyz", 3);
    assert_false(pr_reader_done(&r));
    assert_memory_equal(pr_read_borrow(&r, 3), "42!", 3);
    assert_true(pr_reader_done(&r));
    pr_writer_clear(&w);
}

/* Of every length, every read that does not fit fails, gives zeros, and so does all after it. */
static void test_short(void **state) {
    (void)state;
    static const uint8_t data[8] = {255, 255, 255, 255, 255, 255, 255, 255};
    for (size_t size = 0; size < 8; size++) {
        uint8_t out[8];
        pr_reader r;
        pr_reader_init(&r, data, size);
        assert_true(pr_read_u64(&r) == 0);
        assert_true(r.failed);
        assert_int_equal(pr_read_u8(&r), 0);
        assert_null(pr_read_borrow(&r, 0));
        memset(out, 1, sizeof out);
        pr_read_bytes(&r, out, 8);
        for (int k = 0; k < 8; k++) assert_int_equal(out[k], 0);
        assert_false(pr_reader_done(&r));
        pr_reader_init(&r, data, size);
        assert_null(pr_read_borrow(&r, SIZE_MAX));
        pr_reader_init(&r, data, size);
        assert_non_null(pr_read_borrow(&r, size));
        assert_null(pr_read_borrow(&r, SIZE_MAX - size / 2)); /* at + n would wrap */
    }
    pr_reader r;
    pr_reader_init(&r, NULL, 0);
    assert_true(pr_reader_done(&r));
    pr_read_bytes(&r, NULL, 0);
    assert_true(pr_reader_done(&r));
}

static void test_writer_grows(void **state) {
    (void)state;
    pr_prng prng = test_seed();
    pr_writer w;
    pr_writer_init(&w);
    uint64_t sum = 0, size = 0;
    for (int k = 0; k < 5000; k++) {
        uint8_t bytes[64];
        size_t n = pr_prng_below(&prng, sizeof bytes + 1);
        for (size_t i = 0; i < n; i++) sum += bytes[i] = (uint8_t)pr_prng_next(&prng);
        pr_write_bytes(&w, bytes, n);
        size += n;
    }
    assert_false(w.failed);
    assert_true(w.size == size && w.capacity >= w.size);
    for (size_t k = 0; k < w.size; k++) sum -= w.data[k];
    assert_true(sum == 0);
    pr_writer_clear(&w);
    assert_null(w.data);
}

/* The size is refused before the data are looked at. */
static void test_writer_refuses(void **state) {
    (void)state;
    pr_writer w;
    pr_writer_init(&w);
    pr_write_u8(&w, 7);
    volatile size_t huge = SIZE_MAX - 1;
    pr_write_bytes(&w, "", huge);
    assert_true(w.failed);
    assert_int_equal(w.size, 1);
    pr_write_u8(&w, 8); /* nothing is written behind a hole */
    assert_int_equal(w.size, 1);
    pr_writer_clear(&w);
}

static void test_hex(void **state) {
    (void)state;
    uint8_t data[256], back[256];
    char text[513];
    for (int k = 0; k < 256; k++) data[k] = (uint8_t)k;
    pr_hex_encode(text, data, 256);
    assert_int_equal(strlen(text), 512);
    assert_memory_equal(text, "000102", 6);
    assert_memory_equal(text + 2 * 0xab, "ab", 2);
    assert_true(pr_hex_decode(back, 256, text));
    assert_memory_equal(data, back, 256);
    assert_true(pr_hex_decode(back, 3, "aAbBfF"));
    assert_int_equal(back[1], 0xbb);
    static const char *const bad[] = {"", "0", "000", "00000", "0g00", "00 0", "0x00", "00/0", "00:0", "00@0", "00`0"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) assert_false(pr_hex_decode(back, 2, bad[k]));
    assert_true(pr_hex_decode(back, 0, ""));
    pr_hex_encode(text, data, 0);
    assert_string_equal(text, "");
}

static char directory[] = "/tmp/proverun-test-XXXXXX";

static int make_directory(void **state) {
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state) {
    (void)state;
    return rmdir(directory);
}

static size_t files_in(const char *path) {
    DIR *d = opendir(path);
    assert_non_null(d);
    size_t n = 0;
    for (struct dirent *e; (e = readdir(d));) n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void test_files(void **state) {
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s/file", directory);
    pr_error err = {0};
    uint8_t *data = NULL;
    size_t size;
    assert_int_equal(pr_file_read(&data, &size, path, 100, &err), PR_ERR_IO);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(pr_file_write_atomic(path, "hello", 5, 0640, &err), PR_OK);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(pr_file_write_atomic(path, "hello, world", 12, 0600, &err), PR_OK); /* over the old one */
    assert_int_equal(pr_file_read(&data, &size, path, 12, &err), PR_OK);
    assert_int_equal(size, 12);
    assert_string_equal((char *)data, "hello, world"); /* the 0 byte behind */
    free(data);
    assert_int_equal(pr_file_read(&data, &size, path, 11, &err), PR_ERR_MALFORMED);
    assert_non_null(strstr(err.text, "longer than 11"));
    assert_int_equal(files_in(directory), 1); /* no temporary is left */
    assert_int_equal(pr_file_write_atomic(path, NULL, 0, 0600, &err), PR_OK);
    assert_int_equal(pr_file_read(&data, &size, path, 0, &err), PR_OK);
    assert_int_equal(size, 0);
    free(data);
    assert_int_equal(unlink(path), 0);
}

static void test_file_errors(void **state) {
    (void)state;
    pr_error err = {0};
    uint8_t *data;
    size_t size;
    assert_int_equal(pr_file_write_atomic("/nonexistent-directory/file", "x", 1, 0600, &err), PR_ERR_IO);
    assert_non_null(strstr(err.text, "/nonexistent-directory/file"));
    assert_int_equal(pr_file_read(&data, &size, directory, 100, &err), PR_ERR_IO); /* a directory */
    /* a path that cannot be replaced: the temporary goes away again */
    char path[128];
    snprintf(path, sizeof path, "%s/taken", directory);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(pr_file_write_atomic(path, "x", 1, 0600, &err), PR_ERR_IO);
    assert_int_equal(files_in(directory), 1);
    assert_int_equal(rmdir(path), 0);
}

static void test_folders(void **state) {
    (void)state;
    pr_error err = {0};
    char path[128], part[128];
    struct stat st;
    snprintf(part, sizeof part, "%s/a", directory);
    snprintf(path, sizeof path, "%s/a//b/", directory);
    for (int again = 0; again < 2; again++) assert_int_equal(pr_file_make_folders(path, &err), PR_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(part), 0);
    strcat(path, "file");
    for (int again = 0; again < 2; again++) assert_int_equal(pr_file_make_folders_above(path, &err), PR_OK);
    assert_int_not_equal(stat(path, &st), 0);
    path[strlen(path) - strlen("file")] = 0;
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(part), 0);
    assert_int_equal(pr_file_make_folders_above("no-slash", &err), PR_OK);
    assert_int_equal(pr_file_make_folders_above("/at-the-root", &err), PR_OK);
    assert_string_equal(pr_file_name("a/b/file"), "file");
    assert_string_equal(pr_file_name("file"), "file");
    assert_string_equal(pr_file_name("a/"), "");
    assert_int_equal(pr_file_write_atomic(part, "x", 1, 0600, &err), PR_OK); /* a file is in the way */
    assert_int_equal(pr_file_make_folders(path, &err), PR_ERR_IO);
    assert_non_null(strstr(err.text, part));
    assert_int_equal(unlink(part), 0);
    assert_int_equal(pr_file_sync_folder("no-slash", &err), PR_OK);
    assert_int_equal(pr_file_sync_folder("/nonexistent-directory/file", &err), PR_ERR_IO);
}

/* A pipe or a device is written to; a file in its place would break it for everybody. */
static void test_special_file(void **state) {
    (void)state;
    pr_error err = {0};
    struct stat st;
    char path[128], got[8] = "";
    snprintf(path, sizeof path, "%s/pipe", directory);
    assert_int_equal(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    assert_int_equal(pr_file_write_atomic(path, "hello", 5, 0600, &err), PR_OK);
    assert_int_equal(read(reader, got, sizeof got), 5);
    assert_memory_equal(got, "hello", 5);
    assert_int_equal(stat(path, &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    close(reader);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/dev/full", path), 0);
    assert_int_equal(pr_file_write_atomic(path, "hello", 5, 0600, &err), PR_ERR_IO);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(unlink(path), 0);
    /* a link to a file */
    char target[128];
    snprintf(target, sizeof target, "%s/target", directory);
    assert_int_equal(pr_file_write_atomic(target, "old", 3, 0600, &err), PR_OK);
    assert_int_equal(symlink("target", path), 0);
    assert_int_equal(pr_file_write_atomic(path, "newer", 5, 0600, &err), PR_OK);
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(stat(target, &st), 0);
    assert_int_equal(st.st_size, 5);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(target), 0);
}

/* Files of /proc say size 0 and still have bytes. */
static void test_sizeless_file(void **state) {
    (void)state;
    uint8_t *data = NULL;
    size_t size = 0;
    assert_int_equal(pr_file_read(&data, &size, "/proc/self/status", 1 << 20, NULL), PR_OK);
    assert_true(size > 0 && strstr((char *)data, "VmHWM"));
    free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_short),
                                       cmocka_unit_test(test_writer_grows),  cmocka_unit_test(test_writer_refuses),
                                       cmocka_unit_test(test_hex),           cmocka_unit_test(test_files),
                                       cmocka_unit_test(test_folders),       cmocka_unit_test(test_file_errors),
                                       cmocka_unit_test(test_sizeless_file), cmocka_unit_test(test_special_file)};
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
