#!/bin/sh
# check.sh must notice each offence: a small good house is built, one thing is broken at a time.
set -u
check=$(cd "$(dirname "$0")" && pwd)/check.sh
top=$(mktemp -d) || exit 2
trap 'rm -rf "$top"' EXIT
failures=0

put() { # FILE LINE...
    file=$1
    shift
    mkdir -p "$(dirname "$file")"
    printf '%s\n' "$@" >"$file"
}

good_house() {
    rm -rf "$top/house"
    mkdir "$top/house"
    cd "$top/house" || exit 2
    put src/base/base.h '#ifndef PR_BASE_H' '#define PR_BASE_H' '#endif'
    put src/base/CMakeLists.txt 'pr_module(base SOURCES base.c LINK PkgConfig::SODIUM)'
    put src/field/field.h '#ifndef PR_FIELD_H' '#include "base/base.h"' '#endif'
    put src/field/CMakeLists.txt 'pr_module(field' '  SOURCES field.c' '  LINK pr_base)'
    put src/hash/hash.h '#ifndef PR_HASH_H' '#include "base/base.h"' '#endif'
    put src/cpu/cpu.h '#ifndef PR_CPU_H' '#include "field/field.h"' '#endif'
    put src/verify/verify.h '#ifndef PR_VERIFY_H' '#include "field/field.h"' '#endif'
    put src/app/main.c '#include "toy/job.h"' '#include "cpu/cpu.h"'
    put jobs/rows.h '#ifndef PR_ROWS_H' '#endif'
    put jobs/toy/job.h '#ifndef PR_TOY_H' '#include "rows.h"' '#include "field/field.h"' '#endif'
    put README.md 'A house.'
}

refused() { # WHAT MESSAGE
    out=$(sh "$check" "$top/house" 2>&1)
    status=$?
    if [ $status -ne 1 ] || ! printf '%s\n' "$out" | grep -q "$2"; then
        echo "not noticed: $1 (exit $status): $out"
        failures=$((failures + 1))
    fi
    good_house
}

good_house
if ! out=$(sh "$check" "$top/house" 2>&1); then
    echo "a good house was refused: $out"
    exit 1
fi
put src/base/error.c '#include "field/field.h"'
refused 'an include of an upper floor' 'base (floor 0) must not include field'
put src/field/twin.c '  # include "hash/hash.h"'
refused 'an include on the same floor' 'field (floor 1) must not include hash'
put src/verify/twin.c '#include "cpu/cpu.h"'
refused 'a verifier that sees the CPU' 'verify (floor 5) must not include cpu'
put src/cpu/lost.c '#include "cellar/wine.h"'
refused 'an include of no module' 'cellar, which is no module'
put src/cpu/bare.c '#include "cpu.h"'
refused 'an include without its module' 'must not include \., which is no module'
put src/cpu/job.c '#include "toy/job.h"'
refused 'a module that sees a job type' 'must not include toy'
put src/base/CMakeLists.txt 'pr_module(base' '  SOURCES base.c' '  LINK PkgConfig::SODIUM' '    pr_field)'
refused 'a link upwards, so a cycle' 'base (floor 0) must not link field'
put src/field/CMakeLists.txt 'pr_module(field SOURCES field.c LINK pr_base)' 'target_link_libraries(pr_field PRIVATE pr_hash)'
refused 'a link by the back door' 'field (floor 1) must not link hash'
put src/attic/attic.h '#ifndef PR_ATTIC_H' '#endif'
refused 'a module without a floor' 'no floor of this module'
put jobs/toy/air.c '#include "cpu/cpu.h"'
refused 'a job type that sees the CPU' 'job type toy must not include cpu'
put jobs/toy/CMakeLists.txt 'pr_job(toy SOURCES air.c KERNEL kernel.c LINK pr_field pr_cpu)'
refused 'a job type that links the CPU' 'job type toy must not link cpu'
put src/base/open.h '/* nothing */'
refused 'a header without a guard' 'no include guard'
put src/base/later.c "/* TO""DO */"
refused 'unfinished work' 'unfinished'
put src/base/here.c 'open("/wo''rk/x");'
refused 'a path of one machine' 'path of one machine'
put README.md 'A house. '
refused 'white space at the end of a line' 'white space'
awk 'BEGIN { for (i = 0; i < 500; i++) print "int x;" }' >src/base/long.c
refused 'a file of 500 lines' '500 lines'

[ $failures -eq 0 ] && echo "every offence was noticed"
exit $failures
