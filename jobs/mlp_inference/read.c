/* Models and images in HDF5 files. */
#include <hdf5.h>
#include <stdio.h>
#include <string.h>
#include "base/hdf5_lock.h"
#include "mlp_inference/model.h"

typedef struct source {
    const char *path;
    hid_t file;
    H5E_auto2_t print; /* how the library would tell its errors */
    void *print_context;
    pr_error *err;
} source;

static pr_status refuse(const source *s, const char *place, const char *what) {
    return pr_fail(s->err, PR_ERR_INPUT, "%s: %s: %s", s->path, place, what);
}

/* A dataset of one or two dimensions; columns: 0 for one. */
static pr_status find_shape(const source *s, const char *place, hid_t dataset, hsize_t dims[2], int rank) {
    hid_t space = H5Dget_space(dataset);
    dims[0] = dims[1] = 1;
    bool good =
        space >= 0 && H5Sget_simple_extent_ndims(space) == rank && H5Sget_simple_extent_dims(space, dims, NULL) == rank;
    if (space >= 0) H5Sclose(space);
    return good ? PR_OK : refuse(s, place, rank == 1 ? "must have one dimension" : "must have two dimensions");
}

static pr_status check_integers(const source *s, const char *place, hid_t dataset, size_t size, H5T_sign_t sign) {
    hid_t type = H5Dget_type(dataset);
    bool good =
        type >= 0 && H5Tget_class(type) == H5T_INTEGER && H5Tget_size(type) == size && H5Tget_sign(type) == sign;
    char text[64];
    snprintf(text, sizeof text, "must hold %ssigned integers of %zu bits", sign == H5T_SGN_NONE ? "un" : "", 8 * size);
    if (type >= 0) H5Tclose(type);
    return good ? PR_OK : refuse(s, place, text);
}

static pr_status open_dataset(const source *s, hid_t *out, const char *place) {
    bool exists = H5Lexists(s->file, place, H5P_DEFAULT) > 0;
    *out = exists ? H5Dopen2(s->file, place, H5P_DEFAULT) : -1;
    return *out >= 0 ? PR_OK : refuse(s, place, "there is no such dataset");
}

/* A whole number that is an attribute; the default where there is none, if that is not UINT32_MAX. */
static pr_status read_attribute(const source *s, uint32_t *out, const char *object, const char *name,
                                uint32_t otherwise) {
    *out = otherwise;
    if (H5Aexists_by_name(s->file, object, name, H5P_DEFAULT) <= 0)
        return otherwise != UINT32_MAX ? PR_OK : refuse(s, name, "there is no such attribute");
    hid_t attribute = H5Aopen_by_name(s->file, object, name, H5P_DEFAULT, H5P_DEFAULT);
    bool good = attribute >= 0 && H5Aread(attribute, H5T_NATIVE_UINT32, out) >= 0;
    if (attribute >= 0) H5Aclose(attribute);
    return good ? PR_OK : refuse(s, name, "must be a whole number");
}

/* ---- of a layer, from an open dataset ---- */

typedef pr_status use_dataset(const source *s, pr_mlp_layer *layer, const char *place, hid_t dataset);

static pr_status find_sizes(const source *s, pr_mlp_layer *layer, const char *place, hid_t dataset) {
    hsize_t dims[2];
    PR_TRY(check_integers(s, place, dataset, 1, H5T_SGN_2));
    PR_TRY(find_shape(s, place, dataset, dims, 2));
    if (dims[0] > PR_MLP_MAX_OUTPUTS || dims[1] > PR_MLP_MAX_INPUTS)
        return refuse(s, place, "has too many rows (at most 256) or columns (at most 1024)");
    layer->n_outputs = (uint32_t)dims[0];
    layer->n_inputs = (uint32_t)dims[1];
    return PR_OK;
}

static pr_status read_weights(const source *s, pr_mlp_layer *layer, const char *place, hid_t dataset) {
    PR_TRY(find_sizes(s, layer, place, dataset));
    PR_TRY(pr_mlp_layer_allocate(layer, s->err));
    if (H5Dread(dataset, H5T_NATIVE_INT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, layer->weights) < 0)
        return refuse(s, place, "cannot be read");
    return PR_OK;
}

static pr_status read_biases(const source *s, pr_mlp_layer *layer, const char *place, hid_t dataset) {
    hsize_t dims[2];
    PR_TRY(check_integers(s, place, dataset, 4, H5T_SGN_2));
    PR_TRY(find_shape(s, place, dataset, dims, 1));
    if (dims[0] != layer->n_outputs) return refuse(s, place, "must have as many values as the weights have rows");
    if (H5Dread(dataset, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, layer->biases) < 0)
        return refuse(s, place, "cannot be read");
    return PR_OK;
}

static pr_status use(const source *s, pr_mlp_layer *layer, const char *group, const char *name, use_dataset *f) {
    char place[48];
    hid_t dataset;
    snprintf(place, sizeof place, "%s/%s", group, name);
    PR_TRY(open_dataset(s, &dataset, place));
    pr_status status = f(s, layer, place, dataset);
    H5Dclose(dataset);
    return status;
}

/* ---- models ---- */

typedef pr_status read_part(const source *s, pr_mlp_layer *layer, const char *group);

static pr_status size_layer(const source *s, pr_mlp_layer *layer, const char *group) {
    return use(s, layer, group, "weights", find_sizes);
}

