/* Makes a case file of the size of real AIRs, with its trace and preprocessed columns in an HDF5 file beside it.
 *
 *   make_large_air FOLDER SEED small|middle|large      FOLDER/large.json, FOLDER/large.h5
 *
 * Components come in pairs of one size that look up the same tuples, in relations of up to 128 values, with opposite
 * multiplicities in another order of rows; each looks a column up in a table of 2^log_table rows. The other columns are
 * sums of products of these, as long as the list of nodes is to be. Everything follows from the seed. */
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "air/air.h"
#include "base/random.h"

typedef struct shape {
    const char *name;
    uint32_t n_pairs, least_log, log_most, log_table, n_nodes, n_relations, cells_log; /* cells of a component */
    uint32_t most_columns, long_nodes, n_preprocessed;
} shape;

static const shape shapes[] = {
    {"small", 10, 4, 11, 8, 300, 4, 13, 140, 5000, 6},
    {"middle", 20, 4, 17, 14, 1000, 8, 20, 200, 20000, 10},
    {"large", 31, 4, 22, 20, 3000, 16, 22, 280, 100000, 12},
};

typedef struct component {
    uint32_t log_size, n_columns, n_free, n_nodes, capacity, *sums; /* sums: node of each column behind the free ones */
    pr_node *nodes;
    pr_m31 **cells;
} component;

static pr_prng rng;
static FILE *out;
static hid_t file;

static void fail(const char *what) {
    fprintf(stderr, "make_large_air: %s\n", what);
    exit(1);
}

static void *get(size_t n, size_t size) {
    void *p = calloc(n ? n : 1, size);
    if (!p) fail("out of memory");
    return p;
}

static uint32_t below(uint32_t n) { return pr_prng_below(&rng, n); }

static uint32_t add_node(component *c, uint32_t op, uint32_t a, uint32_t b) {
    if (c->n_nodes == c->capacity) {
        c->capacity = c->capacity ? 2 * c->capacity : 1024;
        c->nodes = realloc(c->nodes, c->capacity * sizeof *c->nodes);
        if (!c->nodes) fail("out of memory");
    }
    c->nodes[c->n_nodes] = (pr_node){op, a, b};
    return c->n_nodes++;
}

/* Column 1 is read in the row before as well: its second offset. Nodes 0 .. n_columns are these reads. */
static void add_reads(component *c) {
    for (uint32_t k = 0; k < c->n_columns; k++) add_node(c, PR_NODE_COL, k, k == 1);
    add_node(c, PR_NODE_COL, 1, 0);
}

static void add_sums(component *c, uint32_t n_nodes) {
    uint32_t n = c->n_columns - c->n_free, share = n ? n_nodes / n : 0;
    c->sums = get(n, sizeof *c->sums);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t sum = add_node(c, PR_NODE_MUL, below(c->n_free), c->n_columns);
        for (uint32_t end = c->n_nodes + share; c->n_nodes < end;) {
            uint32_t left = below(4) ? below(c->n_free) : add_node(c, PR_NODE_CONST, below(PR_P), 0);
            uint32_t term = add_node(c, PR_NODE_MUL, left, below(c->n_free));
            if (!below(8)) term = add_node(c, PR_NODE_NEG, term, 0);
            sum = add_node(c, below(2) ? PR_NODE_ADD : PR_NODE_SUB, sum, term);
        }
        c->sums[k] = sum;
    }
}

static void fill_row(component *c, pr_m31 *v, uint32_t row) {
    uint32_t before = (row - 1) & ((1u << c->log_size) - 1);
    for (uint32_t i = 0; i < c->n_nodes; i++) {
        const pr_node *n = &c->nodes[i];
        if (n->op == PR_NODE_COL) v[i] = n->a < c->n_free ? c->cells[n->a][i == c->n_columns ? before : row] : 0;
        if (n->op == PR_NODE_CONST) v[i] = n->a;
        if (n->op == PR_NODE_ADD) v[i] = pr_m31_add(v[n->a], v[n->b]);
        if (n->op == PR_NODE_SUB) v[i] = pr_m31_sub(v[n->a], v[n->b]);
        if (n->op == PR_NODE_MUL) v[i] = pr_m31_mul(v[n->a], v[n->b]);
        if (n->op == PR_NODE_NEG) v[i] = pr_m31_neg(v[n->a]);
    }
    for (uint32_t k = c->n_free; k < c->n_columns; k++) c->cells[k][row] = v[c->sums[k - c->n_free]];
}

