/* The results file that a run writes to: a new one with its provenance, or that of the run to resume. */
#ifndef PR_CLUSTER_RUN_FILE_H
#define PR_CLUSTER_RUN_FILE_H
#include "base/clock.h"
#include "cluster/cluster.h"
#include "manifest/manifest.h"
#include "schedule/schedule.h"
#include "store/store.h"

typedef struct pr_run_file {
    pr_store *store;
    char path[1024], run_id[128];
    pr_hash manifest_digest;  /* of the manifest the run began with: commitments bind it */
    pr_schedule_past *past;   /* [n_jobs] */
    uint32_t *attempts;       /* [n_jobs] the highest numbers given before, as far as is known here */
    size_t n_done, n_failed;  /* before, and not to be tried again */
    uint64_t started_wall_ns; /* of the run's first session: deadlines count from here */
    bool has_provenance;
    pr_session_row session;
    pr_moment session_began;
    bool has_terms; /* of the consensus: the run has begun before */
    pr_hash seed;
    uint32_t committee_size;
    uint64_t consensus_records; /* that the journal had when the run was opened */
} pr_run_file;

typedef struct pr_run_place { /* where the run takes place, for provenance */
    unsigned ranks, threads;
    const char *hosts, *topology;
} pr_run_place;

/* New: makes the folder, refuses to overwrite. Resume: finds the run, checks that its jobs are the manifest's by id and
 * content hash (PR_ERR_USAGE; every job that differs is told on standard error), fails when nothing matches. Jobs that
 * failed before are left alone unless options->retry_failed. results/latest points to the run from now on, where
 * a link can be made (else a warning). */
PR_MUST_CHECK pr_status pr_run_file_open(pr_run_file *f, const pr_run_options *options, const pr_manifest *m,
                                         pr_error *err);
/* For a resumed run that was ended before its beginning was on the disk: writes that now. */
PR_MUST_CHECK pr_status pr_run_file_begin_again(pr_run_file *f, const pr_manifest *m, pr_error *err);
/* Writes the session's first row (and, where it is not there yet, provenance that needs the place). */
PR_MUST_CHECK pr_status pr_run_file_begin(pr_run_file *f, const pr_run_options *options, const pr_manifest *m,
                                          const pr_run_place *place, pr_error *err);
/* status: complete, incomplete, interrupted. */
PR_MUST_CHECK pr_status pr_run_file_end(pr_run_file *f, const char *status, pr_error *err);
void pr_run_file_clear(pr_run_file *f); /* closes without a word when still open */
/* Since 1970, UTC; 0: none. */
uint64_t pr_run_file_deadline_ns(const pr_run_file *f, const pr_manifest_job *job);
/* Whether an attempt at the job may have had this number in an earlier session. The journal has the numbers that were
 * given, but for those of a moment before a kill; a higher one is the invention of a rank that lies. */
bool pr_run_file_may_have_given(const pr_run_file *f, uint32_t job, uint32_t attempt);
/* Somebody has heard of an attempt of this number: what may have been given is not given again. Returns the number
 * after which the next session's begin. */
uint32_t pr_run_file_pass_attempt(pr_run_file *f, uint32_t job, uint32_t heard);
uint32_t pr_run_file_session(const pr_run_file *f); /* number of this session, from 1 */
/* "Open MPI 4.1.4, HDF5 1.10.8, ..." */
void pr_run_library_versions(pr_writer *out);
#endif
