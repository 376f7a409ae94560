/* The example of docs/statement.md, byte by byte; and that each field of an AIR and of a statement counts. */
#include "base/bytes.h"
#include "support.h"
#include <stdio.h>

/* ---- the example, built by hand ---- */

typedef struct example {
    pr_air *air;
    pr_statement st;
    const char *job_type;
    uint32_t job_version;
    const char *public_data;
} example;

static char *text(const char *s) {
    char *copy = strdup(s);
    assert_non_null(copy);
    return copy;
}

static void *copy_of(const void *items, size_t size) {
    void *copy = malloc(size);
    assert_non_null(copy);
    return memcpy(copy, items, size);
}
#define COPY(type, ...) copy_of((const type[]){__VA_ARGS__}, sizeof((const type[]){__VA_ARGS__}))

static pr_air *example_air(void) {
    pr_air_component c = {.name = text("c"),
                          .log_size = 1,
                          .n_columns = 1,
                          .n_nodes = 4,
                          .n_constraints = 1,
                          .n_lookups = 1,
                          .n_batches = 1};
    c.columns = COPY(pr_air_column, {2, {-1, 0}});
    c.nodes = COPY(pr_node, {PR_NODE_COL, 0, 0}, {PR_NODE_COL, 0, 1}, {PR_NODE_PRE, 0, 0}, {PR_NODE_SUB, 1, 0});
    c.constraints = COPY(pr_air_constraint, {3, text("constant")});
    c.lookups = COPY(pr_air_lookup, {.multiplicity = 2, .n_values = 1, .values = COPY(uint32_t, 1)});
    pr_air air = {.name = text("tiny"), .n_preprocessed = 1, .n_relations = 1, .n_components = 1};
    air.preprocessed = COPY(pr_air_preprocessed, {text("p"), 1, COPY(pr_m31, 5, 6)});
    air.relations = COPY(pr_air_relation, {text("r"), 1});
    air.components = copy_of(&c, sizeof c);
    return copy_of(&air, sizeof air);
}

static void example_init(example *e) {
    static const pr_config config = {.pow_bits = 20,
                                     .log_blowup = 1,
                                     .n_queries = 76,
                                     .log_last_layer_degree_bound = 1,
                                     .fold_step = 2,
                                     .lifting_log_size = 2,
                                     .interaction_pow_bits = 7};
    static const pr_m31 five = 5;
    *e = (example){.air = example_air(), .job_type = "demo", .job_version = 1, .public_data = "ok"};
    assert_int_equal(pr_air_validate(e->air, NULL), PR_OK);
    support_statement(&e->st, e->air, &config);
    assert_int_equal(pr_statement_add_public_term(&e->st, 0, PR_P - 1, &five, 1, NULL), PR_OK);
}

static void example_clear(example *e) {
    pr_statement_clear(&e->st);
    pr_air_destroy(e->air);
}

static pr_hash digest_of(const example *e) {
    return pr_statement_digest(e->job_type, e->job_version, &e->st, e->public_data, strlen(e->public_data));
}

/* ---- the page ---- */

/* The bytes of a table of the page: each line has an offset or blanks, then hex, then two blanks and words. */
static const char *read_table(pr_writer *out, const char *at) {
    at = strstr(at, "\n   0  ");
    assert_non_null(at);
    for (at++; *at != '`'; at = strchr(at, '\n') + 1) {
        size_t offset = (size_t)strtoul(at, NULL, 10);
        if (at[5] != ' ' || at[3] != ' ') assert_int_equal(offset, out->size);
        for (const char *byte = at + 6; byte[0] != ' ' && byte[0] != '\n'; byte += 2 + (byte[2] == ' ')) {
            uint8_t v;
            char digits[3] = {byte[0], byte[1], 0};
            assert_true(pr_hex_decode(&v, 1, digits));
            pr_write_u8(out, v);
        }
    }
    return at;
}

/* The next 64 hex digits between backquotes. */
static pr_hash read_digest(const char *at) {
    pr_hash h;
    char digits[65] = "";
    at = strstr(at, "digest:\n`");
    assert_non_null(at);
    memcpy(digits, at + 9, 64);
    assert_true(pr_hex_decode(h.bytes, 32, digits));
    return h;
}

