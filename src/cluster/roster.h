/* The validators of a run, as rank 0 lists them for everybody: those of earlier sessions first, in the order of its own
 * record, then the ranks of this session that are new, by rank. */
#ifndef PR_CLUSTER_ROSTER_H
#define PR_CLUSTER_ROSTER_H
#include "cluster/leader.h"
#include "cluster/run_file.h"

typedef struct pr_roster {
    char folder[1100]; /* of the ranks' records: the results file's name with .votes */
    bool resumed;
    pr_hash seed;
    pr_wire_votes votes;
    uint32_t n, n_earlier;         /* n_earlier: of earlier sessions */
    pr_wire_validator *validators; /* [n], owned */
    uint32_t n_lots;
    pr_writer seals, lots, packed;
} pr_roster;

/* What every rank has sealed, by rank, before any is opened. */
pr_hash pr_roster_sealed_lots(const pr_roll *roll);

/* Once the ranks are ready. The terms and stakes of a run that is resumed are those it began with:
 * PR_ERR_USAGE for other stakes, or stakes of nobody or not of all. PR_ERR_IO, PR_ERR_MALFORMED:
 * rank 0's record of votes. */
PR_MUST_CHECK pr_status pr_roster_make(pr_roster *r, const pr_leader *l, const pr_run_file *f, pr_error *err);
/* Those who are new, and those who are away, onto rank 0's record of votes, before any rank hears of them: all have
 * them by these numbers, and what they sign while some are away holds by the number of these, for good; rank 0 may be
 * killed before it has joined itself. */
PR_MUST_CHECK pr_status pr_roster_record(const pr_roster *r, const char *run_id, pr_error *err);
void pr_roster_clear(pr_roster *r);
void pr_roster_fill(const pr_roster *r, uint32_t run, pr_wire_roster *m);
/* Terms and seed into the results file, once. */
PR_MUST_CHECK pr_status pr_roster_annotate(const pr_roster *r, pr_run_file *f, pr_error *err);

/* `keys` beside the results file. */
void pr_roster_key_folder(char *out, size_t size, const pr_run_file *f);
/* This rank's key: made at its first run, read afterwards, sealed with the passphrase that the configuration names, if
 * it does. folder: unless the configuration says another. Freed with pr_secret_key_destroy. Errors are those of
 * pr_passphrase_read and pr_key_file_open. */
struct pr_secret_key;
PR_MUST_CHECK pr_status pr_rank_key_open(struct pr_secret_key **key, const pr_run_options *o, const char *folder,
                                         int rank, pr_error *err);
#endif
