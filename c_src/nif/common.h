// common.h: shared by all files of the NIF: atoms, errors, memory, and scheduling.
#ifndef ROOMFOLD_NIF_COMMON_H
#define ROOMFOLD_NIF_COMMON_H

#include <erl_nif.h>

#include <roomfold/roomfold.h>
#include <string.h>

// Made once, when the library is loaded; constant from then on.
typedef struct nif_atoms {
    ERL_NIF_TERM ok, error, nil, false_, true_;
    ERL_NIF_TERM list, json;
    ERL_NIF_TERM entity, component, kind;
    ERL_NIF_TERM version, compiler, nif_version, simd;
    ERL_NIF_TERM packed, plain, seq, time;
    ERL_NIF_TERM first, pierce, all;     // kinds of shots
    ERL_NIF_TERM box, sphere, capsule;   // shapes
    ERL_NIF_TERM target, wall, triangle; // what can be hit, beside boxes
    ERL_NIF_TERM reasons[RF_STATUS_COUNT];
} nif_atoms;

extern nif_atoms nif_atom;
void nif_atoms_make(ErlNifEnv *env);

// Uses the VM's allocator, so that its memory statistics include worlds.
rf_allocator nif_allocator(void);

// {:error, {reason, about, offset}}; the first leaves the last two nil.
ERL_NIF_TERM nif_error(ErlNifEnv *env, rf_status status);
ERL_NIF_TERM nif_error_at(ErlNifEnv *env, const rf_error *error);
// The reason, what it is about (a binary, or nil where about is NULL) and the offset (nil for RF_NOWHERE).
ERL_NIF_TERM nif_about(ErlNifEnv *env, const char *about, size_t len);
ERL_NIF_TERM nif_offset(ErlNifEnv *env, uint64_t offset);

// A new binary with a copy of the bytes.
ERL_NIF_TERM nif_binary(ErlNifEnv *env, rf_str bytes);
// The bytes of a binary, valid until the call returns; false for any other term.
static inline bool nif_bytes(ErlNifEnv *env, ERL_NIF_TERM term, rf_str *out) {
    ErlNifBinary binary;
    if (!enif_inspect_binary(env, term, &binary)) return false;
    *out = (rf_str){(const char *)binary.data, binary.size};
    return true;
}

// Compares in byte order; the result is like memcmp's.
int nif_compare(rf_str a, rf_str b);

typedef ERL_NIF_TERM nif_function(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);

// Whether this call runs on a normal scheduler, and so must be short.
bool nif_on_normal_scheduler(void);
// Runs the call again on a dirty scheduler. The NIF must return the result.
ERL_NIF_TERM nif_go_dirty(ErlNifEnv *env, const char *name, nif_function *function, int argc,
                          const ERL_NIF_TERM argv[]);

// The work a call may do on a normal scheduler before it must yield or go dirty. A unit is roughly ten nanoseconds: one
// value read or made, or NIF_WORK_BYTES of a string.
#define NIF_WORK 20000
#define NIF_WORK_BYTES 32

// Charges the calling process reductions for the work, so that scheduling stays fair.
void nif_charge(ErlNifEnv *env, int64_t work);

#endif
