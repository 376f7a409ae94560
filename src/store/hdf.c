/* Errors and attributes. */
#include "store/hdf.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pr_hdf_init(void) {
    static bool done;
    if (done) {
        H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* each thread has a setting of its own */
        return;
    }
    /* The store locks files itself, for the time of a flush only (product.c). */
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
    H5dont_atexit();
    H5open();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    done = true;
}

/* Walked upwards, the first entry is the innermost: what really went wrong. */
static herr_t keep_first(unsigned n, const H5E_error2_t *e, void *context) {
    if (n == 0 && e->desc) snprintf(context, 512, "%s", e->desc);
    return 0;
}

pr_status pr_hdf_fail(pr_error *err, const char *path, const char *what) {
    char reason[512] = "unknown reason";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, reason);
    H5Eclear2(H5E_DEFAULT);
    return pr_fail(err, PR_ERR_IO, "%s: %s: %s", path, what, reason);
}

pr_status pr_hdf_close(hid_t file, const char *path, pr_error *err) {
    return H5Fclose(file) < 0 ? pr_hdf_fail(err, path, "cannot close the results file") : PR_OK;
}

pr_status pr_hdf_flush(hid_t dataset, const char *path, const char *name, pr_error *err) {
    return H5Dflush(dataset) < 0 ? pr_hdf_fail(err, path, name) : PR_OK;
}

static hid_t text_type(size_t size) {
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

static pr_status write_attribute(hid_t object, const char *path, const char *name, hid_t type, const void *data,
                                 pr_error *err) {
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5Aexists(object, name) > 0 ? H5Aopen(object, name, H5P_DEFAULT)
                                                  : H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    pr_status status = PR_OK;
    if (attribute < 0 || H5Awrite(attribute, type, data) < 0) status = pr_hdf_fail(err, path, name);
    if (attribute >= 0) H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
    return status;
}

pr_status pr_hdf_write_text(hid_t object, const char *path, const char *name, const char *text, pr_error *err) {
    return write_attribute(object, path, name, text_type(H5T_VARIABLE), &text, err);
}

static char *read_variable(hid_t attribute) {
    hid_t type = text_type(H5T_VARIABLE);
    char *text = NULL, *copy = NULL;
    if (H5Aread(attribute, type, &text) >= 0 && text) {
        copy = strdup(text);
        H5free_memory(text);
    }
    H5Tclose(type);
    return copy;
}

static char *read_fixed(hid_t attribute, size_t size) {
    if (size == 0 || size > ((size_t)1 << 20)) return NULL;
    hid_t type = text_type(size + 1);
    char *text = calloc(1, size + 2);
    if (text && H5Aread(attribute, type, text) < 0) {
        free(text);
        text = NULL;
    }
    H5Tclose(type);
    return text;
}

/* One text, of either kind; anything else is not read at all. */
static char *read_text(hid_t attribute) {
    hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    char *text = NULL;
    if (type >= 0 && space >= 0 && H5Tget_class(type) == H5T_STRING && H5Sget_simple_extent_npoints(space) == 1)
        text = H5Tis_variable_str(type) > 0 ? read_variable(attribute) : read_fixed(attribute, H5Tget_size(type));
    if (type >= 0) H5Tclose(type);
    if (space >= 0) H5Sclose(space);
    return text;
}

char *pr_hdf_read_text(hid_t object, const char *name, size_t *size) {
    char *text = NULL;
    hid_t attribute = H5Aexists(object, name) > 0 ? H5Aopen(object, name, H5P_DEFAULT) : -1;
    if (attribute >= 0) {
        text = read_text(attribute);
        H5Aclose(attribute);
    }
    H5Eclear2(H5E_DEFAULT);
    if (size) *size = text ? strlen(text) : 0;
    return text;
}
