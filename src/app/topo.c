#include "app/app.h"
#include "placement/placement.h"
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_GPU_CPUS = PR_MAX_GPUS };

typedef struct topo {
    pr_placement_options options;
    pr_gpu_cpus gpu_cpus[MAX_GPU_CPUS];
    pr_topology_source source;
    const char *text; /* of the source */
    const char *visible;
    uint64_t n_ranks; /* 0: not given */
    bool coordinator_only, json;
} topo;

/* ---- options ---- */

static pr_status take_gpu_use(pr_gpu_use *use, const char *text, pr_error *err) {
    static const char *const names[] = {
        [PR_GPU_SHARE] = "share", [PR_GPU_SINGLE] = "single", [PR_GPU_IGNORE] = "ignore"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(text, names[i])) return *use = (pr_gpu_use)i, PR_OK;
    return pr_fail(err, PR_ERR_USAGE, "--gpus: '%s'; allowed: share, single, ignore", text);
}

static pr_status take_source(topo *o, pr_topology_source source, pr_error *err) {
    if (o->source != PR_TOPOLOGY_LIVE) return pr_fail(err, PR_ERR_USAGE, "one of --xml and --synthetic, and once");
    o->source = source;
    o->text = optarg;
    return PR_OK;
}

static pr_status take_gpu_cpus(topo *o, pr_error *err) {
    if (o->options.n_gpu_cpus == MAX_GPU_CPUS)
        return pr_fail(err, PR_ERR_USAGE, "--gpu-cpus: at most %d times", MAX_GPU_CPUS);
    o->options.gpu_cpus = o->gpu_cpus;
    return pr_gpu_cpus_parse(&o->gpu_cpus[o->options.n_gpu_cpus++], optarg, err);
}

static pr_status take_option(topo *o, int option, pr_error *err) {
    uint64_t threads;
    switch (option) {
    case 'r':
        return pr_app_number(&o->n_ranks, "--ranks", optarg, 1, 4096, err);
    case 'x':
        return take_source(o, PR_TOPOLOGY_XML, err);
    case 's':
        return take_source(o, PR_TOPOLOGY_SYNTHETIC, err);
    case 'v':
        o->visible = optarg;
        return PR_OK;
    case 'g':
        return take_gpu_use(&o->options.gpu_use, optarg, err);
    case 'c':
        return take_gpu_cpus(o, err);
    case 't':
        PR_TRY(pr_app_number(&threads, "--threads", optarg, 1, 4096, err));
        o->options.threads = (unsigned)threads;
        return PR_OK;
    case 0: /* a flag */
        return PR_OK;
    default: /* told by pr_app_option */
        return PR_ERR_USAGE;
    }
}

static pr_status read_arguments(topo *o, int argc, char **argv, pr_error *err) {
    int coordinator_only = 0, widen = 0, smt = 0, json = 0, c;
    const struct option options[] = {{"ranks", 1, 0, 'r'},     {"xml", 1, 0, 'x'},
                                     {"synthetic", 1, 0, 's'}, {"visible", 1, 0, 'v'},
                                     {"gpus", 1, 0, 'g'},      {"gpu-cpus", 1, 0, 'c'},
                                     {"threads", 1, 0, 't'},   {"coordinator-only", 0, &coordinator_only, 1},
                                     {"widen", 0, &widen, 1},  {"smt", 0, &smt, 1},
                                     {"json", 0, &json, 1},    {0, 0, 0, 0}};
    optind = 0;
    while ((c = pr_app_option(argc, argv, ":", options, err)) != -1) PR_TRY(take_option(o, c, err));
    if (optind < argc)
        return pr_fail(err, PR_ERR_USAGE, "'%s': topo has options only; see proverun topo --help", argv[optind]);
    o->coordinator_only = coordinator_only;
    o->options.widen = widen;
    o->options.smt = smt;
    o->json = json;
    return PR_OK;
}

/* ---- one node ---- */

static pr_status print_plan(pr_writer *out, const topo *o, const pr_topology *t, const pr_request *requests, unsigned n,
                            pr_error *err) {
    pr_placement plan;
    PR_TRY(pr_placement_plan(&plan, t, requests, n, &o->options, err));
    (o->json ? pr_placement_json : pr_placement_draw)(out, &plan, t);
    pr_placement_clear(&plan);
    return out->failed ? pr_fail(err, PR_ERR_MEMORY, "out of memory for the plan") : PR_OK;
}

/* One rank's request: of this process, or on a described machine with its lists of GPUs. */
static pr_status collect(pr_request *r, const topo *o, const pr_topology *t, int rank, const pr_gpu_env *env,
                         pr_error *err) {
    bool proves = rank > 0 || !o->coordinator_only;
    if (o->source == PR_TOPOLOGY_LIVE) return pr_request_collect(r, t, rank, proves, err);
    pr_request_imagine(r, t, rank, proves, env);
    return PR_OK;
}

