# Debian packages that proverun is built and tested with, and Open MPI on one machine. Sourced by demo.sh and tests/run.sh.
# shellcheck shell=sh
# shellcheck disable=SC2034
pr_build_packages='build-essential cmake pkg-config libopenmpi-dev openmpi-bin libhdf5-dev libyaml-dev libhwloc-dev
libzstd-dev libsodium-dev libjansson-dev zlib1g-dev'
# Only `proverun bench field` uses libssl-dev, to compare with it; without it everything else is the same.
# h5py and the HDF5 tools read results files the way an analyst does, valgrind checks that secrets do not decide how long
# something takes, spin checks the model of the consensus; tests that want them are skipped without them.
# So is the check of metrics by promtool, which is not listed, for its package (prometheus) starts a server.
# shellcheck disable=SC2034
pr_test_packages='libcmocka-dev hdf5-tools python3 python3-h5py spin valgrind libssl-dev'
# A Slurm on which slurm/test tries the scripts of slurm/; without it those tests are skipped.
# shellcheck disable=SC2034
pr_slurm_packages='slurmctld slurmd slurm-client slurm-wlm-basic-plugins munge'

pr_missing_packages() { # PACKAGE...
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf '%s ' "$package"
    done
}

# Installs what is missing, as root or through sudo, and says what. With INSTALL "no" it only names what is missing.
pr_need_packages() { # INSTALL PACKAGE...
    install=$1
    shift
    if ! command -v dpkg-query >/dev/null; then
        echo "not a Debian system: make sure that you have the like of $*" >&2
        return 0
    fi
    missing=$(pr_missing_packages "$@")
    [ -n "$missing" ] || return 0
    if [ "$install" = no ]; then
        echo "missing Debian packages: $missing" >&2
        return 1
    fi
    echo "installing Debian packages: $missing" >&2
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "neither root nor sudo: install them yourself and come back" >&2
            return 1
        fi
        as_root=sudo
    fi
    # A source that stumbles is asked again, and another package manager at work is waited for. Lists that are there may serve.
    apt="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120"
    # shellcheck disable=SC2086
    [ -n "${pr_has_lists-}" ] || $apt update >&2 || echo "the lists of packages are not renewed" >&2
    pr_has_lists=yes
    # shellcheck disable=SC2086
    $apt install -y --no-install-recommends $missing >&2
}

# Open MPI on one machine, perhaps as root, perhaps with fewer cores than ranks. Ranks are bound by proverun itself:
# Open MPI's default would pin each to one core.
pr_local_mpi() {
    if [ "$(id -u)" -eq 0 ]; then
        export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    fi
    export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
    # Containers often forbid the calls that the single-copy path needs; the messages are small.
    export OMPI_MCA_btl_vader_single_copy_mechanism=none
    # Threads that wait for each other must not spin where ranks share cores.
    export OMP_WAIT_POLICY=passive
}
