/* HDF5 files as inputs of jobs. */
#ifndef TESTS_DATASET_H
#define TESTS_DATASET_H
#include <hdf5.h>

/* A file of one dataset in one dimension; values: [n] of the type in memory. */
static inline void write_dataset(const char *path, const char *name, hid_t stored, hid_t in_memory, const void *values,
                                 hsize_t n) {
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), space = H5Screate_simple(1, &n, NULL);
    hid_t set = H5Dcreate2(file, name, stored, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(set >= 0 && H5Dwrite(set, in_memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(set);
    H5Sclose(space);
    H5Fclose(file);
}
#endif
