// event_group.h: reads events that hold only an id and numbers (most do) in groups.
//
// While a group is read, the memory of the next group's events is prefetched. Most of the time goes into calls of the
// VM, so there are as few of them as possible.
#ifndef ROOMFOLD_NIF_EVENT_GROUP_H
#define ROOMFOLD_NIF_EVENT_GROUP_H

#include "map_shape.h"

#define NIF_GROUP 16
#define NIF_GROUP_NUMBERS (NIF_GROUP * NIF_SHAPE_KEYS * RF_NUMBERS_MAX)

#define NIF_LINE 64       // bytes of a cache line
#define NIF_EVENT_LINES 9 // of an event that sets position and rotation and shares no keys with other events

// Events of a list.
typedef struct nif_ahead {
    uint32_t count;
    ERL_NIF_TERM list; // the list that starts with these events; known for the next group only
    ERL_NIF_TERM events[NIF_GROUP];
} nif_ahead;

typedef struct nif_group {
    nif_ahead lists[2]; // of this group and of the next one
    uint32_t turn;      // the index of this group's
    ERL_NIF_TERM ahead; // the list after the next group
    uint32_t count;
    bool plain[NIF_GROUP]; // false: cannot be read this way; it is folded value by value
    rf_entity_event events[NIF_GROUP];
    rf_numbers *components_end; // of the events so far
    double *numbers_end;
    rf_numbers components[NIF_GROUP * NIF_SHAPE_KEYS];
    double numbers[NIF_GROUP_NUMBERS];
} nif_group;

struct nif_events;

// Reads the next group of the list: group.count events; those marked plain are in group.events.
void nif_group_read(struct nif_events *events, ERL_NIF_TERM list);
// Call when `done` events of the group that was read from `list` are folded: returns the rest of the list.
ERL_NIF_TERM nif_group_leave(struct nif_events *events, ERL_NIF_TERM list, uint32_t done);
// Reads a single event as a group; false if it cannot be read this way.
bool nif_group_read_entity(struct nif_events *events, rf_entity_op op, rf_str id, ERL_NIF_TERM components);

#endif
