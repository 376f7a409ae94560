/* For the files that describe rows as data, within this module. */
#ifndef PR_STORE_ROW_MACROS_H
#define PR_STORE_ROW_MACROS_H
#include "store/record.h"

#define PR_ROW(type_, kind_, name_, help_)                                                                             \
    { #name_, PR_FIELD_##kind_, offsetof(type_, name_), sizeof(((type_ *)0)->name_), help_ }
#define PR_SPEC(name_, type_, fields_)                                                                                 \
    const pr_row_spec name_ = {sizeof(type_), sizeof fields_ / sizeof fields_[0], fields_}
#endif
