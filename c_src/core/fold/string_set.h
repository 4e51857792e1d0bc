// string_set.h: sets of strings, as terms: sorted lists without repeats (docs/event-model.md, "Rules").
#ifndef RF_CORE_STRING_SET_H
#define RF_CORE_STRING_SET_H

#include "base/arena.h"
#include "json/builder.h"
#include <roomfold/term.h>

// Puts a string into a set or takes it out; *result holds the new set. set: a term; empty: the empty set. RF_NOT_A_SET:
// it is no list of strings. RF_NO_MEMORY.
rf_status rf_string_set_change(rf_arena *arena, rf_str set, rf_str value, bool put, rf_builder *result);

#endif
