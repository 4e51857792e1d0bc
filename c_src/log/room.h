// room.h: what the database says of each room, beside its records; read with its checksums, written with them.
#ifndef ROOMFOLD_LOG_ROOM_H
#define ROOMFOLD_LOG_ROOM_H

#include "store.h"

// The one row of `counters`: the newest term of all rooms, and how many rooms there are.
typedef struct log_counters {
    int64_t term, rooms;
} log_counters;

uint32_t log_counters_sum(const log_counters *counters);
bool log_counters_read(log_store *store, log_counters *out, log_error *error);
bool log_counters_write(log_store *store, const log_counters *counters, log_error *error);

// A row of `rooms`. The numbers of the records that are kept are first to last; newest is where their last row is, or
// was; snapshot is the newest one's seq; 0 for none.
typedef struct log_room {
    int64_t id, term, first, last, newest, snapshot, versions;
} log_room;

typedef enum log_found { LOG_FOUND, LOG_NOT_FOUND, LOG_BAD } log_found;

// LOG_BAD: *error says why. A room that is not there while rows may be missing is bad, too.
log_found log_room_find(log_store *store, rf_str name, log_room *out, log_error *error);
bool log_room_add(log_store *store, rf_str name, const log_room *room, log_error *error);
bool log_room_write(log_store *store, rf_str name, const log_room *room, log_error *error);
bool log_room_delete(log_store *store, rf_str name, log_error *error);

// Goes through all rooms: each row with its checksum, in order, as many as there are. False: *error says what is
// missing.
bool log_rooms_check(log_store *store, log_error *error);
// Up to `limit` names after `after`, one a line, into store->out.
bool log_rooms_list(log_store *store, rf_str after, int limit, log_error *error);

// Where a room's log stands, for its owner. `versions` are lines of "seq meta".
typedef struct log_head {
    int64_t term, seq, first;
    log_text versions;
} log_head;

// False: damaged, or no memory. The versions are the caller's to free.
bool log_head_read(log_store *store, rf_str name, const log_room *room, log_head *out, log_error *error);
// From the next record on this meta holds, changing room->versions if it did not already.
bool log_version_add(log_store *store, rf_str name, log_room *room, rf_str meta, log_error *error);

uint32_t log_record_sum(int64_t room, int64_t seq, rf_str record);

#endif
