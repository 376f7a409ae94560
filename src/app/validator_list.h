/* The validators that an auditor knows, and brings along to `verify`, `audit` and `verify-inclusion`. */
#ifndef PR_APP_VALIDATOR_LIST_H
#define PR_APP_VALIDATOR_LIST_H
#include "consensus/registry.h"

/* Adds a validator for each line, in the order of registration: public key, stake, and `removed` for one that
 * signatures may leave out; lines that begin with # count for nothing. PR_ERR_USAGE with the line, PR_ERR_REFUSED,
 * PR_ERR_IO. */
PR_MUST_CHECK pr_status pr_validator_list_read(pr_registry *registry, const char *path, pr_error *err);
#endif
