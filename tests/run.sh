#!/bin/sh
# Builds proverun and runs its tests.
#   sh tests/run.sh [--no-install] [--quick] [--long]
# --no-install  only check that the Debian packages are there
# --quick       leave out the second build with the address and undefined-behaviour sanitizers
# --long        also the tests labelled long (proofs of 2^18 and 2^20 rows, 100,000 jobs, 1,000 batches killed at random,
#               an error at every call to the disk and to MPI): an hour or more on two processors, and those labelled threads in a third build
#               with the thread sanitizer
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
# shellcheck disable=SC2154,SC2086
pr_need_packages $install $pr_slurm_packages || echo "no Slurm here: the tests of slurm/ are skipped" >&2
[ "$(id -u)" = 0 ] || echo "not root: the tests of slurm/ are skipped" >&2
pr_local_mpi
cores=$(nproc)

build() { # PRESET FOLDER [--target NAME...]
    preset=$1 folder=$2
    shift 2
    mkdir -p "$folder"
    log=$folder/build.log
    { cmake --preset "$preset" -DPR_BUILD_TESTS=ON && cmake --build --preset "$preset" -j "$cores" "$@"; } >"$log" 2>&1 ||
        { tail -n 60 "$log" && exit 1; }
    echo "built $preset in $folder"
}

failed=0
if [ $quick = no ]; then
    build debug build-debug --target sanitized_tests
    ASAN_OPTIONS=${ASAN_OPTIONS:-} LSAN_OPTIONS="suppressions=$PWD/tests/lsan.supp:print_suppressions=0" \
        ctest --test-dir build-debug -j "$cores" --output-on-failure -L 'unit|fuzz' -LE 'long|slow|vectors' || failed=1
    # whole runs too; Open MPI unloads parts of itself that still hold memory, so leaks cannot be told from its own
    runs=mpi_liar
    [ $long = yes ] && runs='mpi_(liar|attempts)'
    ASAN_OPTIONS=detect_leaks=0 ctest --test-dir build-debug --output-on-failure -R "^$runs\$" || failed=1
fi
build release build
if [ $long = yes ]; then
    build thread build-thread --target test_examiner test_keeper test_votelog test_cuda_emu_threads test_cuda_side_by_side test_line
    # without random addresses, which this sanitizer cannot map everywhere
    setarch -R ctest --test-dir build-thread --output-on-failure -L threads || failed=1
    export PROVERUN_TEST_LONG=1
    ctest --test-dir build -j "$cores" --output-on-failure || failed=1
else
    ctest --test-dir build -j "$cores" --output-on-failure -LE long || failed=1
fi
exit $failed
