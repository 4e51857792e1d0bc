// wire_words.h: writes names and terms as bits, using words of the schema where possible. Both make their own room.
#ifndef RF_CORE_WIRE_WORDS_H
#define RF_CORE_WIRE_WORDS_H

#include "frame/wire_out.h"
#include <roomfold/schema.h>

void rf_wire_name(rf_wire_out *out, const rf_schema *schema, rf_str text);
void rf_wire_term(rf_wire_out *out, const rf_schema *schema, rf_str term);

#endif
