/* Datasets of columns: every layout gives the same columns, and what cannot be read is refused with its column. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "casefile/chunks.h"

enum { LOG_SIZE = 6, ROWS = 1 << LOG_SIZE, COLUMNS = 7 };

static char path[] = "proverun-test-XXXXXX";
static hid_t file;
static pr_m31 cells[COLUMNS][ROWS], found[COLUMNS][ROWS];

static int set_up(void **state) {
    (void)state;
    int fd = mkstemp(path);
    if (fd < 0) return -1;
    close(fd);
    for (uint32_t k = 0; k < COLUMNS; k++)
        for (uint32_t r = 0; r < ROWS; r++) cells[k][r] = (k * 0x9e3779b1u + r * 0x85ebca6bu + 1) % PR_P;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    return file >= 0 ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    H5Fclose(file);
    return unlink(path);
}

/* ---- layouts ---- */

typedef enum filters { PLAIN, SHUFFLED, DEFLATED, BOTH, CHECKED, DEFLATED_THEN_SHUFFLED, SCALED, N_FILTERS } filters;

static hid_t layout_of(const hsize_t chunk[2], filters f) {
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_chunk(list, 2, chunk) >= 0);
    if (f == SHUFFLED || f == BOTH) assert_true(H5Pset_shuffle(list) >= 0);
    if (f == DEFLATED || f == BOTH || f == DEFLATED_THEN_SHUFFLED) assert_true(H5Pset_deflate(list, 4) >= 0);
    if (f == DEFLATED_THEN_SHUFFLED) assert_true(H5Pset_shuffle(list) >= 0);
    if (f == CHECKED) assert_true(H5Pset_fletcher32(list) >= 0);
    if (f == SCALED) assert_true(H5Pset_scaleoffset(list, H5Z_SO_INT, H5Z_SO_INT_MINBITS_DEFAULT) >= 0);
    return list;
}

/* Takes the list. */
static hid_t new_dataset(hid_t list, hid_t type) {
    static const hsize_t dims[2] = {COLUMNS, ROWS};
    static unsigned n;
    char name[16];
    snprintf(name, sizeof name, "%u", n++);
    hid_t space = H5Screate_simple(2, dims, NULL);
    hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    assert_true(set >= 0);
    H5Sclose(space);
    if (list != H5P_DEFAULT) H5Pclose(list);
    return set;
}

/* The same dataset, opened again: the library remembers places of chunks, as a reader's does not yet. Takes set. */
static hid_t reopen(hid_t set) {
    char name[32];
    assert_true(H5Iget_name(set, name, sizeof name) > 0);
    H5Dclose(set);
    set = H5Dopen2(file, name, H5P_DEFAULT);
    assert_true(set >= 0);
    return set;
}

static void write_cells(hid_t set) {
    assert_true(H5Dwrite(set, H5T_NATIVE_UINT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, cells) >= 0);
}

static pr_status read_columns(pr_chunk_failure *failure, hid_t set, unsigned n_threads) {
    pr_m31 *columns[COLUMNS];
    memset(found, 0xee, sizeof found);
    for (uint32_t k = 0; k < COLUMNS; k++) columns[k] = found[k];
    *failure = (pr_chunk_failure){0};
    return pr_chunks_read(failure, set, columns, 2, COLUMNS, LOG_SIZE, n_threads);
}

static void assert_reads(hid_t set, const char *what, unsigned a, unsigned b) {
    for (unsigned n_threads = 1; n_threads <= 3; n_threads += 2) {
        pr_chunk_failure failure;
        if (read_columns(&failure, set, n_threads) != PR_OK)
            fail_msg("%s %u %u: column %u: %s", what, a, b, failure.column, failure.text);
        if (memcmp(found, cells, sizeof cells) != 0)
            fail_msg("%s %u %u, %u threads: other values", what, a, b, n_threads);
    }
}