static void fill_sums(component *c) {
    pr_m31 *v = get(c->n_nodes, sizeof *v);
    for (uint32_t row = 0; row < 1u << c->log_size; row++) fill_row(c, v, row);
    free(v);
}

static component make_component(uint32_t log_size, uint32_t n_columns, uint32_t n_free) {
    component c = {.log_size = log_size, .n_columns = n_columns, .n_free = n_free};
    c.cells = get(n_columns, sizeof *c.cells);
    for (uint32_t k = 0; k < n_columns; k++) c.cells[k] = get((size_t)1 << log_size, sizeof **c.cells);
    add_reads(&c);
    return c;
}

static void fill_free(component *c, uint32_t log_table) {
    for (uint32_t k = 0; k < c->n_free; k++)
        for (uint32_t r = 0; r < 1u << c->log_size; r++) c->cells[k][r] = below(k ? PR_P : 1u << log_table);
}

/* The same rows, each `shift` further on. */
static void copy_free(component *to, const component *from, uint32_t shift) {
    uint32_t mask = (1u << to->log_size) - 1;
    for (uint32_t k = 0; k < to->n_free; k++)
        for (uint32_t r = 0; r <= mask; r++) to->cells[k][(r + shift) & mask] = from->cells[k][r];
}

/* ---- files ---- */

