#include "support.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>

const char *golden_path(const char *name) {
    static char path[1024];
    snprintf(path, sizeof path, "%s/cases/%s.json", PR_TEST_VECTORS, name);
    return path;
}

static size_t each_in(const char *folder, void (*visit)(const char *path)) {
    char path[1024];
    size_t n = 0;
    DIR *dir = opendir(folder);
    if (!dir) return 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".json") != 0) continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        visit(path);
        n++;
    }
    closedir(dir);
    return n;
}

size_t golden_each(void (*visit)(const char *path)) {
    return each_in(PR_TEST_VECTORS "/cases", visit) + each_in(PR_TEST_VECTORS "/cases/random", visit);
}

json_t *golden_tree(const char *name) { return json_load_file(golden_path(name), 0, NULL); }

char *compact(const json_t *tree) { return json_dumps(tree, JSON_COMPACT); }

pr_status parse_text(pr_case *out, const char *text, pr_error *err) {
    return pr_case_parse(out, text, strlen(text), "case.json", err);
}
