// term_convert.h: puts a world's contents as terms.
#ifndef ROOMFOLD_PORT_TERM_CONVERT_H
#define ROOMFOLD_PORT_TERM_CONVERT_H

#include "answer.h"

// A removed component's value is nil.
void port_put_value(port_answer *out, const rf_component *component);
// Puts name => value for each, without the map's header; returns how many.
size_t port_put_entries(port_answer *out, rf_component_iter components);
// %{name => value}
void port_put_components(port_answer *out, rf_component_iter components);

// Compares in byte order; the result is like memcmp's.
int port_compare(rf_str a, rf_str b);

#endif