static void write_dataset(const char *place, int rank, hsize_t columns, uint32_t log_size, pr_m31 *const *cells) {
    hsize_t rows = (hsize_t)1 << log_size, dims[2] = {columns, rows}, chunk[2] = {columns < 16 ? columns : 16, rows};
    if (rows > 8192) chunk[1] = 8192;
    hid_t space = H5Screate_simple(rank, dims + (2 - rank), NULL), list = H5Pcreate(H5P_DATASET_CREATE);
    bool packed = columns > 1 && log_size < 16; /* both kinds of layout are there */
    if (packed &&
        (H5Pset_chunk(list, rank, chunk + (2 - rank)) < 0 || H5Pset_shuffle(list) < 0 || H5Pset_deflate(list, 1) < 0))
        fail("no such layout");
    hid_t set = H5Dcreate2(file, place, H5T_STD_U32LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    hid_t memory = H5Screate_simple(1, &rows, NULL);
    hsize_t block = packed ? chunk[0] : 1;
    pr_m31 *all = get((size_t)(block * rows), sizeof *all);
    for (hsize_t k = 0; k < columns; k += block) {
        hsize_t n = columns - k < block ? columns - k : block, start[2] = {k, 0}, count[2] = {n, rows}, cell = n * rows;
        for (hsize_t i = 0; i < n; i++) memcpy(all + i * rows, cells[k + i], (size_t)rows * sizeof *all);
        hid_t flat = H5Screate_simple(1, &cell, NULL);
        if (H5Sselect_hyperslab(space, H5S_SELECT_SET, start + (2 - rank), NULL, count + (2 - rank), NULL) < 0 ||
            H5Dwrite(set, H5T_NATIVE_UINT32, flat, space, H5P_DEFAULT, all) < 0)
            fail("cannot write the trace");
        H5Sclose(flat);
    }
    free(all);
    H5Sclose(memory);
    H5Dclose(set);
    H5Pclose(list);
    H5Sclose(space);
}

static void write_trace(uint32_t index, const component *c) {
    char place[32];
    snprintf(place, sizeof place, "/trace/%u", index);
    write_dataset(place, 2, c->n_columns, c->log_size, c->cells);
}

static void write_node(const pr_node *n) {
    static const char *const names[] = {"col", "pre", "const", "add", "sub", "mul", "neg"};
    bool unary = n->op == PR_NODE_PRE || n->op == PR_NODE_CONST || n->op == PR_NODE_NEG;
    if (unary)
        fprintf(out, "{\"%s\":%u}", names[n->op], n->a);
    else
        fprintf(out, "{\"%s\":[%u,%u]}", names[n->op], n->a, n->b);
}

static void write_head(const component *c, uint32_t index) {
    fprintf(out, "%s\n{\"name\":\"c%u\",\"log_size\":%u,\"log_degree_bound\":%u,\"columns\":[", index ? "," : "", index,
            c->log_size, c->log_size + 1);
    for (uint32_t k = 0; k < c->n_columns; k++)
        fprintf(out, "%s{\"offsets\":%s}", k ? "," : "", k == 1 ? "[-1,0]" : "[0]");
    fprintf(out, "],\n\"nodes\":[");
    for (uint32_t i = 0; i < c->n_nodes; i++) {
        if (i) fputc(',', out);
        write_node(&c->nodes[i]);
    }
    fprintf(out, "],\n\"constraints\":[");
}

/* multiplicity: of the relation's tuples, 1 or -1. The table is relation 0. */
static void write_component(component *c, uint32_t index, uint32_t relation, uint32_t size, int multiplicity) {
    uint32_t n = c->n_columns - c->n_free, one = add_node(c, PR_NODE_CONST, 1, 0), sign = one, first;
    if (multiplicity < 0) sign = add_node(c, PR_NODE_NEG, one, 0);
    first = c->n_nodes;
    for (uint32_t k = 0; k < n; k++) add_node(c, PR_NODE_SUB, c->n_free + k, c->sums[k]);
    write_head(c, index);
    for (uint32_t k = 0; k < n; k++) fprintf(out, "%s%u", k ? "," : "", first + k);
    fprintf(out,
            "],\n\"lookups\":[{\"relation\":0,\"multiplicity\":%u,\"values\":[0]},"
            "{\"relation\":%u,\"multiplicity\":%u,\"values\":[",
            one, relation, sign);
    for (uint32_t k = 0; k < size; k++) fprintf(out, "%s%u", k ? "," : "", k);
    fprintf(out, "]}],\"batches\":[0,0]}");
    write_trace(index, c);
    for (uint32_t k = 0; k < c->n_columns; k++) free(c->cells[k]);
    free(c->cells);
    free(c->nodes);
    free(c->sums);
}

static void count_uses(pr_m31 *uses, const component *c) {
    for (uint32_t r = 0; r < 1u << c->log_size; r++) uses[c->cells[0][r]]++;
}

static void write_pair(uint32_t pair, const shape *s, pr_m31 *uses, uint32_t size) {
    uint32_t span = s->log_most - s->least_log, log_size = s->least_log + pair * span / (s->n_pairs - 1);
    uint32_t wish = s->cells_log > log_size ? 1u << (s->cells_log - log_size) : 6;
    uint32_t n_columns = wish < 6 ? 6 : wish > s->most_columns ? s->most_columns : wish;
    uint32_t n_free = n_columns * 2 / 3, n_nodes = pair == 1 ? s->long_nodes : log_size > 16 ? 60 : s->n_nodes;
    if (size > n_free) size = n_free;
    component left = make_component(log_size, n_columns, n_free), right = make_component(log_size, n_columns, n_free);
    fill_free(&left, s->log_table);
    copy_free(&right, &left, 1 + below((1u << log_size) - 1));
    add_sums(&left, n_nodes);
    add_sums(&right, n_nodes);
    fill_sums(&left);
    fill_sums(&right);
    count_uses(uses, &left);
    count_uses(uses, &right);
    write_component(&left, 2 * pair, 1 + pair % (s->n_relations - 1), size, 1);
    write_component(&right, 2 * pair + 1, 1 + pair % (s->n_relations - 1), size, -1);
}

static void write_table(const shape *s, pr_m31 *uses) {
    component c = {.log_size = s->log_table, .n_columns = 1, .cells = &uses};
    add_node(&c, PR_NODE_COL, 0, 0);
    add_node(&c, PR_NODE_PRE, 0, 0);
    add_node(&c, PR_NODE_NEG, 0, 0);
    write_head(&c, 2 * s->n_pairs);
    fprintf(out, "],\"lookups\":[{\"relation\":0,\"multiplicity\":2,\"values\":[1]}],\"batches\":[0]}");
    write_trace(2 * s->n_pairs, &c);
    free(c.nodes);
}

/* The table's values, then columns that nobody reads, as real AIRs have them for other programs. */
static void write_preprocessed(const shape *s) {
    pr_m31 *values = get((size_t)1 << s->log_table, sizeof *values);
    for (uint32_t k = 0; k < s->n_preprocessed; k++) {
        char place[32];
        for (uint32_t r = 0; r < 1u << s->log_table; r++) values[r] = k ? below(PR_P) : r;
        fprintf(out, "%s{\"id\":\"p%u\",\"log_size\":%u}", k ? "," : "", k, s->log_table);
        snprintf(place, sizeof place, "/preprocessed/%u", k);
        write_dataset(place, 1, 1, s->log_table, &values);
    }
    free(values);
}

static uint32_t relation_size(uint32_t index) { return index == 0 ? 1 : index == 1 ? 128 : 2 + 5 * index; }

static void write_case(const shape *s) {
    pr_m31 *uses = get((size_t)1 << s->log_table, sizeof *uses);
    fprintf(out, "{\"name\":\"large\",\"air\":{\"format\":\"proverun-air/1\",\"name\":\"large\",\"preprocessed\":[");
    write_preprocessed(s);
    fprintf(out, "],\n\"relations\":[");
    for (uint32_t k = 0; k < s->n_relations; k++)
        fprintf(out, "%s{\"name\":\"r%u\",\"size\":%u}", k ? "," : "", k, relation_size(k));
    fprintf(out, "],\n\"components\":[");
    for (uint32_t k = 0; k < s->n_pairs; k++) write_pair(k, s, uses, relation_size(1 + k % (s->n_relations - 1)));
    write_table(s, uses);
    uint32_t log_most = s->log_most > s->log_table ? s->log_most : s->log_table;
    fprintf(out,
            "]},\n\"statement_digest\":\"%064x\",\"config\":{\"pow_bits\":10,\"log_blowup_factor\":1,\"n_queries\":86,"
            "\"log_last_layer_degree_bound\":0,\"fold_step\":1,\"lifting_log_size\":%u,\"interaction_pow_bits\":0},\n"
            "\"public_terms\":[{\"relation\":1,\"multiplicity\":1,\"values\":[7,8]},"
            "{\"relation\":1,\"multiplicity\":2147483646,\"values\":[7,8]}],\n\"trace_file\":\"large.h5\"}\n",
            7, log_most + 1);
    free(uses);
}

int main(int argc, char **argv) {
    char path[1024];
    const shape *s = NULL;
    for (size_t k = 0; argc == 4 && k < sizeof shapes / sizeof *shapes; k++)
        if (strcmp(shapes[k].name, argv[3]) == 0) s = &shapes[k];
    if (!s) fail("usage: make_large_air FOLDER SEED small|middle|large");
    rng.state = strtoull(argv[2], NULL, 0);
    snprintf(path, sizeof path, "%s/large.json", argv[1]);
    out = fopen(path, "w");
    snprintf(path, sizeof path, "%s/large.h5", argv[1]);
    file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (!out || file < 0) fail("cannot write into the folder");
    H5Gclose(H5Gcreate2(file, "trace", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Gclose(H5Gcreate2(file, "preprocessed", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    write_case(s);
    if (fclose(out) || H5Fclose(file) < 0) fail("cannot write the case");
    return 0;
}
