#include "base/hdf5_lock.h"
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

void pr_hdf5_lock(void) { pthread_mutex_lock(&mutex); }
void pr_hdf5_unlock(void) { pthread_mutex_unlock(&mutex); }
