#include "definitions.h"
#include "tsan.h"

struct nif_definitions {
    ErlNifMutex *lock; // protects the list; never held while something is compiled
    rf_definitions *list;
};

nif_definitions *nif_definitions_new(void) {
    char name[] = "roomfold_definitions"; // the VM copies it
    nif_definitions *made = enif_alloc(sizeof *made);
    if (!made) return NULL;
    *made = (nif_definitions){.lock = enif_mutex_create(name)};
    if (made->lock && rf_definitions_new(nif_allocator(), &made->list) == RF_OK) {
        nif_unlocking(made);
        return made;
    }
    nif_definitions_free(made);
    return NULL;
}

void nif_definitions_free(nif_definitions *definitions) {
    if (!definitions) return;
    nif_locked(definitions);
    rf_definitions_free(definitions->list);
    if (definitions->lock) enif_mutex_destroy(definitions->lock);
    enif_free(definitions);
}

static nif_definitions *enter(ErlNifEnv *env) {
    nif_definitions *definitions = enif_priv_data(env);
    enif_mutex_lock(definitions->lock);
    nif_locked(definitions);
    return definitions;
}

static void leave(nif_definitions *definitions) {
    nif_unlocking(definitions);
    enif_mutex_unlock(definitions->lock);
}

bool nif_definitions_find(ErlNifEnv *env, rf_str schema, const rf_str *rules, rf_definition *out) {
    nif_definitions *definitions = enter(env);
    bool found = rf_definitions_find(definitions->list, schema, rules, out);
    leave(definitions);
    return found;
}

rf_status nif_definitions_make(ErlNifEnv *env, rf_str schema, const rf_str *rules, rf_definition *out,
                               rf_error *error) {
    nif_definitions *definitions;
    rf_status status = rf_definition_from_json(nif_allocator(), schema, rules, out, error);
    if (status != RF_OK) return status;
    definitions = enter(env);
    rf_definitions_keep(definitions->list, schema, rules, out);
    leave(definitions);
    return RF_OK;
}
