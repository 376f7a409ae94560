#!/bin/sh
# A first batch: installs what is missing, builds, proves the jobs of jobs/demo.yaml on four ranks, shows the results
# and verifies every proof again from the file.
#   sh jobs/demo.sh [--no-install]
set -eu
cd "$(dirname "$0")/.."
. jobs/packages.sh

install=yes
for option; do
    case $option in
    --no-install) install=no ;;
    *) echo "usage: sh jobs/demo.sh [--no-install]" >&2 && exit 2 ;;
    esac
done

# shellcheck disable=SC2154,SC2086
pr_need_packages $install $pr_build_packages
pr_local_mpi

echo "== build" >&2
mkdir -p build/demo
log=build/demo/build.log
{ cmake --preset release -DPR_BUILD_TESTS=OFF && cmake --build --preset release --target proverun -j "$(nproc)"; } \
    >$log 2>&1 || { tail -n 60 $log >&2; exit 1; }

# One mebibyte that differs from build to build: the program itself, again and again.
while cat build/proverun; do :; done 2>/dev/null | head -c 1048576 >build/demo/one-mebibyte.bin

echo "== mpirun -n 4 build/proverun run jobs/demo.yaml" >&2
status=0
mpirun -n 4 build/proverun run jobs/demo.yaml >build/demo/stdout || status=$?
results=$(tail -n 1 build/demo/stdout)
[ -f "$results" ] || { echo "the run left no results file (exit $status)" >&2 && exit 1; }

echo "== build/proverun show $results" >&2
build/proverun show "$results"
echo "== build/proverun verify $results" >&2
build/proverun verify "$results"
exit $status
