#include "name_cache.h"

#include <string.h>

#define LONGEST 32 // longer names are not cached

// A name's entry, from its length, first and last bytes.
static size_t place(rf_str name) {
    const unsigned char *bytes = (const unsigned char *)name.data;
    size_t hash = name.len * 31;
    if (name.len > 0) hash += bytes[0] * 7u + bytes[name.len / 2] * 13u + bytes[name.len - 1];
    return hash % NIF_NAMES;
}

ERL_NIF_TERM nif_names_get(nif_names *names, ErlNifEnv *env, rf_str name) {
    size_t i = place(name);
    const uint64_t bit = UINT64_C(1) << i;
    if (name.len > LONGEST) return nif_binary(env, name);
    if (names->filled & bit) {
        rf_str known = names->entries[i].bytes;
        if (known.len == name.len && memcmp(known.data, name.data, name.len) == 0) return names->entries[i].term;
    }
    names->entries[i].term = nif_binary(env, name);
    if (nif_bytes(env, names->entries[i].term, &names->entries[i].bytes))
        names->filled |= bit;
    else
        names->filled &= ~bit;
    return names->entries[i].term;
}
