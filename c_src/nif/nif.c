// nif.c: the NIF library behind Roomfold.Native (elixir/roomfold/lib/roomfold/native.ex).
#include "definitions.h"
#include "nif_functions.h"
#include "world_resource.h"

#include <string.h>

#ifndef RF_VERSION
#define RF_VERSION "unknown"
#endif

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "unknown"
#endif

static ERL_NIF_TERM info(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    const char *simd = rf_simd_name(rf_simd_best());
    ERL_NIF_TERM keys[] = {nif_atom.version, nif_atom.compiler, nif_atom.nif_version, nif_atom.simd};
    ERL_NIF_TERM values[] = {
        nif_binary(env, (rf_str){RF_VERSION, strlen(RF_VERSION)}),
        nif_binary(env, (rf_str){COMPILER, strlen(COMPILER)}),
        enif_make_tuple2(env, enif_make_int(env, ERL_NIF_MAJOR_VERSION), enif_make_int(env, ERL_NIF_MINOR_VERSION)),
        nif_binary(env, (rf_str){simd, strlen(simd)}),
    };
    ERL_NIF_TERM map;
    (void)argc, (void)argv;
    return enif_make_map_from_arrays(env, keys, values, 4, &map) ? map : enif_make_badarg(env);
}

static ErlNifFunc functions[] = {
    {"info", 0, info, 0},
    {"json_decode", 2, nif_json_decode, 0},
    {"json_encode", 1, nif_json_encode, 0},
    {"world_new", 3, nif_world_new, 0},
    {"world_fold", 3, nif_world_fold, 0},
    {"world_admit", 4, nif_world_admit, 0},
    {"world_input", 5, nif_world_input, 0},
    {"world_events_text", 3, nif_world_events_text, 0},
    {"world_copy", 2, nif_world_copy, 0},
    {"world_get", 3, nif_world_get, 0},
    {"world_query", 3, nif_world_query, 0},
    {"world_snapshot", 3, nif_world_snapshot, 0},
    {"world_diff", 3, nif_world_diff, 0},
    {"world_encode", 5, nif_world_encode, 0},
    {"world_encode_packed", 3, nif_world_encode_packed, 0},
    {"world_load_packed", 3, nif_world_load_packed, 0},
    {"world_apply_packed", 3, nif_world_apply_packed, 0},
    {"world_apply_diff", 3, nif_world_apply_diff, 0},
    {"world_load", 3, nif_world_load, 0},
    {"world_info", 2, nif_world_info, 0},
    {"hits_open", 4, nif_hits_open, 0},
    {"hits_mark", 3, nif_hits_mark, 0},
    {"hits_cast", 3, nif_hits_cast, 0},
    {"hits_overlap", 3, nif_hits_overlap, 0},
};

static int load(ErlNifEnv *env, void **data, ERL_NIF_TERM argument) {
    (void)argument;
    nif_definitions *definitions = nif_definitions_new();
    nif_atoms_make(env);
    if (!definitions || !nif_world_open_type(env)) {
        nif_definitions_free(definitions);
        return -1;
    }
    *data = definitions;
    return 0;
}

// Hot code upgrade: the new library takes over the existing worlds.
static int upgrade(ErlNifEnv *env, void **data, void **old_data, ERL_NIF_TERM argument) {
    (void)old_data;
    return load(env, data, argument);
}

static void unload(ErlNifEnv *env, void *data) {
    (void)env;
    nif_definitions_free(data);
}

ERL_NIF_INIT(Elixir.Roomfold.Native, functions, load, NULL, upgrade, unload)
