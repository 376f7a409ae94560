#include "manifest/yaml_tree.h"
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

typedef struct reader {
    yaml_parser_t yaml;
    const char *file, *text;
    size_t size;
    pr_error *err;
} reader;

static pr_status refuse(const reader *r, yaml_mark_t at, const char *what) {
    return pr_fail_at(r->err, PR_ERR_USAGE, r->file, at.line + 1, at.column + 1, "%s", what);
}

static pr_status no_memory(const reader *r) {
    return pr_fail(r->err, PR_ERR_MEMORY, "%s: out of memory while reading it", r->file);
}

/* An encoding error has an offset in bytes, no mark. */
static pr_status refuse_bytes(const reader *r) {
    size_t line = 1, column = 1;
    for (size_t i = 0; i < r->size && i < r->yaml.problem_offset; i++) {
        column = r->text[i] == '\n' ? 1 : column + 1;
        line += r->text[i] == '\n';
    }
    return pr_fail_at(r->err, PR_ERR_USAGE, r->file, line, column, "%s; a manifest is UTF-8 text",
                      r->yaml.problem ? r->yaml.problem : "unreadable bytes");
}

static bool is_tab_at(const reader *r, yaml_mark_t at) {
    const char *line = r->text, *end = r->text + r->size;
    for (size_t n = 0; n < at.line && line; n++)
        if ((line = memchr(line, '\n', (size_t)(end - line)))) line++;
    return line && at.column < (size_t)(end - line) && line[at.column] == '\t';
}

static pr_status syntax_error(const reader *r) {
    if (r->yaml.error == YAML_MEMORY_ERROR) return no_memory(r);
    if (r->yaml.error == YAML_READER_ERROR) return refuse_bytes(r);
    const char *context = r->yaml.context ? r->yaml.context : "";
    if (is_tab_at(r, r->yaml.problem_mark))
        return refuse(r, r->yaml.problem_mark, "not valid YAML: a tab; allowed for indentation: spaces");
    return pr_fail_at(r->err, PR_ERR_USAGE, r->file, r->yaml.problem_mark.line + 1, r->yaml.problem_mark.column + 1,
                      "not valid YAML: %s%s%s", context, *context ? ": " : "",
                      r->yaml.problem ? r->yaml.problem : "syntax error");
}

static pr_status next_event(reader *r, yaml_event_t *event) {
    return yaml_parser_parse(&r->yaml, event) ? PR_OK : syntax_error(r);
}

static bool has_anchor_or_tag(const yaml_event_t *e) {
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        return e->data.scalar.anchor || e->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return e->data.sequence_start.anchor || e->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
        return e->data.mapping_start.anchor || e->data.mapping_start.tag;
    default:
        return false;
    }
}

static pr_yaml *new_node(const yaml_event_t *event, pr_yaml_kind kind) {
    pr_yaml *node = calloc(1, sizeof *node);
    if (!node) return NULL;
    node->kind = kind;
    node->line = event->start_mark.line + 1;
    node->column = event->start_mark.column + 1;
    return node;
}

/* Takes both. Room grows by doubling: items are counted up to a power of two. */
static pr_status append(reader *r, pr_yaml *node, pr_yaml *key, pr_yaml *value) {
    if ((node->n & (node->n - 1)) == 0) {
        size_t room = node->n ? 2 * node->n : 1;
        pr_yaml_item *grown = realloc(node->items, room * sizeof *grown);
        if (!grown) {
            pr_yaml_destroy(key);
            pr_yaml_destroy(value);
            return no_memory(r);
        }
        node->items = grown;
    }
    node->items[node->n++] = (pr_yaml_item){key, value};
    return PR_OK;
}

static pr_status parse_value(reader *r, pr_yaml **out, const yaml_event_t *event, unsigned depth);

static pr_status parse_scalar(reader *r, pr_yaml **out, const yaml_event_t *event) {
    const char *text = (const char *)event->data.scalar.value;
    if (strlen(text) != event->data.scalar.length)
        return refuse(r, event->start_mark, "a zero byte inside a text is not allowed");
    pr_yaml *node = new_node(event, PR_YAML_SCALAR);
    if (!node || !(node->text = strdup(text))) {
        pr_yaml_destroy(node);
        return no_memory(r);
    }
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    *out = node;
    return PR_OK;
}

static pr_status check_key(const reader *r, const pr_yaml *map, const pr_yaml *key) {
    if (key->kind != PR_YAML_SCALAR)
        return pr_fail_at(r->err, PR_ERR_USAGE, r->file, key->line, key->column, "a key must be a text, found %s",
                          pr_yaml_kind_name(key->kind));
    char shown[72];
    for (size_t i = 0; i < map->n; i++)
        if (strcmp(map->items[i].key->text, key->text) == 0)
            return pr_fail_at(r->err, PR_ERR_USAGE, r->file, key->line, key->column,
                              "key `%s` stands here a second time; the first is at line %zu",
                              pr_yaml_show(shown, key->text), map->items[i].key->line);
    return map->n < 256
               ? PR_OK
               : pr_fail_at(r->err, PR_ERR_USAGE, r->file, key->line, key->column, "more than 256 keys in one map");
}

