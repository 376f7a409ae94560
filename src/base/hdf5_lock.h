/* One lock for the process around the HDF5 library, which is not made for threads: a rank's verifying threads read case
 * files while another thread writes the results. The same thread may take it again. */
#ifndef PR_BASE_HDF5_LOCK_H
#define PR_BASE_HDF5_LOCK_H
void pr_hdf5_lock(void);
void pr_hdf5_unlock(void);
#endif
