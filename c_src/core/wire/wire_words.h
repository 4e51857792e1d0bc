// wire_words.h: names and terms in bits, as words of the schema where they can be. Both ask for their own room.
#ifndef RF_CORE_WIRE_WORDS_H
#define RF_CORE_WIRE_WORDS_H

#include "frame/wire_out.h"
#include <roomfold/schema.h>

void rf_wire_name(rf_wire_out *out, const rf_schema *schema, rf_str text);
// term is in compact form.
void rf_wire_term(rf_wire_out *out, const rf_schema *schema, rf_str term);

#endif
