// schema.h: declares components with a fixed type. All other components hold any JSON value.
//
//     {"format": "roomfold-schema", "version": 1, "components": [
//       {"name": "position", "type": "f32", "count": 3, "quantise": {"step": 0.001, "min": -100, "max": 100}}]}
#ifndef ROOMFOLD_SCHEMA_H
#define ROOMFOLD_SCHEMA_H

#include <roomfold/alloc.h>
#include <roomfold/status.h>

RF_BEGIN

#define RF_SCHEMA_MAX 64  // declared components
#define RF_NUMBERS_MAX 16 // numbers in a component

typedef enum rf_type {
    RF_TYPE_F32,
    RF_TYPE_F64,
    RF_TYPE_I64,
    RF_TYPE_BOOL,
    RF_TYPE_STRING,
    RF_TYPE_TERM,
} rf_type;

// How the packed format encodes a component (docs/wire-format.md). The world itself keeps full precision.
typedef enum rf_quantise {
    RF_QUANTISE_NONE,
    RF_QUANTISE_STEP,           // f32 and f64: as a number of steps above a minimum
    RF_QUANTISE_SMALLEST_THREE, // f32 x 4: a unit quaternion
} rf_quantise;

// A declared component.
typedef struct rf_component_def {
    rf_str name;
    rf_type type;
    uint8_t count;         // numbers of an f32 or f64, 1 to RF_NUMBERS_MAX; 1 for all other types
    bool fixed;            // f32 and f64: JSON has at most `decimals` decimals; otherwise the shortest exact form
    uint8_t decimals;      // 0 to 8
    uint8_t quantise;      // rf_quantise
    uint8_t bits;          // of SMALLEST_THREE: bits per number, 4 to 16
    double step, min, max; // of STEP: at most 2^23 steps from min to max, and 2^22 from zero to either
} rf_component_def;

// Immutable and reference-counted; may be shared between threads.
typedef struct rf_schema rf_schema;

// RF_INVALID_SCHEMA: error->about is the component at fault, or the part of the schema. RF_NO_MEMORY. error may be
// NULL.
RF_API rf_status rf_schema_new(rf_allocator allocator, const rf_component_def *defs, size_t count, rf_schema **out,
                               rf_error *error);
// The same with words: values, as canonical compact terms (term.h), that the packed format encodes as small numbers.
RF_API rf_status rf_schema_new_with_words(rf_allocator allocator, const rf_component_def *defs, size_t count,
                                          const rf_str *words, size_t word_count, rf_schema **out, rf_error *error);
// Reads the JSON form. The types are "f32", "f64", "i64", "bool", "string" and "term"; "count" is 1 if left out. f32
// and f64 may have "decimals" and "quantise"; the latter is {"bits": 10} for the smallest three of an f32 x 4. The
// whole may have "words", a list of values. Fails as rf_schema_new does, and with JSON errors, with the byte.
RF_API rf_status rf_schema_from_json(rf_allocator allocator, rf_str text, rf_schema **out, rf_error *error);
// position, velocity, scale and direction as f32 x 3, rotation as f32 x 4, health as i64. Fails with RF_NO_MEMORY only.
RF_API rf_status rf_schema_default(rf_allocator allocator, rf_schema **out);
RF_API rf_schema *rf_schema_retain(rf_schema *schema);
// NULL is allowed.
RF_API void rf_schema_release(rf_schema *schema);

// Declared components, in the order of their definition.
RF_API size_t rf_schema_count(const rf_schema *schema);
RF_API const rf_component_def *rf_schema_at(const rf_schema *schema, size_t index);
// The index of the declared component with this name, or -1.
RF_API int rf_schema_find(const rf_schema *schema, rf_str name);

RF_END

#endif
