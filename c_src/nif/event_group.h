// event_group.h: events of nothing but an id and numbers, which most are, read several at a time.
//
// A group is read step by step: what one step finds is asked for, and the next step follows it when the same has been
// done for all others. After a garbage collection the parts of a term lie all over the heap, and one event after the
// other would wait for memory two dozen times each.
#ifndef ROOMFOLD_NIF_EVENT_GROUP_H
#define ROOMFOLD_NIF_EVENT_GROUP_H

#include "map_shape.h"

#define NIF_GROUP 16
#define NIF_GROUP_PARTS (NIF_GROUP * NIF_SHAPE_KEYS)
#define NIF_GROUP_NUMBERS (NIF_GROUP_PARTS * RF_NUMBERS_MAX)

#define NIF_EXACT_INTEGERS (INT64_C(1) << 53)

// Events of a list, and for each the list whose first it is.
typedef struct nif_ahead {
    uint32_t count;
    ERL_NIF_TERM lists[NIF_GROUP], events[NIF_GROUP];
} nif_ahead;

// A number, or a list of as many as a component has.
typedef struct nif_part {
    ERL_NIF_TERM rest;     // of the list; the empty one for a number
    uint32_t event;        // in the group
    uint32_t cells;        // of the list that are to be read; 0 for a number
    uint32_t count, first; // of its numbers
} nif_part;

// An event on its way.
typedef struct nif_reading {
    bool plain; // false: it can't be read this way, and is looked at more closely when it is its turn
    bool known; // a create, update or delete
    bool has_id, has_components;
    ERL_NIF_TERM name, payload, id, components;
    rf_str text; // of the name
    nif_entries entries;
} nif_reading;

typedef struct nif_group {
    nif_ahead lists[2]; // this group's, and the next one's
    uint32_t turn;      // which is this group's
    ERL_NIF_TERM ahead; // behind the next one's
    uint32_t count, numbers_len;
    uint32_t cells;     // of the longest list
    nif_part *part_end; // behind the last part
    nif_reading readings[NIF_GROUP];
    rf_entity_event events[NIF_GROUP];
    rf_numbers components[NIF_GROUP][NIF_SHAPE_KEYS];
    nif_part parts[NIF_GROUP_PARTS];
    ERL_NIF_TERM terms[NIF_GROUP_NUMBERS]; // of the numbers
    double numbers[NIF_GROUP_NUMBERS];
} nif_group;

struct nif_events;

// The next group of the list: group.count events, of which those that are plain lie in group.events.
void nif_group_read(struct nif_events *events, ERL_NIF_TERM list);
// After so many of them: the list that follows, with which to go on.
ERL_NIF_TERM nif_group_leave(struct nif_events *events, uint32_t done);
// A group of one; false if it can't be read this way.
bool nif_group_read_entity(struct nif_events *events, rf_entity_op op, rf_str id, ERL_NIF_TERM components);

#endif
