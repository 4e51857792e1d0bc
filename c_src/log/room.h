// room.h: reads and writes a room's entry in the database, apart from its records, with checksums.
#ifndef ROOMFOLD_LOG_ROOM_H
#define ROOMFOLD_LOG_ROOM_H

#include "store.h"

// The only row of `counters`: the highest term of all rooms, and the number of rooms.
typedef struct log_counters {
    int64_t term, rooms;
} log_counters;

uint32_t log_counters_sum(const log_counters *counters);
bool log_counters_read(log_store *store, log_counters *out, log_error *error);
bool log_counters_write(log_store *store, const log_counters *counters, log_error *error);

// A row of `rooms`. first, last: the seqs of the records that are kept. newest: where their last row is, or was.
// snapshot: the seq of the newest snapshot; 0: none.
typedef struct log_room {
    int64_t id, term, first, last, newest, snapshot, versions;
} log_room;

typedef enum log_found { LOG_FOUND, LOG_NOT_FOUND, LOG_BAD } log_found;

// LOG_BAD: *error is the reason; also if the room is not found and rows of other rooms are missing. LOG_NOT_FOUND sets
// *error to RF_NO_ROOM.
log_found log_room_find(log_store *store, rf_str name, log_room *out, log_error *error);
bool log_room_add(log_store *store, rf_str name, const log_room *room, log_error *error);
bool log_room_write(log_store *store, rf_str name, const log_room *room, log_error *error);
bool log_room_delete(log_store *store, rf_str name, log_error *error);

// Checks that all rooms are there: each row's checksum, their order and their number. False: *error says what is
// missing.
bool log_rooms_check(log_store *store, log_error *error);
// Puts up to `limit` names after `after` into store->out, each followed by a zero byte.
bool log_rooms_list(log_store *store, rf_str after, int limit, log_error *error);

// The state of a room's log, for its owner. `versions` are lines of "seq meta".
typedef struct log_head {
    int64_t term, seq, first;
    log_text versions;
} log_head;

// False: damage or no memory. The caller frees the versions.
bool log_head_read(log_store *store, rf_str name, const log_room *room, log_head *out, log_error *error);
// Makes `meta` hold from the next record on; changes room->versions unless it already does.
bool log_version_add(log_store *store, rf_str name, log_room *room, rf_str meta, log_error *error);

uint32_t log_record_sum(int64_t room, int64_t seq, rf_str record);

#endif