static void the_page_is_the_code(void **state) {
    (void)state;
    uint8_t *page = NULL;
    size_t size;
    pr_error err = {0};
    if (pr_file_read(&page, &size, PR_TEST_VECTORS "/../../docs/statement.md", 1 << 20, &err) != PR_OK)
        fail_msg("%s", err.text);
    pr_writer air, st;
    pr_writer_init(&air);
    pr_writer_init(&st);
    const char *after_air = read_table(&air, strstr((const char *)page, "## Example"));
    const char *after_st = read_table(&st, after_air);
    assert_int_equal(air.size, 205);
    assert_int_equal(st.size, 136);
    pr_hash told_air = read_digest(after_air), told_st = read_digest(after_st);
    pr_hash air_hash = pr_blake2s_hash(air.data, air.size), st_hash = pr_blake2s_hash(st.data, st.size);
    example e;
    example_init(&e);
    pr_hash coded_air = pr_air_digest(e.air), coded_st = digest_of(&e);
    assert_memory_equal(air_hash.bytes, told_air.bytes, 32);
    assert_memory_equal(st_hash.bytes, told_st.bytes, 32);
    assert_memory_equal(coded_air.bytes, told_air.bytes, 32);
    assert_memory_equal(coded_st.bytes, told_st.bytes, 32);
    assert_memory_equal(st.data + 44, told_air.bytes, 32);
    example_clear(&e);
    pr_writer_clear(&air);
    pr_writer_clear(&st);
    free(page);
}

/* ---- each field counts ---- */

static void retext(char **field, const char *s) {
    free(*field);
    *field = text(s);
}

#define CHANGE(name, statement)                                                                                        \
    static void name(example *e) { statement; }
#define C (e->air->components[0])
CHANGE(job_type, e->job_type = "demp")
CHANGE(job_version, e->job_version = 2)
CHANGE(public_data, e->public_data = "oK")
CHANGE(public_data_shorter, e->public_data = "o")
CHANGE(pow_bits, e->st.config.pow_bits++)
CHANGE(log_blowup, e->st.config.log_blowup++)
CHANGE(n_queries, e->st.config.n_queries++)
CHANGE(last_layer, e->st.config.log_last_layer_degree_bound++)
CHANGE(fold_step, e->st.config.fold_step++)
CHANGE(lifting, e->st.config.lifting_log_size++)
CHANGE(no_lifting, e->st.config.lifting_log_size = -1)
CHANGE(zero_lifting, e->st.config.lifting_log_size = 0)
CHANGE(interaction_pow_bits, e->st.config.interaction_pow_bits++)
CHANGE(no_interaction_pow_bits, e->st.config.interaction_pow_bits = 0)
CHANGE(term_relation, e->st.public_terms[0].relation = 1)
CHANGE(term_multiplicity, e->st.public_terms[0].multiplicity = 1)
CHANGE(term_value, e->st.public_terms[0].values[0] = 6)
CHANGE(fewer_values, e->st.public_terms[0].n_values = 0)
CHANGE(fewer_terms, free(e->st.public_terms[--e->st.n_public_terms].values))
CHANGE(air_name, retext(&e->air->name, "tinz"))
CHANGE(preprocessed_id, retext(&e->air->preprocessed[0].id, "q"))
CHANGE(preprocessed_value, e->air->preprocessed[0].values[1] = 7)
CHANGE(preprocessed_unknown, free(e->air->preprocessed[0].values); e->air->preprocessed[0].values = NULL)
CHANGE(preprocessed_size, e->air->preprocessed[0].log_size = 0)
CHANGE(relation_name, retext(&e->air->relations[0].name, "s"))
CHANGE(relation_size, e->air->relations[0].size = 2)
CHANGE(component_name, retext(&C.name, "d"))
CHANGE(component_size, C.log_size = 2)
CHANGE(offset, C.columns[0].offsets[0] = -2)
CHANGE(fewer_offsets, C.columns[0].n_offsets = 1)
CHANGE(offsets_swapped, C.columns[0] = ((pr_air_column){2, {0, -1}}))
CHANGE(fewer_columns, C.n_columns = 0)
CHANGE(node_op, C.nodes[3].op = PR_NODE_ADD)
CHANGE(node_left, C.nodes[3].a = 2)
CHANGE(node_right, C.nodes[3].b = 2)
CHANGE(column_offset_index, C.nodes[0].b = 1)
CHANGE(fewer_nodes, C.n_nodes = 3)
CHANGE(constraint_node, C.constraints[0].node = 2)
CHANGE(fewer_constraints, free(C.constraints[--C.n_constraints].name))
CHANGE(lookup_relation, C.lookups[0].relation = 1)
CHANGE(lookup_multiplicity, C.lookups[0].multiplicity = 1)
CHANGE(lookup_value, C.lookups[0].values[0] = 0)
CHANGE(lookup_fewer_values, C.lookups[0].n_values = 0)
CHANGE(lookup_batch, C.lookups[0].batch = 1)
CHANGE(fewer_lookups, free(C.lookups[--C.n_lookups].values))
CHANGE(batches, C.n_batches = 2)

