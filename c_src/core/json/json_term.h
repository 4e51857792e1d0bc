// json_term.h: converts a JSON text to a term; for schemas and rules, where simplicity matters more than speed.
#ifndef RF_CORE_JSON_TERM_H
#define RF_CORE_JSON_TERM_H

#include "builder.h"
#include <roomfold/json.h>
#include <roomfold/term.h>

// Appends the text's value to builder->out. Duplicate keys and integers beyond 64 bits are errors.
rf_status rf_json_to_term(rf_allocator allocator, rf_str text, rf_builder *builder, rf_error *error);

// Puts a token of a value. False at the end of the text, after a reader's error, and if the builder fails.
bool rf_json_put_token(rf_builder *builder, const rf_json_token *token);

// The bytes of the term at the reader, which moves past it.
rf_str rf_term_skip(rf_term_reader *reader);
// The map's value under the key; false if the term is not a map or does not have the key.
bool rf_term_get(rf_str map, rf_str key, rf_str *out);
rf_term rf_term_head(rf_str term);

#endif
