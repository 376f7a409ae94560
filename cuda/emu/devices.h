/* A list of devices that tests make up, with CUDA_VISIBLE_DEVICES read as CUDA reads it: indices or names, to the first
 * entry that names none. All are the one device of the emulation; which a thread has selected is remembered. */
#ifndef PR_EMU_DEVICES_H
#define PR_EMU_DEVICES_H
#include <cctype>
#include <cstdlib>
#include <string>
#include <vector>

namespace emu {

struct made_up_device {
    std::string bus_id, uuid;
};
struct device_list {
    std::vector<made_up_device> all; /* empty: one, whatever the environment says */
    unsigned n_calls = 0;            /* of what would load the driver */
};
inline device_list &devices() {
    static device_list list;
    return list;
}

inline int &selected_device() { /* in all, by the calling thread; -1: none */
    static thread_local int selected = -1;
    return selected;
}

inline int named_device(const std::string &entry) {
    const std::vector<made_up_device> &all = devices().all;
    if (!entry.empty() && std::isdigit((unsigned char)entry[0])) {
        const unsigned long k = std::strtoul(entry.c_str(), nullptr, 10);
        return k < all.size() ? (int)k : -1;
    }
    for (size_t k = 0; k < all.size(); k++)
        if (!entry.empty() && all[k].uuid.compare(0, entry.size(), entry) == 0) return (int)k;
    return -1;
}

/* Places in all of the devices that are visible, in the order in which the process numbers them. */
inline std::vector<int> visible_devices() {
    std::vector<int> out;
    const char *text = std::getenv("CUDA_VISIBLE_DEVICES");
    const std::string list = text ? text : "";
    for (size_t k = 0; !text && k < devices().all.size(); k++) out.push_back((int)k);
    for (size_t at = 0; text && at <= list.size();) {
        const size_t end = std::min(list.find(',', at), list.size());
        const int k = named_device(list.substr(at, end - at));
        if (k < 0) break;
        out.push_back(k);
        at = end + 1;
    }
    return out;
}

} // namespace emu
#endif
