/* What a new results file says of where it comes from. */
#include "cluster/run_file.h"
#include "cluster/provenance.h"
#include <hdf5.h>
#include <hwloc.h>
#include <mpi.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include <zstd.h>

void pr_run_library_versions(pr_writer *out) {
    char mpi[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    unsigned a, b, c;
    int n = 0;
    MPI_Get_library_version(mpi, &n);
    mpi[strcspn(mpi, ",\n")] = 0;
    H5get_libversion(&a, &b, &c);
    unsigned hwloc = hwloc_get_api_version();
    pr_write_format(out, "%s; HDF5 %u.%u.%u; libyaml %s; hwloc API %u.%u.%u; zstd %s; libsodium %s; compiler %s", mpi,
                    a, b, c, yaml_get_version_string(), hwloc >> 16, hwloc >> 8 & 0xff, hwloc & 0xff,
                    ZSTD_versionString(), sodium_version_string(), __VERSION__);
}

/* What an operator needs to find the allocation again; never tokens. */
static const char *const slurm_names[] = {
    "SLURM_JOB_ID",        "SLURM_JOB_NAME",     "SLURM_JOB_PARTITION", "SLURM_JOB_ACCOUNT",   "SLURM_JOB_NODELIST",
    "SLURM_JOB_NUM_NODES", "SLURM_NTASKS",       "SLURM_CPUS_PER_TASK", "SLURM_JOB_GPUS",      "SLURM_ARRAY_JOB_ID",
    "SLURM_ARRAY_TASK_ID", "SLURM_CLUSTER_NAME", "SLURM_SUBMIT_DIR",    "SLURM_RESTART_COUNT", "SLURM_STEP_ID",
};

static void write_slurm(pr_writer *out) {
    for (size_t i = 0; i < sizeof slurm_names / sizeof slurm_names[0]; i++) {
        const char *value = getenv(slurm_names[i]);
        if (value) pr_write_format(out, "%s=%s\n", slurm_names[i], value);
    }
    pr_write_u8(out, 0);
}

static void write_configuration(pr_writer *out, const pr_run_options *o, const pr_run_place *place) {
    pr_write_format(out, "backend=%s\nranks=%u\nthreads=%u\nresults_dir=%s\n", o->backend_name, place->ranks,
                    place->threads, o->results_dir);
    pr_write_u8(out, 0);
}

pr_status pr_provenance_write(pr_store *s, const pr_run_options *o, const pr_run_place *place, pr_error *err) {
    pr_writer libraries, slurm, configuration;
    pr_writer_init(&libraries);
    pr_writer_init(&slurm);
    pr_writer_init(&configuration);
    pr_run_library_versions(&libraries);
    pr_write_u8(&libraries, 0);
    write_slurm(&slurm);
    write_configuration(&configuration, o, place);
    pr_status status = PR_ERR_MEMORY;
    if (libraries.failed || slurm.failed || configuration.failed) {
        (void)pr_fail(err, status, "out of memory for provenance");
    } else {
        const pr_attribute all[] = {
            {"libraries", (const char *)libraries.data},
            {"slurm_environment", (const char *)slurm.data},
            {"configuration", (const char *)configuration.data},
            {"hosts", place->hosts},
            {"topology", place->topology},
            {"command_line", o->command_line},
        };
        status = pr_store_annotate(s, all, sizeof all / sizeof all[0], err);
    }
    pr_writer_clear(&libraries);
    pr_writer_clear(&slurm);
    pr_writer_clear(&configuration);
    return status;
}
