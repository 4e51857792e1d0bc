// json_term.h: a whole JSON text as a compact term; for schemas and rules, where ease beats speed.
#ifndef RF_CORE_JSON_TERM_H
#define RF_CORE_JSON_TERM_H

#include "builder.h"
#include <roomfold/json.h>
#include <roomfold/term.h>

// Appends the text's value to builder->out. Duplicate keys and integers beyond 64 bits are errors.
rf_status rf_json_to_term(rf_allocator allocator, rf_str text, rf_builder *builder, rf_error *error);

// One token of a value. False at the end of the text, after an error of the reader, and when it can't be said.
bool rf_json_put_token(rf_builder *builder, const rf_json_token *token);

// The term that the reader stands on, as bytes; moves behind it.
rf_str rf_term_skip(rf_term_reader *reader);
// A map's value by key; false if the term is not a map or does not have the key.
bool rf_term_get(rf_str map, rf_str key, rf_str *out);
rf_term rf_term_head(rf_str term);

#endif
