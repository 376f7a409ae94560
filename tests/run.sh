#!/bin/sh
# Installs what is missing, builds, runs the tests.
#   sh tests/run.sh [--no-install] [--quick] [--long]
# --no-install only checks for packages; --quick leaves out the sanitizer build; --long adds the long suites.
set -eu
cd "$(dirname "$0")/.."
install=yes quick=no long=no
for argument in "$@"; do
    case $argument in
    --no-install) install=no ;;
    --quick) quick=yes ;;
    --long) long=yes ;;
    *) echo "run.sh: what is '$argument'? Allowed: --no-install --quick --long" >&2; exit 2 ;;
    esac
done
. jobs/packages.sh
ensure_packages "$install" $build_packages $test_packages

export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
jobs=$(nproc)

run_preset() { # preset folder labels...
    cmake --preset "$1" >/dev/null
    cmake --build --preset "$1" -j "$jobs" >"$2.log" 2>&1 || { tail -40 "$2.log"; exit 1; }
    folder=$2
    shift 2
    (cd "$folder" && ctest -j "$jobs" --output-on-failure "$@")
}

if [ "$quick" = no ]; then run_preset debug build-debug -L 'unit|fuzz' -LE long; fi
if [ "$long" = yes ]; then run_preset release build; else run_preset release build -LE long; fi