static pr_status imagine_ranks(pr_writer *out, const topo *o, const pr_topology *t, pr_error *err) {
    pr_request *first = malloc(sizeof *first), *all = NULL;
    pr_gpu_env env = {.cuda_visible_devices = o->visible};
    pr_status status = first ? collect(first, o, t, 0, &env, err) : pr_fail(err, PR_ERR_MEMORY, "out of memory");
    unsigned n = (unsigned)o->n_ranks;
    if (status == PR_OK && n == 0) n = first->n_gpus && o->options.gpu_use != PR_GPU_IGNORE ? first->n_gpus : 1;
    if (status == PR_OK && !(all = calloc(n, sizeof *all)))
        status = pr_fail(err, PR_ERR_MEMORY, "out of memory for %u ranks", n);
    for (unsigned i = 0; all && i < n; i++) {
        all[i] = *first;
        all[i].rank = (int32_t)i;
        all[i].proves = i > 0 || !o->coordinator_only;
    }
    if (status == PR_OK) status = print_plan(out, o, t, all, n, err);
    free(first);
    free(all);
    return status;
}

/* ---- the ranks of a launcher ---- */

static bool launched(void) {
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (getenv(names[i])) return true;
    return false;
}

/* Texts of the nodes' first ranks, printed by the run's first one in the order of ranks. */
static void print_in_order(const pr_writer *mine, MPI_Comm leaders) {
    int rank, size;
    MPI_Comm_rank(leaders, &rank);
    MPI_Comm_size(leaders, &size);
    if (rank > 0) {
        MPI_Send(mine->data, (int)mine->size, MPI_BYTE, 0, 0, leaders);
        return;
    }
    fwrite(mine->data, 1, mine->size, stdout);
    for (int i = 1; i < size; i++) {
        MPI_Status status;
        int n;
        MPI_Probe(i, 0, leaders, &status);
        MPI_Get_count(&status, MPI_BYTE, &n);
        char *text = malloc((size_t)n + 1);
        if (!text) MPI_Abort(MPI_COMM_WORLD, 70);
        MPI_Recv(text, n, MPI_BYTE, i, 0, leaders, MPI_STATUS_IGNORE);
        fwrite(text, 1, (size_t)n, stdout);
        free(text);
    }
}

static pr_status exchange(pr_request **all, int *n, const topo *o, const pr_topology *t, MPI_Comm local, int rank,
                          pr_error *err) {
    MPI_Comm_size(local, n);
    pr_request *mine = malloc(sizeof *mine);
    *all = calloc((size_t)*n, sizeof **all);
    pr_gpu_env env = pr_gpu_env_get();
    pr_status status = mine && *all ? collect(mine, o, t, rank, &env, err)
                                    : pr_fail(err, PR_ERR_MEMORY, "out of memory for %d ranks", *n);
    int bad = status != PR_OK, any;
    MPI_Allreduce(&bad, &any, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    if (!any) MPI_Allgather(mine, (int)sizeof *mine, MPI_BYTE, *all, (int)sizeof *mine, MPI_BYTE, local);
    free(mine);
    if (any && !bad) return pr_fail(err, PR_ERR_MPI, "another rank failed");
    return status;
}

static pr_status real_ranks(pr_writer *out, const topo *o, const pr_topology *t, pr_error *err) {
    MPI_Comm local, leaders;
    pr_request *all = NULL;
    int rank, local_rank, n = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &local);
    MPI_Comm_rank(local, &local_rank);
    MPI_Comm_split(MPI_COMM_WORLD, local_rank == 0 ? 0 : MPI_UNDEFINED, rank, &leaders);
    pr_status status = exchange(&all, &n, o, t, local, rank, err);
    bool collected = status == PR_OK;
    if (collected && local_rank == 0) status = print_plan(out, o, t, all, (unsigned)n, err);
    if (collected && local_rank == 0) print_in_order(out, leaders);
    if (leaders != MPI_COMM_NULL) MPI_Comm_free(&leaders);
    MPI_Comm_free(&local);
    free(all);
    return status;
}

static pr_status show(const topo *o, bool real, pr_error *err) {
    pr_topology *t;
    pr_writer out;
    if (o->visible && setenv("CUDA_VISIBLE_DEVICES", o->visible, 1) != 0)
        return pr_fail(err, PR_ERR_MEMORY, "out of memory");
    PR_TRY(pr_topology_load(&t, o->source, o->text, err));
    pr_writer_init(&out);
    pr_status status = real ? real_ranks(&out, o, t, err) : imagine_ranks(&out, o, t, err);
    if (status == PR_OK && !real) fwrite(out.data, 1, out.size, stdout);
    pr_writer_clear(&out);
    pr_topology_destroy(t);
    return status;
}

int pr_app_topo(int argc, char **argv) {
    topo o = {.source = PR_TOPOLOGY_LIVE};
    pr_error err = {0};
    if (read_arguments(&o, argc, argv, &err) != PR_OK)
        return pr_app_is_first_rank() ? pr_app_fail(&err) : pr_status_exit_code(err.status);
    bool real = launched() && !o.n_ranks;
    if (real) MPI_Init(NULL, NULL);
    int code = show(&o, real, &err) == PR_OK ? 0 : pr_app_fail(&err);
    if (real && code) MPI_Abort(MPI_COMM_WORLD, code);
    if (real) MPI_Finalize();
    return code;
}
