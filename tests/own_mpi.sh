# Sourced by tests that start whole runs, in their own folder: Open MPI's session folders and its shared memory are nobody
# else's, and gone with the test also where ranks were killed. `trap remove_mpi EXIT`, or as part of it, is for the test.
export TMPDIR="$PWD"
shared=$(mktemp -d /dev/shm/proverun-XXXXXX 2>/dev/null) && export OMPI_MCA_btl_vader_backing_directory="$shared"
remove_mpi() { [ -z "$shared" ] || rm -rf "$shared"; }
