// world.h: a world is the state of a room: entities with components.
//
//     rf_world_def def = rf_world_def_default();
//     rf_schema_default(def.allocator, &def.schema);
//     rf_world_new(&def, &world);
//     rf_schema_release(def.schema);    the world has its own reference
//
//     rf_entity entity = {0};
//     while (rf_world_next(world, &entity)) use(rf_world_id(world, entity));
//
// Events change a world (fold.h). A world is not locked: any number of threads may read it, but while one changes it,
// no other may use it. What is said to be valid until the world changes is valid until the next fold, load or free.
#ifndef ROOMFOLD_WORLD_H
#define ROOMFOLD_WORLD_H

#include <roomfold/rules.h>
#include <roomfold/term.h>

RF_BEGIN

#define RF_SEQ_MAX ((UINT64_C(1) << 53) - 1)
#define RF_NAME_MAX 255 // bytes of an id, an event's name or a component's name
#define RF_DEPTH_MAX 64 // levels of lists and maps in an event, which is the first

typedef struct rf_world rf_world;

// Refers to an entity by value. Handles are reused: the generation tells apart the entities that had the same handle.
// Zeroed, it refers to no entity.
typedef struct rf_entity {
    uint32_t handle1; // the handle plus one
    uint32_t generation;
} rf_entity;

// Options of a new world, with their defaults. Start from rf_world_def_default().
typedef struct rf_world_def {
    uint32_t cookie; // set by rf_world_def_default()
    rf_allocator allocator;
    rf_schema *schema;        // required; retained
    rf_rules *rules;          // compiled for the same schema; retained; may be NULL: then only entity events are known
    uint64_t seq;             // the seq to start at; 0; at most RF_SEQ_MAX
    uint64_t hash_seed;       // of the table of ids; 0; make it random if ids come from untrusted sources
    uint32_t max_entities;    // 1,048,576
    uint32_t max_value_bytes; // of a term or string; 65,536; at most 2^30
    uint32_t max_undeclared;  // undeclared components per entity; 64; at most 65,536
    uint32_t history;         // how many seqs back a diff can start; 1,024; 1 to 1,048,576
} rf_world_def;

RF_API rf_world_def rf_world_def_default(void);
// RF_INVALID_ARGUMENT: the def has no cookie, allocator or schema, or a limit is out of range. RF_NO_MEMORY.
RF_API rf_status rf_world_new(const rf_world_def *def, rf_world **out);
// An independent copy, with the same allocator, schema, rules and history. RF_NO_MEMORY.
RF_API rf_status rf_world_copy(const rf_world *world, rf_world **out);
// NULL is allowed.
RF_API void rf_world_free(rf_world *world);

RF_API uint64_t rf_world_seq(const rf_world *world);   // of the newest event
RF_API uint64_t rf_world_start(const rf_world *world); // the seq it was made or loaded with
RF_API uint32_t rf_world_count(const rf_world *world); // entities
RF_API size_t rf_world_memory(const rf_world *world);  // bytes allocated in total
RF_API const rf_schema *rf_world_schema(const rf_world *world);
RF_API const rf_rules *rf_world_rules(const rf_world *world); // NULL: none

// The entity with this id, or a zeroed one.
RF_API rf_entity rf_world_find(const rf_world *world, rf_str id);
// Iterates over all entities in the order of their handles: start with a zeroed *entity. False at the end.
RF_API bool rf_world_next(const rf_world *world, rf_entity *entity);
// The same, but only entities that have all of these components.
RF_API bool rf_world_next_with(const rf_world *world, const rf_str *names, size_t count, rf_entity *entity);
// Whether the entity still exists.
RF_API bool rf_world_alive(const rf_world *world, rf_entity entity);
// Its id, valid until the world changes. Here and below, the entity must be alive.
RF_API rf_str rf_world_id(const rf_world *world, rf_entity entity);

// A component's value, in place: what it points to is valid until the world changes.
typedef struct rf_component {
    rf_str name;
    int index;    // in the schema; -1: not declared
    bool removed; // only in a diff: the component was removed and has no value
    rf_type type;
    uint8_t count; // numbers, for f32 and f64
    union {
        const float *f32;
        const double *f64;
        int64_t i64;
        bool boolean;
        rf_str string;
        rf_str term; // read it with rf_term_reader (term.h)
    } as;
} rf_component;

// Iterates over an entity's components: declared ones in the order of the schema, then the others in byte order of
// their names. The fields are private.
typedef struct rf_component_iter {
    const rf_world *world;
    uint32_t handle;
    uint32_t since; // only components changed at or after this revision; 0: all
    uint32_t next;
} rf_component_iter;

RF_API rf_component_iter rf_world_components(const rf_world *world, rf_entity entity);
// False at the end.
RF_API bool rf_component_next(rf_component_iter *iter, rf_component *out);
// The component with this name; false if the entity does not have it.
RF_API bool rf_world_get(const rf_world *world, rf_entity entity, rf_str name, rf_component *out);
// The component "kind" if it is a string, otherwise `none`. Valid until the world changes.
RF_API rf_str rf_world_kind(const rf_world *world, rf_entity entity, rf_str none);
// Stands for the kind of entities without one, wherever entities are listed by kind.
#ifdef __cplusplus
#define RF_KIND_OTHER (rf_str{"other", 5})
#else
#define RF_KIND_OTHER ((rf_str){"other", 5})
#endif

RF_END

#endif
