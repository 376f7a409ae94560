#include "app/app.h"
#include "base/bytes.h"
#include "cpu/cpu_backend.h"
#include "cuda/cuda_backend.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const pr_backend *const pr_backends[] = {&pr_backend_scalar,
                                         &pr_backend_avx2,
                                         &pr_backend_avx512,
                                         &pr_backend_poison,
#ifdef PR_HAVE_CUDA
                                         &pr_backend_cuda,
#endif
#ifdef PR_HAVE_CUDA_EMU
                                         &pr_backend_cuda_emu,
#endif
                                         NULL};

const pr_job_type *pr_app_job_type(const char *name) {
    for (size_t i = 0; pr_job_types[i]; i++)
        if (!strcmp(pr_job_types[i]->name, name)) return pr_job_types[i];
    return NULL;
}

static const pr_backend *find_backend(const char *name) {
    for (size_t i = 0; pr_backends[i]; i++)
        if (!strcmp(pr_backends[i]->name, name)) return pr_backends[i];
    return NULL;
}

const pr_backend *pr_app_auto_backend(void) {
#ifdef PR_HAVE_CUDA
    if (pr_backend_cuda.available()) return &pr_backend_cuda;
#endif
    return find_backend(pr_isa_name(pr_cpu_isa()));
}

static pr_status refuse_backend(const pr_backend *backend, pr_error *err) {
#ifdef PR_HAVE_CUDA
    char why[256];
    if (backend == &pr_backend_cuda && !pr_cuda_describe(why, sizeof why))
        return pr_fail(err, PR_ERR_USAGE, "backend 'cuda' cannot run on this machine: %s; auto chooses one that can",
                       why);
#endif
    return pr_fail(err, PR_ERR_USAGE, "backend '%s' cannot run on this machine; auto chooses one that can",
                   backend->name);
}

pr_status pr_app_backend(const pr_backend **out, const char *name, pr_error *err) {
    const pr_backend *found = strcmp(name, "auto") ? find_backend(name) : pr_app_auto_backend();
    char names[256] = "auto";
    for (size_t i = 0, n = strlen(names); pr_backends[i]; i++)
        n += (size_t)snprintf(names + n, sizeof names - n, ", %s", pr_backends[i]->name);
    if (!found) return pr_fail(err, PR_ERR_USAGE, "no backend '%s'; allowed: %s", name, names);
    if (!found->available()) return refuse_backend(found, err);
    *out = found;
    return PR_OK;
}

int pr_app_fail(const pr_error *err) {
    fprintf(stderr, "proverun: %s\n", err->text);
    return pr_status_exit_code(err->status);
}

int pr_app_fail_reading(const pr_error *err) {
    int exit_code = pr_app_fail(err);
    return err->status == PR_ERR_IO || err->status == PR_ERR_MALFORMED || err->status == PR_ERR_INPUT ? 2 : exit_code;
}

void pr_app_print_json_text(const char *text) {
    pr_writer w;
    pr_writer_init(&w);
    pr_write_json_text(&w, text);
    if (w.failed)
        printf("null");
    else
        fwrite(w.data, 1, w.size, stdout);
    pr_writer_clear(&w);
}

int pr_app_flush(int exit_code) {
    if (fflush(stdout) == 0 && !ferror(stdout)) return exit_code;
    fputs("proverun: standard output: cannot write\n", stderr);
    return 74;
}

bool pr_app_is_first_rank(void) {
    static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *rank = getenv(names[i]);
        if (rank && strcmp(rank, "0") != 0) return false;
    }
    return true;
}

int pr_app_option(int argc, char **argv, const char *mode, const struct option *options, pr_error *err) {
    opterr = 0;
    int c = getopt_long(argc, argv, mode, options, NULL);
    const char *word = optind > 0 && optind <= argc ? argv[optind - 1] : "";
    if (c == ':') (void)pr_fail(err, PR_ERR_USAGE, "option '%s' needs a value; see proverun %s --help", word, argv[0]);
    if (c == '?') (void)pr_fail(err, PR_ERR_USAGE, "'%s' is not an option here; see proverun %s --help", word, argv[0]);
    return c;
}

pr_status pr_app_number(uint64_t *out, const char *option, const char *text, uint64_t min, uint64_t max,
                        pr_error *err) {
    char *end = NULL;
    errno = 0;
    unsigned long long v = isdigit((unsigned char)text[0]) ? strtoull(text, &end, 10) : 0;
    if (!end || *end || errno || v < min || v > max)
        return pr_fail(err, PR_ERR_USAGE, "%s: '%s' is not a whole number from %llu to %llu", option, text,
                       (unsigned long long)min, (unsigned long long)max);
    *out = v;
    return PR_OK;
}

pr_status pr_app_bytes(size_t *out, const char *option, const char *text, pr_error *err) {
    static const char *const units[] = {"", "KiB", "MiB", "GiB"};
    char *end = NULL;
    errno = 0;
    unsigned long long v = isdigit((unsigned char)text[0]) ? strtoull(text, &end, 10) : 0;
    for (unsigned k = 0; end && !errno && v && k < 4; k++) {
        if (strcmp(end, units[k]) != 0 || v > SIZE_MAX >> 10 * k) continue;
        *out = (size_t)v << 10 * k;
        return PR_OK;
    }
    return pr_fail(err, PR_ERR_USAGE, "%s: '%s'; allowed: a number of bytes, also with KiB, MiB or GiB, like 24GiB",
                   option, text);
}

bool pr_app_is_yaml(const char *path) {
    size_t n = strlen(path);
    return (n > 5 && strcmp(path + n - 5, ".yaml") == 0) || (n > 4 && strcmp(path + n - 4, ".yml") == 0);
}