static pr_status read_layer(const source *s, pr_mlp_layer *layer, const char *group) {
    PR_TRY(use(s, layer, group, "weights", read_weights));
    PR_TRY(use(s, layer, group, "biases", read_biases));
    PR_TRY(read_attribute(s, &layer->multiplier, group, "multiplier", 0));
    return read_attribute(s, &layer->shift, group, "shift", 0);
}

static pr_status read_layers(const source *s, pr_mlp_model *m, read_part *read) {
    H5G_info_t info;
    if (H5Lexists(s->file, "/layers", H5P_DEFAULT) <= 0 ||
        H5Gget_info_by_name(s->file, "/layers", &info, H5P_DEFAULT) < 0)
        return refuse(s, "/layers", "there is no such group");
    if (info.nlinks < 1 || info.nlinks > PR_MLP_MAX_LAYERS) return refuse(s, "/layers", "must have 1 to 4 members");
    for (uint32_t k = 0; k < info.nlinks; k++) {
        char group[32];
        snprintf(group, sizeof group, "/layers/%u", k);
        PR_TRY(read(s, &m->layers[k], group));
    }
    m->n_layers = (uint32_t)info.nlinks;
    return PR_OK;
}

static pr_status read_model(const source *s, pr_mlp_model *m) {
    pr_error cause = {0};
    PR_TRY(read_attribute(s, &m->input_max, "/", "input_max", UINT32_MAX));
    PR_TRY(read_layers(s, m, read_layer));
    return pr_mlp_model_check(m, &cause) == PR_OK ? PR_OK : refuse(s, "/layers", cause.text);
}

/* Keeps the library, which says nothing itself: errors are told in one line. close_file follows, whatever the status.
 */
static pr_status open_file(source *s) {
    pr_hdf5_lock();
    H5Eget_auto2(H5E_DEFAULT, &s->print, &s->print_context);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    s->file = H5Fopen(s->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (s->file >= 0) return PR_OK;
    return pr_fail(s->err, PR_ERR_INPUT, "%s: cannot be opened as an HDF5 file", s->path);
}

static void close_file(source *s) {
    if (s->file >= 0) H5Fclose(s->file);
    H5Eset_auto2(H5E_DEFAULT, s->print, s->print_context);
    pr_hdf5_unlock();
}

pr_status pr_mlp_model_load(pr_mlp_model *m, const char *path, pr_error *err) {
    source s = {.path = path, .err = err};
    *m = (pr_mlp_model){0};
    pr_status status = open_file(&s);
    if (status == PR_OK) status = read_model(&s, m);
    close_file(&s);
    if (status != PR_OK) pr_mlp_model_clear(m);
    return status;
}

pr_status pr_mlp_model_load_sizes(pr_mlp_model *m, const char *path, pr_error *err) {
    source s = {.path = path, .err = err};
    *m = (pr_mlp_model){0};
    pr_status status = open_file(&s);
    if (status == PR_OK) status = read_layers(&s, m, size_layer);
    close_file(&s);
    return status;
}

/* Rows first .. first + n - 1; width 0: one dimension. */
static pr_status read_rows(const source *s, uint8_t *out, const char *place, hid_t dataset, uint32_t first, uint32_t n,
                           uint32_t width) {
    hsize_t dims[2], start[2] = {first, 0}, count[2] = {n, width};
    int rank = width ? 2 : 1;
    PR_TRY(check_integers(s, place, dataset, 1, H5T_SGN_NONE));
    PR_TRY(find_shape(s, place, dataset, dims, rank));
    if (width && dims[1] != width) return refuse(s, place, "must have as many columns as the model has inputs");
    if ((hsize_t)first + n > dims[0]) {
        char text[96];
        snprintf(text, sizeof text, "has %llu rows, and %u from row %u on are asked for", (unsigned long long)dims[0],
                 n, first);
        return refuse(s, place, text);
    }
    hid_t from = H5Dget_space(dataset), to = H5Screate_simple(rank, count, NULL);
    bool good = from >= 0 && to >= 0 && H5Sselect_hyperslab(from, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                H5Dread(dataset, H5T_NATIVE_UINT8, to, from, H5P_DEFAULT, out) >= 0;
    if (from >= 0) H5Sclose(from);
    if (to >= 0) H5Sclose(to);
    return good ? PR_OK : refuse(s, place, "cannot be read");
}

static pr_status read_dataset(const source *s, uint8_t *out, const char *place, uint32_t first, uint32_t n,
                              uint32_t width) {
    hid_t dataset;
    PR_TRY(open_dataset(s, &dataset, place));
    pr_status status = read_rows(s, out, place, dataset, first, n, width);
    H5Dclose(dataset);
    return status;
}

pr_status pr_mlp_images_load(uint8_t *images, uint8_t *labels, const char *path, uint32_t first, uint32_t n,
                             uint32_t width, uint32_t input_max, pr_error *err) {
    source s = {.path = path, .err = err};
    pr_status status = open_file(&s);
    if (status == PR_OK) status = read_dataset(&s, images, "/images", first, n, width);
    if (status == PR_OK) status = read_dataset(&s, labels, "/labels", first, n, 0);
    close_file(&s);
    for (size_t k = 0; status == PR_OK && k < (size_t)n * width; k++)
        if (images[k] > input_max) status = refuse(&s, "/images", "a value is above the model's input_max");
    return status;
}
