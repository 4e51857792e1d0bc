// event_group.h: events of nothing but an id and numbers, which most are, read several at a time.
//
// While a group is read, the memory of the next one's events is asked for. The calls into the VM are what it costs:
// each takes more than what it does, so there are as few as can be.
#ifndef ROOMFOLD_NIF_EVENT_GROUP_H
#define ROOMFOLD_NIF_EVENT_GROUP_H

#include "map_shape.h"

#define NIF_GROUP 16
#define NIF_GROUP_NUMBERS (NIF_GROUP * NIF_SHAPE_KEYS * RF_NUMBERS_MAX)

#define NIF_LINE 64       // bytes of memory that come at once
#define NIF_EVENT_LINES 9 // of an event that sets a position and a rotation and shares no key with another

// Events of a list.
typedef struct nif_ahead {
    uint32_t count;
    ERL_NIF_TERM list; // whose first ones they are; known of the next ones only
    ERL_NIF_TERM events[NIF_GROUP];
} nif_ahead;

typedef struct nif_group {
    nif_ahead lists[2]; // this group's, and the next one's
    uint32_t turn;      // which is this group's
    ERL_NIF_TERM ahead; // behind the next one's
    uint32_t count;
    bool plain[NIF_GROUP]; // false: it can't be read this way, and is looked at more closely when it is its turn
    rf_entity_event events[NIF_GROUP];
    rf_numbers *components_end; // of the events so far
    double *numbers_end;
    rf_numbers components[NIF_GROUP * NIF_SHAPE_KEYS];
    double numbers[NIF_GROUP_NUMBERS];
} nif_group;

struct nif_events;

// The next group of the list: group.count events, of which those that are plain lie in group.events.
void nif_group_read(struct nif_events *events, ERL_NIF_TERM list);
// After so many of them, and the list they were read from: the list that follows, with which to go on.
ERL_NIF_TERM nif_group_leave(struct nif_events *events, ERL_NIF_TERM list, uint32_t done);
// A group of one; false if it can't be read this way.
bool nif_group_read_entity(struct nif_events *events, rf_entity_op op, rf_str id, ERL_NIF_TERM components);

#endif
