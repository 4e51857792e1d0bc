// world.h: the state of a room: entities with components.
//
// A world is not locked: one thread at a time may change it, any number may read it while none does.
#ifndef ROOMFOLD_WORLD_H
#define ROOMFOLD_WORLD_H

#include <roomfold/rules.h>
#include <roomfold/term.h>

RF_BEGIN

#define RF_SEQ_MAX ((UINT64_C(1) << 53) - 1)
#define RF_NAME_MAX 255 // bytes of an id, an event's or a component's name
#define RF_DEPTH_MAX 64

typedef struct rf_world rf_world;

// Names an entity by value: the handle is an index, the generation says which of those that had it.
// Zero is nobody.
typedef struct rf_entity {
    uint32_t handle1; // the handle plus one
    uint32_t generation;
} rf_entity;

// How a world is made. Start from rf_world_def_default().
typedef struct rf_world_def {
    uint32_t cookie;
    rf_allocator allocator;
    rf_schema *schema;        // required; retained
    rf_rules *rules;          // may be NULL: entity events only; retained; compiled for the same schema
    uint64_t seq;             // what the world starts at; 0
    uint64_t hash_seed;       // of the id table; give a random one where ids come from strangers
    uint32_t max_entities;    // 1,048,576
    uint32_t max_value_bytes; // of one term or string; 65,536
    uint32_t max_undeclared;  // components of one entity; 64
    uint32_t history;         // seqs that diffs can start from; 1,024
} rf_world_def;

RF_API rf_world_def rf_world_def_default(void);
RF_API rf_status rf_world_new(const rf_world_def *def, rf_world **out);
RF_API rf_status rf_world_copy(const rf_world *world, rf_world **out);
RF_API void rf_world_free(rf_world *world);

RF_API uint64_t rf_world_seq(const rf_world *world);
RF_API uint64_t rf_world_start(const rf_world *world); // the seq it was made or loaded with
RF_API uint32_t rf_world_count(const rf_world *world); // entities
RF_API size_t rf_world_memory(const rf_world *world);  // bytes it has allocated, all of them
RF_API const rf_schema *rf_world_schema(const rf_world *world);
RF_API const rf_rules *rf_world_rules(const rf_world *world);

// The entity with this id, or nobody.
RF_API rf_entity rf_world_find(const rf_world *world, rf_str id);
// Walks all entities in the order of their handles: start with nobody, ends with false.
RF_API bool rf_world_next(const rf_world *world, rf_entity *entity);
// The same, but only entities that have all of these components.
RF_API bool rf_world_next_with(const rf_world *world, const rf_str *names, size_t count, rf_entity *entity);
RF_API bool rf_world_alive(const rf_world *world, rf_entity entity);
// The id, valid until the world changes. The entity must be alive.
RF_API rf_str rf_world_id(const rf_world *world, rf_entity entity);

// A component's value, read in place; valid until the world changes.
typedef struct rf_component {
    rf_str name;
    int index;    // in the schema, or -1
    bool removed; // in a diff: this component is gone
    rf_type type;
    uint8_t count; // numbers, for f32 and f64
    union {
        const float *f32;
        const double *f64;
        int64_t i64;
        bool boolean;
        rf_str string;
        rf_str term; // compact form: read it with rf_term_reader
    } as;
} rf_component;

// Walks an entity's components: declared ones in the order of the schema, then the others by name.
typedef struct rf_component_iter {
    const rf_world *world;
    uint32_t handle;
    uint32_t since; // only those changed at or after this revision; 0: all that are there
    uint32_t next;
} rf_component_iter;

RF_API rf_component_iter rf_world_components(const rf_world *world, rf_entity entity);
RF_API bool rf_component_next(rf_component_iter *iter, rf_component *out);
// One component by name; false if the entity does not have it.
RF_API bool rf_world_get(const rf_world *world, rf_entity entity, rf_str name, rf_component *out);
// Its component `kind`, if that is a string, else `none`; valid until the world changes.
RF_API rf_str rf_world_kind(const rf_world *world, rf_entity entity, rf_str none);
// What entities without a kind are shown as, where all are shown by kind.
#define RF_KIND_OTHER ((rf_str){"other", 5})

RF_END

#endif
