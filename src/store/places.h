/* How the files that a repair has made take the places of the damaged ones, within this module. A repair may be killed
 * between any two renames, when neither journal stands whole under its name. So a note, RESULTS.h5.repaired, is written
 * once the new files are whole; whoever opens the run next goes on from it, and no frame is missed.
 *
 *   PR_TRY(pr_places_name(&at, path, err));
 *   PR_TRY(pr_places_finish(&at, err));                    // first of all
 *   ...                                                    // makes at.fresh_path and at.fresh_log
 *   PR_TRY(pr_places_take(&at, n_old, n_fresh, err)); */
#ifndef PR_STORE_PLACES_H
#define PR_STORE_PLACES_H
#include "base/error.h"

typedef struct pr_places {
    const char *path; /* borrowed: the results file */
    char log[4096], fresh_path[4096], fresh_log[4096], note[4096];
} pr_places;

/* PR_ERR_USAGE: too long a path. */
PR_MUST_CHECK pr_status pr_places_name(pr_places *p, const char *path, pr_error *err);
/* The damaged files become *.damaged, the new ones, on the disk already, get their names. n_old, n_fresh: segments of
 * the journals. */
PR_MUST_CHECK pr_status pr_places_take(const pr_places *p, uint32_t n_old, uint32_t n_fresh, pr_error *err);
/* Goes on where pr_places_take was interrupted; does nothing when it was not. PR_ERR_IO also when another process does
 * so now. */
PR_MUST_CHECK pr_status pr_places_finish(const pr_places *p, pr_error *err);
#endif
