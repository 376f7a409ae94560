#include "casefile/chunks.h"
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* A piece of the dataset: columns [column, column + n_columns), rows [row, row + n_rows). */
typedef struct piece {
    hsize_t column, n_columns, row, n_rows;
} piece;

typedef struct job {
    hid_t dataset, space;
    pr_m31 *const *columns;
    int rank;
    hsize_t n_columns, n_rows;
    hsize_t chunk_columns, chunk_rows; /* of a chunk; not those at the edge */
    bool unpacks;                      /* the filters are ours to undo */
    bool edges_are_plain;              /* chunks that reach beyond the dataset are unfiltered, and do not say so */
    int shuffle_at, deflate_at;        /* place in the pipeline; -1: not there */
    pr_chunk_failure *failure;
    pr_status status;
} job;

static void fail(job *j, pr_status status, hsize_t column, const char *text) {
#pragma omp critical(case_chunk)
    if (j->status == PR_OK) {
        j->status = status;
        *j->failure = (pr_chunk_failure){(uint32_t)column, text};
    }
}

/* Of the library: one thread at a time. */
static bool read_piece(const job *j, const piece *p, pr_m31 *out) {
    const hsize_t start[2] = {p->column, p->row}, count[2] = {p->n_columns, p->n_rows};
    const hsize_t n = p->n_columns * p->n_rows;
    int skip = 2 - j->rank;
    hid_t memory = H5Screate_simple(1, &n, NULL);
    bool good = memory >= 0 &&
                H5Sselect_hyperslab(j->space, H5S_SELECT_SET, start + skip, NULL, count + skip, NULL) >= 0 &&
                H5Dread(j->dataset, H5T_NATIVE_UINT32, memory, j->space, H5P_DEFAULT, out) >= 0;
    if (memory >= 0) H5Sclose(memory);
    return good;
}

static pr_status read_columns(job *j) {
    for (hsize_t k = 0; k < j->n_columns; k++) {
        const piece column = {k, 1, 0, j->n_rows};
        if (!read_piece(j, &column, j->columns[k])) {
            fail(j, PR_ERR_INPUT, k, "the library cannot read it");
            break;
        }
    }
    return j->status;
}

/* ---- chunks ---- */

/* The chunk at hand without what lies beyond the dataset. */
static piece piece_of(const job *j, size_t chunk) {
    hsize_t across = (j->n_rows + j->chunk_rows - 1) / j->chunk_rows;
    piece p = {chunk / across * j->chunk_columns, j->chunk_columns, chunk % across * j->chunk_rows, j->chunk_rows};
    if (p.n_columns > j->n_columns - p.column) p.n_columns = j->n_columns - p.column;
    if (p.n_rows > j->n_rows - p.row) p.n_rows = j->n_rows - p.row;
    return p;
}

typedef struct buffers {
    size_t words; /* of a whole chunk */
    uint8_t *raw; /* as stored; [capacity] */
    size_t capacity;
    pr_m31 *cells; /* [words] */
} buffers;

/* The stored bytes; false: not to be had this way (never written, or other filters). */
static bool read_raw(const job *j, const piece *p, buffers *b, hsize_t *n, uint32_t *mask) {
    const hsize_t offset[2] = {p->column, p->row}, *at = offset + (2 - j->rank);
    if (H5Dget_chunk_storage_size(j->dataset, at, n) < 0 || *n == 0 || *n > (hsize_t)16 * b->words + 65536)
        return false;
    if (*n > b->capacity) {
        uint8_t *grown = realloc(b->raw, (size_t)*n);
        if (!grown) return false;
        b->raw = grown;
        b->capacity = (size_t)*n;
    }
    return H5Dread_chunk(j->dataset, H5P_DEFAULT, at, mask, b->raw) >= 0;
}

/* What is stored when the filters but shuffling are undone: [4 * words]. NULL: it does not unpack. */
static const uint8_t *inflate_chunk(const job *j, const buffers *b, hsize_t n, uint32_t mask) {
    uLongf size = 4 * b->words;
    if (j->deflate_at < 0 || mask >> j->deflate_at & 1) return n == size ? b->raw : NULL;
    const bool good = uncompress((Bytef *)b->cells, &size, b->raw, (uLong)n) == Z_OK && size == 4 * b->words;
    return good ? (const uint8_t *)b->cells : NULL;
}

/* The library's shuffle filter: bytes 0 of all words of a chunk stand together, then bytes 1, ... */
static void unshuffle(uint8_t *restrict out, const uint8_t *restrict in, size_t stride, size_t n) {
    for (size_t i = 0; i < n; i++) {
        out[4 * i] = in[i];
        out[4 * i + 1] = in[stride + i];
        out[4 * i + 2] = in[2 * stride + i];
        out[4 * i + 3] = in[3 * stride + i];
    }
}

