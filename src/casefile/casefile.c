#include "casefile/casefile.h"
#include "casefile/read.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILE_BYTES ((size_t)1 << 34)

/* At most one of the three ways to give a trace. */
static pr_status check_trace_keys(const pr_case_cursor *root) {
    static const char *const keys[] = {"trace", "trace_file", "trace_formula"};
    const char *found = NULL;
    for (size_t i = 0; i < 3; i++) {
        pr_case_cursor member = pr_case_member(root, keys[i]);
        if (!pr_case_has(&member)) continue;
        if (found) return pr_case_refuse(&member, "\"%s\" is there as well; only one of them may be", found);
        found = keys[i];
    }
    return PR_OK;
}

/* Puts the place of what pr_air_validate_at refused in front of its words. */
static pr_status blame_place(const pr_air_place *place, const pr_case_cursor *air) {
    pr_case_cursor components = pr_case_member(air, "components"), component = {0}, part = {0}, item = {0};
    const pr_case_cursor *at = air;
    if (place->component != PR_AIR_NO_PLACE) {
        component = pr_case_element(&components, place->component);
        at = &component;
    }
    if (place->part) {
        part = pr_case_member(at, place->part);
        at = &part;
    }
    if (place->part && place->index != PR_AIR_NO_PLACE) {
        item = pr_case_element(&part, place->index);
        at = &item;
    }
    return pr_case_blame(at);
}

static pr_status read_air(pr_case *c, const pr_case_cursor *root) {
    pr_case_cursor air = pr_case_member(root, "air");
    c->air = calloc(1, sizeof *c->air);
    if (!c->air) return pr_case_no_memory(root->doc);
    PR_TRY(pr_case_read_air(c->air, c->depth != PR_CASE_SHAPE, &air));
    pr_air_place place;
    return pr_air_validate_at(&place, c->air, root->doc->err) == PR_OK ? PR_OK : blame_place(&place, &air);
}

/* What only the parameters decide (degrees and sizes against blow-up, lifting, folding; the script's order). */
static pr_status check_layout(const pr_case *c, const pr_case_cursor *root) {
    pr_layout layout = {0};
    if (pr_layout_init(&layout, &c->statement, root->doc->err) != PR_OK) return pr_case_blame(root);
    pr_layout_clear(&layout);
    return PR_OK;
}

static pr_status read_root(pr_case *c, const pr_case_cursor *root) {
    static const char *const required[] = {"air", "statement_digest", "config", "public_terms", NULL};
    static const char *const optional[] = {"name",          "transcript", "trace", "trace_file",
                                           "trace_formula", "expected",   NULL};
    PR_TRY(pr_case_keys(root, required, optional));
    PR_TRY(check_trace_keys(root));
    pr_case_cursor name = pr_case_member(root, "name"), expected = pr_case_member(root, "expected");
    pr_case_cursor trace = pr_case_member(root, "trace"), file = pr_case_member(root, "trace_file");
    pr_case_cursor formula = pr_case_member(root, "trace_formula");
    if (pr_case_has(&name)) PR_TRY(pr_case_text(&name, &c->name));
    PR_TRY(read_air(c, root));
    PR_TRY(pr_case_read_statement(c, root));
    if (pr_case_has(&expected)) PR_TRY(pr_case_read_expected(c, &expected));
    PR_TRY(check_layout(c, root));
    if (pr_case_has(&formula)) PR_TRY(pr_case_read_formula(c, &formula));
    if (c->depth == PR_CASE_SHAPE) return PR_OK;
    if (pr_case_has(&trace) && c->depth == PR_CASE_ALL) PR_TRY(pr_case_read_trace(c, &trace));
    return pr_case_has(&file) ? pr_case_read_trace_file(c, &file) : PR_OK;
}

/* All but the trace. An inline one is c->source, which borrows the text. */
static pr_status parse_text(pr_case *c, const char *text, size_t size, const char *path, pr_case_depth depth,
                            pr_error *err) {
    pr_case_tape tape;
    pr_error own = {0};
    pr_case_doc doc = {.file = path, .err = err ? err : &own, .tape = &tape};
    *c = (pr_case){.path = strdup(path), .depth = depth};
    pr_status status = c->path ? pr_case_tape_init(&tape, text, size, path, doc.err) : pr_case_no_memory(&doc);
    if (status != PR_OK) return status;
    pr_case_cursor root = pr_case_root(&doc);
    status = read_root(c, &root);
    pr_case_tape_clear(&tape);
    return status;
}

static pr_status finish(pr_case *c, pr_status status) {
    if (status != PR_OK) pr_case_clear(c);
    return status;
}

pr_status pr_case_parse(pr_case *out, const char *text, size_t size, const char *path, pr_error *err) {
    pr_status status = parse_text(out, text, size, path, PR_CASE_ALL, err);
    if (status == PR_OK && out->source) status = pr_case_load_trace(out, err);
    return finish(out, status);
}

/* A file's text without a copy; of what cannot be mapped (a pipe), the text read. */
static pr_status map_file(pr_case_source *out, const char *path, pr_error *err) {
    struct stat st;
    *out = (pr_case_source){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool is_file = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
    void *map = is_file ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    if (fd >= 0) close(fd);
    if (map == MAP_FAILED) {
        uint8_t *text = NULL;
        PR_TRY(pr_file_read(&text, &out->size, path, MAX_FILE_BYTES, err));
        out->text = (const char *)text;
        out->is_owned = true;
        return PR_OK;
    }
    *out = (pr_case_source){.text = map, .size = (size_t)st.st_size, .is_mapped = true};
    return PR_OK;
}

pr_status pr_case_open(pr_case *out, const char *path, pr_case_depth depth, pr_error *err) {
    pr_case_source file;
    *out = (pr_case){0};
    PR_TRY(map_file(&file, path, err));
    pr_status status = parse_text(out, file.text, file.size, path, depth, err);
    if (status == PR_OK && out->source && out->source->columns) {
        out->source->is_mapped = file.is_mapped;
        out->source->is_owned = file.is_owned;
        pr_case_forget_text(out->source);
    } else
        pr_case_release_text(&file);
    return finish(out, status);
}

pr_status pr_case_load(pr_case *out, const char *path, pr_error *err) {
    PR_TRY(pr_case_open(out, path, PR_CASE_ALL, err));
    return finish(out, out->source ? pr_case_load_trace(out, err) : PR_OK);
}

bool pr_case_has_trace(const pr_case *c) { return c->trace || c->source || c->has_formula; }

static void free_trace(pr_case *c) {
    if (!c->trace) return;
    for (uint32_t i = 0; i < c->air->n_components; i++) {
        for (uint32_t k = 0; c->trace[i] && k < c->air->components[i].n_columns; k++) free(c->trace[i][k]);
        free(c->trace[i]);
    }
    free(c->trace);
}

void pr_case_clear(pr_case *c) {
    pr_case_close_source(c);
    free_trace(c);
    for (size_t i = 0; i < c->n_expected_steps; i++) {
        free(c->expected_steps[i].op);
        free(c->expected_steps[i].data_json);
    }
    free(c->expected_steps);
    free(c->expected_envelope);
    free(c->expected_interaction_pow_json);
    free(c->expected_claimed_sums_json);
    free(c->name);
    free(c->path);
    pr_statement_clear(&c->statement);
    pr_air_destroy(c->air);
    *c = (pr_case){0};
}
