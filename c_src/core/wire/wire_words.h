// wire_words.h: names and terms as bits, which are words of the schema where possible (docs/wire-format.md, "Name" and
// "Any term").
#ifndef RF_CORE_WIRE_WORDS_H
#define RF_CORE_WIRE_WORDS_H

#include "base/arena.h"
#include "frame/wire_in.h"
#include "frame/wire_out.h"
#include <roomfold/schema.h>

// Write. They reserve by themselves.
void rf_words_put_name(rf_wire_out *out, const rf_schema *schema, rf_str text);
void rf_words_put_term(rf_wire_out *out, const rf_schema *schema, rf_str term);

// Read; the bytes are the schema's or in the arena. RF_INVALID_FRAME, RF_NO_MEMORY; for a term of more than max_bytes
// RF_TOO_LARGE.
rf_str rf_words_get_name(rf_wire_in *in, const rf_schema *schema, rf_arena *arena);
rf_str rf_words_get_term(rf_wire_in *in, const rf_schema *schema, size_t max_bytes, rf_arena *arena);

#endif