static void set_steps(example *e, uint32_t bits, uint32_t *words, size_t n_words, uint32_t n_steps) {
    pr_step steps[2] = {{PR_STEP_MIX_U32S, bits, words, n_words}, {.kind = PR_STEP_CONFIG}};
    assert_int_equal(pr_statement_set_transcript(&e->st, steps, n_steps, NULL), PR_OK);
}
CHANGE(own_transcript, set_steps(e, 0, (uint32_t[]){1, 2}, 2, 2))
CHANGE(own_transcript_word, set_steps(e, 0, (uint32_t[]){1, 3}, 2, 2))
CHANGE(own_transcript_fewer_words, set_steps(e, 0, (uint32_t[]){1}, 1, 2))
CHANGE(own_transcript_bits, set_steps(e, 9, (uint32_t[]){1, 2}, 2, 2))
CHANGE(own_transcript_fewer_steps, set_steps(e, 0, (uint32_t[]){1, 2}, 2, 1))
CHANGE(own_transcript_kind, own_transcript(e); e->st.steps[1].kind = PR_STEP_GRIND)

static const struct {
    const char *name;
    void (*apply)(example *e);
} changes[] = {
#define ENTRY(f)                                                                                                       \
    { #f, f }
    ENTRY(job_type),
    ENTRY(job_version),
    ENTRY(public_data),
    ENTRY(public_data_shorter),
    ENTRY(pow_bits),
    ENTRY(log_blowup),
    ENTRY(n_queries),
    ENTRY(last_layer),
    ENTRY(fold_step),
    ENTRY(lifting),
    ENTRY(no_lifting),
    ENTRY(zero_lifting),
    ENTRY(interaction_pow_bits),
    ENTRY(no_interaction_pow_bits),
    ENTRY(term_relation),
    ENTRY(term_multiplicity),
    ENTRY(term_value),
    ENTRY(fewer_values),
    ENTRY(fewer_terms),
    ENTRY(air_name),
    ENTRY(preprocessed_id),
    ENTRY(preprocessed_value),
    ENTRY(preprocessed_unknown),
    ENTRY(preprocessed_size),
    ENTRY(relation_name),
    ENTRY(relation_size),
    ENTRY(component_name),
    ENTRY(component_size),
    ENTRY(offset),
    ENTRY(fewer_offsets),
    ENTRY(offsets_swapped),
    ENTRY(fewer_columns),
    ENTRY(node_op),
    ENTRY(node_left),
    ENTRY(node_right),
    ENTRY(column_offset_index),
    ENTRY(fewer_nodes),
    ENTRY(constraint_node),
    ENTRY(fewer_constraints),
    ENTRY(lookup_relation),
    ENTRY(lookup_multiplicity),
    ENTRY(lookup_value),
    ENTRY(lookup_fewer_values),
    ENTRY(lookup_batch),
    ENTRY(fewer_lookups),
    ENTRY(batches),
    ENTRY(own_transcript),
    ENTRY(own_transcript_word),
    ENTRY(own_transcript_fewer_words),
    ENTRY(own_transcript_bits),
    ENTRY(own_transcript_fewer_steps),
    ENTRY(own_transcript_kind),
};
#define N_CHANGES (sizeof changes / sizeof *changes)

/* Every change gives a digest that differs from the example's and from every other change's. */
static void each_field_counts(void **state) {
    (void)state;
    pr_hash seen[N_CHANGES + 1];
    for (size_t k = 0; k <= N_CHANGES; k++) {
        example e;
        example_init(&e);
        if (k > 0) changes[k - 1].apply(&e);
        seen[k] = digest_of(&e);
        for (size_t i = 0; i < k; i++)
            if (pr_hash_equal(&seen[i], &seen[k]))
                fail_msg("%s does not show (same as number %zu)", changes[k - 1].name, i);
        example_clear(&e);
    }
}

static void names_of_constraints_do_not_count(void **state) {
    (void)state;
    example e;
    example_init(&e);
    pr_hash before = digest_of(&e);
    retext(&e.air->components[0].constraints[0].name, "another name");
    pr_hash renamed = digest_of(&e);
    assert_true(pr_hash_equal(&before, &renamed));
    free(e.air->components[0].constraints[0].name);
    e.air->components[0].constraints[0].name = NULL;
    pr_hash unnamed = digest_of(&e);
    assert_true(pr_hash_equal(&before, &unnamed));
    /* nor do operands that an operation does not have */
    e.air->components[0].nodes[2].b = 77;
    pr_hash unused = digest_of(&e);
    assert_true(pr_hash_equal(&before, &unused));
    example_clear(&e);
}

/* "a" then "bc" and "ab" then "c" are told apart by their lengths. */
static void lengths_count(void **state) {
    (void)state;
    example e;
    example_init(&e);
    retext(&e.air->components[0].name, "bc");
    retext(&e.air->relations[0].name, "a");
    pr_hash one = pr_air_digest(e.air);
    retext(&e.air->components[0].name, "c");
    retext(&e.air->relations[0].name, "ab");
    pr_hash other = pr_air_digest(e.air);
    assert_false(pr_hash_equal(&one, &other));
    example_clear(&e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_is_the_code),
        cmocka_unit_test(each_field_counts),
        cmocka_unit_test(names_of_constraints_do_not_count),
        cmocka_unit_test(lengths_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
