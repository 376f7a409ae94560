#!/bin/sh
# Builds proverun and runs its tests.
#   sh tests/run.sh [--no-install] [--quick] [--long]
# --no-install  only check that the Debian packages are there
# --quick       leave out the second build with the address and undefined-behaviour sanitizers
# --long        also the tests labelled long (proofs of 2^18 and 2^20 rows)
set -eu
cd "$(dirname "$0")/.."
. jobs/packages.sh

install=yes quick=no long=no
for option; do
    case $option in
    --no-install) install=no ;;
    --quick) quick=yes ;;
    --long) long=yes ;;
    *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
    esac
done

# shellcheck disable=SC2154,SC2086
pr_need_packages $install $pr_build_packages $pr_test_packages
pr_local_mpi
cores=$(nproc)

build() { # PRESET FOLDER
    mkdir -p "$2"
    log=$2/build.log
    { cmake --preset "$1" -DPR_BUILD_TESTS=ON && cmake --build --preset "$1" -j "$cores"; } >"$log" 2>&1 ||
        { tail -n 60 "$log" && exit 1; }
    echo "built $1 in $2"
}

failed=0
if [ $quick = no ]; then
    build debug build-debug
    ASAN_OPTIONS=${ASAN_OPTIONS:-} LSAN_OPTIONS="suppressions=$PWD/tests/lsan.supp:print_suppressions=0" \
        ctest --test-dir build-debug -j "$cores" --output-on-failure -L 'unit|fuzz' -LE 'long|slow|vectors' || failed=1
fi
build release build
if [ $long = yes ]; then
    export PROVERUN_TEST_LONG=1
    ctest --test-dir build -j "$cores" --output-on-failure || failed=1
else
    ctest --test-dir build -j "$cores" --output-on-failure -LE long || failed=1
fi
exit $failed
