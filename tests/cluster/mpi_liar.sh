#!/bin/sh
# mpi_liar.sh MPI_LIAR PROVERUN: four ranks, one of which lies.
set -eu
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
folder=$(mktemp -d "${TMPDIR:-/tmp}/proverun-liar-XXXXXX")
trap 'rm -rf "$folder"' EXIT
export TMPDIR="$folder" # Open MPI's session folders: nobody else's
mpirun -n 4 "$1" "$2" "$folder"