/* One more entry of a list (key NULL) or map; event is the entry's first and is consumed. */
static pr_status parse_entry(reader *r, pr_yaml *node, const yaml_event_t *event, unsigned depth) {
    pr_yaml *first = NULL, *value = NULL;
    PR_TRY(parse_value(r, &first, event, depth + 1));
    if (node->kind == PR_YAML_LIST) return append(r, node, NULL, first);
    yaml_event_t next;
    pr_status status = check_key(r, node, first);
    if (status == PR_OK) status = next_event(r, &next);
    if (status == PR_OK) {
        status = parse_value(r, &value, &next, depth + 1);
        yaml_event_delete(&next);
    }
    if (status == PR_OK) return append(r, node, first, value);
    pr_yaml_destroy(first);
    return status;
}

static pr_status parse_entries(reader *r, pr_yaml *node, unsigned depth) {
    for (;;) {
        yaml_event_t event;
        PR_TRY(next_event(r, &event));
        bool end = event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT;
        pr_status status = end ? PR_OK : parse_entry(r, node, &event, depth);
        yaml_event_delete(&event);
        if (end || status != PR_OK) return status;
    }
}

static pr_status parse_value(reader *r, pr_yaml **out, const yaml_event_t *event, unsigned depth) {
    *out = NULL;
    if (event->type == YAML_ALIAS_EVENT)
        return refuse(r, event->start_mark, "aliases are not allowed in a manifest; write the value out");
    if (has_anchor_or_tag(event))
        return refuse(r, event->start_mark, "anchors and tags are not allowed in a manifest; write the value out");
    if (depth > PR_YAML_MAX_DEPTH) return refuse(r, event->start_mark, "nested more than 8 levels deep");
    if (event->type == YAML_SCALAR_EVENT) return parse_scalar(r, out, event);
    pr_yaml *node = new_node(event, event->type == YAML_SEQUENCE_START_EVENT ? PR_YAML_LIST : PR_YAML_MAP);
    if (!node) return no_memory(r);
    pr_status status = parse_entries(r, node, depth);
    if (status != PR_OK) {
        pr_yaml_destroy(node);
        return status;
    }
    *out = node;
    return PR_OK;
}

static pr_status parse_document(reader *r, pr_yaml **out) {
    bool ended = false;
    while (!ended) {
        yaml_event_t event;
        PR_TRY(next_event(r, &event));
        pr_status status = PR_OK;
        switch (event.type) {
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
            break;
        case YAML_DOCUMENT_START_EVENT:
            if (*out) status = refuse(r, event.start_mark, "a second document; a manifest is one document");
            break;
        case YAML_STREAM_END_EVENT:
            ended = true;
            break;
        default:
            status = parse_value(r, out, &event, 1);
        }
        yaml_event_delete(&event);
        if (status != PR_OK) return status;
    }
    return *out ? PR_OK : pr_fail_at(r->err, PR_ERR_USAGE, r->file, 1, 1, "the manifest is empty");
}

pr_status pr_yaml_parse(pr_yaml **out, const char *text, size_t size, const char *file, pr_error *err) {
    *out = NULL;
    if (size > PR_YAML_MAX_BYTES)
        return pr_fail_at(err, PR_ERR_USAGE, file, 0, 0, "%zu bytes; a manifest has at most %zu", size,
                          PR_YAML_MAX_BYTES);
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* the byte order mark of some editors */
        text += 3;
        size -= 3;
    }
    reader r = {.file = file, .text = text, .size = size, .err = err};
    if (!yaml_parser_initialize(&r.yaml)) return no_memory(&r);
    yaml_parser_set_input_string(&r.yaml, (const unsigned char *)text, size);
    yaml_parser_set_encoding(&r.yaml, YAML_UTF8_ENCODING);
    pr_status status = parse_document(&r, out);
    if (status != PR_OK) {
        pr_yaml_destroy(*out);
        *out = NULL;
    }
    yaml_parser_delete(&r.yaml);
    return status;
}

void pr_yaml_destroy(pr_yaml *node) {
    if (!node) return;
    for (size_t i = 0; i < node->n; i++) {
        pr_yaml_destroy(node->items[i].key);
        pr_yaml_destroy(node->items[i].value);
    }
    free(node->items);
    free(node->text);
    free(node);
}

pr_yaml *pr_yaml_get(const pr_yaml *map, const char *key) {
    for (size_t i = 0; i < map->n; i++)
        if (strcmp(map->items[i].key->text, key) == 0) return map->items[i].value;
    return NULL;
}

const char *pr_yaml_kind_name(pr_yaml_kind kind) {
    switch (kind) {
    case PR_YAML_SCALAR:
        return "a single value";
    case PR_YAML_LIST:
        return "a list";
    case PR_YAML_MAP:
        return "a map";
    }
    return "something else";
}

const char *pr_yaml_show(char out[72], const char *text) {
    size_t n = 0;
    for (; text[n] && n < 60; n++) out[n] = (unsigned char)text[n] < ' ' || text[n] == 0x7f ? '?' : text[n];
    /* never half a UTF-8 character */
    if (text[n])
        while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80) n--;
    memcpy(out + n, text[n] ? "..." : "", text[n] ? 4 : 1);
    return out;
}

pr_status pr_yaml_expect(const pr_yaml *node, pr_yaml_kind kind, const char *what, const char *file, pr_error *err) {
    if (node->kind == kind) return PR_OK;
    return pr_fail_at(err, PR_ERR_USAGE, file, node->line, node->column, "%s: %s; allowed: %s", what,
                      pr_yaml_kind_name(node->kind), pr_yaml_kind_name(kind));
}