/* Chunks of one cell, of a few that do not divide the columns or the rows, of all. */
static void every_shape_and_filter(void **state) {
    (void)state;
    static const hsize_t shapes[][2] = {{1, 1}, {1, 64}, {7, 64}, {7, 1}, {2, 16}, {3, 10}, {5, 63}, {4, 33}, {6, 5}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (filters f = PLAIN; f < N_FILTERS; f++) {
            hid_t set = new_dataset(layout_of(shapes[s], f), H5T_STD_U32LE);
            write_cells(set);
            set = reopen(set);
            assert_reads(set, "shape, filters", (unsigned)s, f);
            H5Dclose(set);
        }
}

static void other_byte_order(void **state) {
    (void)state;
    static const hsize_t chunk[2] = {3, 10};
    for (filters f = PLAIN; f < N_FILTERS; f++) {
        hid_t set = new_dataset(layout_of(chunk, f), H5T_STD_U32BE);
        write_cells(set);
        set = reopen(set);
        assert_reads(set, "big-endian, filters", f, 0);
        H5Dclose(set);
    }
    hid_t set = new_dataset(H5P_DEFAULT, H5T_STD_U32BE);
    write_cells(set);
    set = reopen(set);
    assert_reads(set, "big-endian, one piece", 0, 0);
    H5Dclose(set);
}

static void in_one_piece(void **state) {
    (void)state;
    static const H5D_layout_t layouts[] = {H5D_CONTIGUOUS, H5D_COMPACT};
    for (unsigned k = 0; k < 2; k++) {
        hid_t list = H5Pcreate(H5P_DATASET_CREATE);
        assert_true(H5Pset_layout(list, layouts[k]) >= 0);
        hid_t set = new_dataset(list, H5T_STD_U32LE);
        write_cells(set);
        set = reopen(set);
        assert_reads(set, "one piece", k, 0);
        H5Dclose(set);
    }
}

/* A chunk whose filter was left out when it was written, and chunks that were never written: those are zeros. */
static void chunks_by_themselves(void **state) {
    (void)state;
    static const hsize_t chunk[2] = {7, 32}, first[2] = {0, 0};
    hid_t set = new_dataset(layout_of(chunk, BOTH), H5T_STD_U32LE);
    pr_m31 part[COLUMNS][32];
    for (uint32_t k = 0; k < COLUMNS; k++) memcpy(part[k], cells[k], sizeof part[k]);
    assert_true(H5Dwrite_chunk(set, H5P_DEFAULT, 3, first, sizeof part, part) >= 0);
    set = reopen(set);
    pr_m31 kept[COLUMNS][ROWS];
    memcpy(kept, cells, sizeof kept);
    for (uint32_t k = 0; k < COLUMNS; k++) memset(cells[k] + 32, 0, sizeof part[k]);
    assert_reads(set, "unfiltered, unwritten", 0, 0);
    memcpy(cells, kept, sizeof kept);
    H5Dclose(set);
}

static void edges_left_unfiltered(void **state) {
    (void)state;
    static const hsize_t chunk[2] = {3, 10};
    hid_t list = layout_of(chunk, BOTH);
    char other[] = "proverun-test-XXXXXX";
    int fd = mkstemp(other);
    assert_true(fd >= 0);
    close(fd);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), kept = file;
    assert_true(H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST) >= 0);
    file = H5Fcreate(other, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    assert_true(H5Pset_chunk_opts(list, H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS) >= 0);
    hid_t set = new_dataset(list, H5T_STD_U32LE);
    write_cells(set);
    set = reopen(set);
    assert_reads(set, "edges unfiltered", 0, 0);
    H5Dclose(set);
    H5Fclose(file);
    H5Pclose(access);
    unlink(other);
    file = kept;
}

static void damaged_chunks(void **state) {
    (void)state;
    static const hsize_t chunk[2] = {4, 32}, second[2] = {4, 32};
    static const struct {
        filters f;
        uint32_t mask;
        size_t size;
    } bad[] = {{DEFLATED, 0, 100}, {BOTH, 0, 3}, {BOTH, 2, 4}};
    static uint8_t noise[512];
    for (size_t i = 0; i < sizeof noise; i++) noise[i] = (uint8_t)(37 * i + 11);
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        hid_t set = new_dataset(layout_of(chunk, bad[k].f), H5T_STD_U32LE);
        pr_chunk_failure failure;
        write_cells(set);
        assert_true(H5Dwrite_chunk(set, H5P_DEFAULT, bad[k].mask, second, bad[k].size, noise) >= 0);
        set = reopen(set);
        assert_int_equal(read_columns(&failure, set, 2), PR_ERR_INPUT);
        assert_int_equal(failure.column, 4);
        assert_string_equal(failure.text, "a chunk does not unpack");
        H5Dclose(set);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_and_filter), cmocka_unit_test(other_byte_order),
        cmocka_unit_test(in_one_piece),           cmocka_unit_test(chunks_by_themselves),
        cmocka_unit_test(edges_left_unfiltered),  cmocka_unit_test(damaged_chunks),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
