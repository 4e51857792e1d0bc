// schema.h: which components have a type of their own.
#ifndef ROOMFOLD_SCHEMA_H
#define ROOMFOLD_SCHEMA_H

#include <roomfold/alloc.h>
#include <roomfold/status.h>

RF_BEGIN

#define RF_SCHEMA_MAX 64  // declared components
#define RF_NUMBERS_MAX 16 // numbers in one component

typedef enum rf_type {
    RF_TYPE_F32,
    RF_TYPE_F64,
    RF_TYPE_I64,
    RF_TYPE_BOOL,
    RF_TYPE_STRING,
    RF_TYPE_TERM,
} rf_type;

// How a component travels in the packed format (docs/wire-format.md); the world itself keeps what it was given.
typedef enum rf_quantise {
    RF_QUANTISE_NONE,
    RF_QUANTISE_STEP,           // f32 and f64: in steps between two bounds
    RF_QUANTISE_SMALLEST_THREE, // f32 x 4: a unit quaternion
} rf_quantise;

// One declared component. count: how many numbers an f32 or f64 has (1 to 16); 1 for all others.
typedef struct rf_component_def {
    rf_str name;
    rf_type type;
    uint8_t count;
    bool fixed;       // f32 and f64: JSON shows at most `decimals` decimals; else the shortest text that reads back
    uint8_t decimals; // 0 to 8
    uint8_t quantise; // rf_quantise
    uint8_t bits;     // of SMALLEST_THREE: of each number, 4 to 16
    double step, min, max; // of STEP: at most 2^23 steps, and 2^22 from zero to a bound
} rf_component_def;

// Immutable once made; shared by reference count, from any thread.
typedef struct rf_schema rf_schema;

RF_API rf_status rf_schema_new(rf_allocator allocator, const rf_component_def *defs, size_t count, rf_schema **out,
                               rf_error *error);
// The same with words: canonical compact terms (rf_term) that the packed format says by their number.
RF_API rf_status rf_schema_new_with_words(rf_allocator allocator, const rf_component_def *defs, size_t count,
                                          const rf_str *words, size_t word_count, rf_schema **out, rf_error *error);
// {"format": "roomfold-schema", "version": 1, "components": [{"name": "position", "type": "f32", "count": 3}, ...]}
// count may be left out where it is 1; "decimals" may be added to f32 and f64, and "quantise": {"step": 0.001, "min":
// -100, "max": 100} or (f32 x 4) {"bits": 10}. Beside "components" there may be "words", a list of values.
RF_API rf_status rf_schema_from_json(rf_allocator allocator, rf_str text, rf_schema **out, rf_error *error);
// position, velocity, scale, direction: f32 x 3; rotation: f32 x 4; health: i64.
RF_API rf_status rf_schema_default(rf_allocator allocator, rf_schema **out);
RF_API rf_schema *rf_schema_retain(rf_schema *schema);
RF_API void rf_schema_release(rf_schema *schema);

RF_API size_t rf_schema_count(const rf_schema *schema);
RF_API const rf_component_def *rf_schema_at(const rf_schema *schema, size_t index);
// The index of a declared component, or -1.
RF_API int rf_schema_find(const rf_schema *schema, rf_str name);

RF_END

#endif
