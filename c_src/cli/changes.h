// changes.h: what one line of a log creates, sets and deletes, read from any of its shapes (docs/event-model.md;
// Roomfold.Shape). Values stay the text they were, so that converting changes no number.
#ifndef RF_CLI_CHANGES_H
#define RF_CLI_CHANGES_H

#include "json_slices.h"

// One component of an entity; or, without a name, the entity alone.
typedef struct change {
    rf_str id, name;       // unescaped
    rf_str value;          // as it stands in the line
    size_t place;          // in its list, as it was read
    size_t id_at, name_at; // in the pool of bytes, which moves while a line is read
} change;

typedef struct change_list {
    change *items;
    size_t count, capacity;
} change_list;

typedef enum line_form {
    LINE_ENTITY,    // create, update or delete
    LINE_DOMAIN,    // a domain event, which stays one
    LINE_COMPONENT, // {name: {id: value}}
    LINE_KIND,      // {kind + "s": [components with "id"]}
} line_form;

typedef struct changes {
    line_form form;
    change_list set;             // components that are set or removed; entities alone where there are none
    change_list created;         // ids of which "set" holds all components, not only what changed
    change_list items;           // ids of what is listed by kind
    change_list deleted;         // ids
    rf_str seq, at, by;          // as they stand in the line; without data: none
    json_slices slices;          // holds the bytes of ids and names
    json_slices top;             // of the line itself
    rf_str line;                 // the whole value
    const char *error;           // what is wrong with the line, or NULL
    char about[RF_NAME_MAX + 1]; // and with what in it
    size_t error_at;             // and where
} changes;

// Reads the value that `text` starts with; false: see error. The text must outlive the use of the changes. Start with
// zeroed changes; they can be used again and again.
bool changes_read(changes *out, rf_str text);
void changes_free(changes *of);
// After something was added to `slices`: its bytes may have moved.
void changes_settle(changes *of);

#endif
