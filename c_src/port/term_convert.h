// term_convert.h: terms from what a world holds.
#ifndef ROOMFOLD_PORT_TERM_CONVERT_H
#define ROOMFOLD_PORT_TERM_CONVERT_H

#include "answer.h"

// A removed component's value is nil.
void port_put_value(port_answer *out, const rf_component *component);
// name => value for each, without the map around them; how many there were.
size_t port_put_entries(port_answer *out, rf_component_iter components);
// %{name => value}
void port_put_components(port_answer *out, rf_component_iter components);

// Two strings in the order of their bytes, as memcmp says it.
int port_compare(rf_str a, rf_str b);

#endif
