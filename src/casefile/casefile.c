#include "casefile/casefile.h"
#include "casefile/read.h"
#include <stdlib.h>

#define MAX_FILE_BYTES ((size_t)1 << 34)

/* The parser's position is the end of the token it could not take. */
static pr_status refuse_syntax(const pr_case_doc *doc, const json_error_t *e) {
    const pr_case_scan *scan = doc->scan;
    size_t offset = pr_case_scan_offset(scan, e->position > 0 ? (size_t)e->position : 0), line = 0, column = 0;
    pr_case_path path;
    char text[JSON_ERROR_TEXT_LENGTH];
    pr_case_scan_path_at(&path, scan->text, scan->size, offset);
    pr_case_scan_position(&line, &column, scan->text, offset ? offset - 1 : 0);
    for (size_t i = 0; i < sizeof text; i++) text[i] = e->text[i] == '\n' || e->text[i] == '\r' ? ' ' : e->text[i];
    pr_status status = json_error_code(e) == json_error_out_of_memory ? PR_ERR_MEMORY : PR_ERR_USAGE;
    return pr_fail_at(doc->err, status, doc->file, line, column, "%s: %s", path.text, text);
}

/* At most one of the three ways to give a trace. */
static pr_status check_trace_keys(const pr_case_cursor *root) {
    static const char *const keys[] = {"trace", "trace_file", "trace_formula"};
    const char *found = NULL;
    for (size_t i = 0; i < 3; i++) {
        pr_case_cursor member = pr_case_member(root, keys[i]);
        if (!member.value) continue;
        if (found) return pr_case_refuse(&member, "\"%s\" is there as well; only one of them may be", found);
        found = keys[i];
    }
    pr_case_cursor trace = pr_case_member(root, "trace");
    if (!trace.value || root->doc->scan->has_trace) return PR_OK;
    if (json_is_array(trace.value)) return pr_case_refuse(&trace, "this key must be written without escapes");
    return pr_case_refuse(&trace, "must be an array");
}

static pr_status read_air(pr_case *c, const pr_case_cursor *root) {
    pr_case_cursor air = pr_case_member(root, "air");
    c->air = calloc(1, sizeof *c->air);
    if (!c->air) return pr_case_no_memory(root->doc);
    PR_TRY(pr_case_read_air(c->air, &air));
    if (pr_air_validate(c->air, root->doc->err) != PR_OK)
        return pr_fail_context(root->doc->err, "%s: $.air", root->doc->file);
    return PR_OK;
}

/* What only the parameters decide (degrees and sizes against blow-up, lifting, folding; the script's order). */
static pr_status check_layout(const pr_case *c, const pr_case_doc *doc) {
    pr_layout layout = {0};
    if (pr_layout_init(&layout, &c->statement, doc->err) != PR_OK) return pr_fail_context(doc->err, "%s: $", doc->file);
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
    pr_case_cursor file = pr_case_member(root, "trace_file"), formula = pr_case_member(root, "trace_formula");
    if (name.value) PR_TRY(pr_case_text(&name, &c->name));
    PR_TRY(read_air(c, root));
    PR_TRY(pr_case_read_statement(c, root));
    if (expected.value) PR_TRY(pr_case_read_expected(c, &expected));
    PR_TRY(check_layout(c, root->doc));
    if (formula.value) PR_TRY(pr_case_read_formula(c, &formula));
    return file.value ? pr_case_read_trace_file(c, &file) : PR_OK;
}

static pr_status parse_scanned(pr_case *c, pr_case_scan *scan, const pr_case_doc *doc) {
    json_error_t error;
    json_t *tree = json_load_callback(pr_case_scan_feed, scan, JSON_REJECT_DUPLICATES, &error);
    if (!tree) return refuse_syntax(doc, &error);
    pr_case_cursor root = {.doc = doc, .value = tree};
    pr_status status = read_root(c, &root);
    json_decref(tree); /* before the trace: the two need not be in memory at once */
    if (status == PR_OK && scan->has_trace) status = pr_case_read_trace(c, doc);
    return status;
}

pr_status pr_case_parse(pr_case *out, const char *text, size_t size, const char *path, pr_error *err) {
    pr_case_scan scan;
    pr_case_doc doc = {.file = path, .err = err, .scan = &scan};
    *out = (pr_case){0};
    PR_TRY(pr_case_scan_init(&scan, text, size, path, err));
    pr_status status = parse_scanned(out, &scan, &doc);
    pr_case_scan_clear(&scan);
    if (status != PR_OK) pr_case_clear(out);
    return status;
}

pr_status pr_case_load(pr_case *out, const char *path, pr_error *err) {
    uint8_t *text = NULL;
    size_t size = 0;
    *out = (pr_case){0};
    PR_TRY(pr_file_read(&text, &size, path, MAX_FILE_BYTES, err));
    pr_status status = pr_case_parse(out, (const char *)text, size, path, err);
    free(text);
    return status;
}

static void free_trace(pr_case *c) {
    if (!c->trace) return;
    for (uint32_t i = 0; i < c->air->n_components; i++) {
        for (uint32_t k = 0; c->trace[i] && k < c->air->components[i].n_columns; k++) free(c->trace[i][k]);
        free(c->trace[i]);
    }
    free(c->trace);
}

void pr_case_clear(pr_case *c) {
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
    pr_statement_clear(&c->statement);
    pr_air_destroy(c->air);
    *c = (pr_case){0};
}