/* Into the columns; stride: words from one of them to the next. */
static void copy_out(const job *j, const piece *p, const pr_m31 *cells, hsize_t stride) {
    for (hsize_t k = 0; k < p->n_columns; k++)
        memcpy(j->columns[p->column + k] + p->row, cells + k * stride, (size_t)p->n_rows * sizeof *cells);
}
static void copy_shuffled(const job *j, const piece *p, const uint8_t *bytes, size_t words) {
    for (hsize_t k = 0; k < p->n_columns; k++)
        unshuffle((uint8_t *)(j->columns[p->column + k] + p->row), bytes + k * j->chunk_rows, words, (size_t)p->n_rows);
}

static bool unpack(const job *j, const piece *p, const buffers *b, hsize_t n, uint32_t mask) {
    const uint8_t *bytes = inflate_chunk(j, b, n, mask);
    if (!bytes) return false;
    if (j->shuffle_at >= 0 && !(mask >> j->shuffle_at & 1))
        copy_shuffled(j, p, bytes, b->words);
    else
        copy_out(j, p, (const pr_m31 *)(const void *)bytes, j->chunk_rows);
    return true;
}

static void read_chunk(job *j, size_t chunk, buffers *b) {
    const piece p = piece_of(j, chunk);
    hsize_t n = 0;
    uint32_t mask = 0;
    bool raw = false, good = true;
#pragma omp critical(case_hdf5)
    {
        bool is_whole = p.n_columns == j->chunk_columns && p.n_rows == j->chunk_rows;
        raw = j->unpacks && (is_whole || !j->edges_are_plain) && read_raw(j, &p, b, &n, &mask);
        if (!raw) good = read_piece(j, &p, b->cells);
    }
    if (raw)
        good = unpack(j, &p, b, n, mask);
    else if (good)
        copy_out(j, &p, b->cells, p.n_rows);
    if (!good) fail(j, PR_ERR_INPUT, p.column, raw ? "a chunk does not unpack" : "the library cannot read it");
}

static pr_status read_chunks(job *j, unsigned n_threads) {
    size_t n = (size_t)((j->n_columns + j->chunk_columns - 1) / j->chunk_columns *
                        ((j->n_rows + j->chunk_rows - 1) / j->chunk_rows));
#pragma omp parallel num_threads((int)n_threads)
    {
        buffers b = {.words = (size_t)(j->chunk_columns * j->chunk_rows)};
        b.cells = malloc(4 * b.words);
        if (!b.cells) fail(j, PR_ERR_MEMORY, 0, "out of memory");
#pragma omp for schedule(dynamic)
        for (size_t k = 0; k < n; k++)
            if (b.cells && j->status == PR_OK) read_chunk(j, k, &b);
        free(b.cells);
        free(b.raw);
    }
    return j->status;
}

/* ---- which way ---- */

static void look_at_filters(job *j, hid_t list) {
    int n = H5Pget_nfilters(list);
    hid_t type = H5Dget_type(j->dataset);
    j->unpacks = n >= 0 && type >= 0 && H5Tequal(type, H5T_NATIVE_UINT32) > 0;
    j->shuffle_at = j->deflate_at = -1;
    unsigned options = 0;
    j->edges_are_plain = H5Pget_chunk_opts(list, &options) < 0 || options & H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS;
    for (int i = 0; i < n; i++) {
        unsigned flags, config;
        size_t n_values = 0;
        H5Z_filter_t filter = H5Pget_filter2(list, (unsigned)i, &flags, &n_values, NULL, 0, NULL, &config);
        if (filter == H5Z_FILTER_SHUFFLE && j->shuffle_at < 0 && j->deflate_at < 0)
            j->shuffle_at = i;
        else if (filter == H5Z_FILTER_DEFLATE && j->deflate_at < 0)
            j->deflate_at = i;
        else
            j->unpacks = false;
    }
    if (type >= 0) H5Tclose(type);
}

static pr_status read_open(job *j, hid_t list, unsigned n_threads) {
    hsize_t chunk[2] = {1, 1};
    if (H5Pget_layout(list) != H5D_CHUNKED || H5Pget_chunk(list, j->rank, chunk + (2 - j->rank)) != j->rank)
        return read_columns(j);
    j->chunk_columns = chunk[0];
    j->chunk_rows = chunk[1];
    look_at_filters(j, list);
    return read_chunks(j, n_threads);
}

pr_status pr_chunks_read(pr_chunk_failure *failure, hid_t dataset, pr_m31 *const *columns, int rank, uint32_t n_columns,
                         uint32_t log_size, unsigned n_threads) {
    job j = {.dataset = dataset, .columns = columns, .rank = rank, .n_columns = n_columns, .failure = failure};
    j.n_rows = (hsize_t)1 << log_size;
    j.space = H5Dget_space(dataset);
    hid_t list = H5Dget_create_plist(dataset);
    if (j.space >= 0 && list >= 0)
        (void)read_open(&j, list, n_threads);
    else
        fail(&j, PR_ERR_INPUT, 0, "the library cannot open it");
    if (list >= 0) H5Pclose(list);
    if (j.space >= 0) H5Sclose(j.space);
    return j.status;
}
