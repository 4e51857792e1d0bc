// changes.h: reads what a line of a log creates, sets and deletes, in any shape of line (docs/event-model.md;
// Roomfold.Shape). Values stay as text, so that a conversion changes no number.
#ifndef RF_CLI_CHANGES_H
#define RF_CLI_CHANGES_H

#include "json_slices.h"

// A component of an entity; or, without a name, only the entity.
typedef struct change {
    rf_str id, name;       // unescaped
    rf_str value;          // the text in the line
    size_t item;           // by kind: which of the items, in the order in which a fold takes them; else 0
    size_t place;          // its position in its list before sorting
    size_t id_at, name_at; // offsets in the pool of `slices`, which moves while a line is read
} change;

typedef struct change_list {
    change *items;
    size_t count, capacity;
} change_list;

typedef enum line_form {
    LINE_ENTITY,    // create, update or delete
    LINE_DOMAIN,    // a domain event; it is not split into changes
    LINE_COMPONENT, // {name: {id: value}}
    LINE_KIND,      // {kind + "s": [components with "id"]}
} line_form;

typedef struct changes {
    line_form form;
    change_list set;         // components that are set or removed, and entities without components
    change_list created;     // ids of entities that are created: `set` has all their components
    change_list items;       // ids of the entities listed by kind
    bool all;                // by kind: all there is, since neither "created" nor "deleted" is there
    bool twice;              // by kind: an entity is listed twice, so that the order of its items matters
    change_list deleted;     // ids
    rf_str seq, at, by;      // their text in the line; data NULL: absent
    json_slices slices;      // its pool holds the bytes of ids and names
    json_slices top;         // the members of the line
    rf_str line;             // the whole value
    const char *error;       // what is wrong with the line; NULL: nothing
    char about[RF_NAME_MAX]; // the component or id at fault
    size_t about_len;
    size_t error_at; // the byte
} changes;

// Reads the value at the start of `text`; false: see `error`. The text must outlive the changes. Zero them before the
// first use; they can be reused. What values mean is not looked at, nor what only a fold sees (offence.h).
bool changes_read(changes *out, rf_str text);
void changes_free(changes *of);
// Call after adding to `slices`, whose bytes may have moved.
void changes_settle(changes *of);

#endif
