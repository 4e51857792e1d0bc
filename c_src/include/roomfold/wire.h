// wire.h: the packed format (docs/wire-format.md): snapshots, diffs, batches of events, and what clients send.
#ifndef ROOMFOLD_WIRE_H
#define ROOMFOLD_WIRE_H

#include <roomfold/fold.h>
#include <roomfold/world.h>

RF_BEGIN

typedef enum rf_wire_frame {
#define RF_WIRE_FRAME(name, number, text) RF_WIRE_##name = (number),
#include <roomfold/wire.inl>
} rf_wire_frame;

// A frame in one piece, made with `allocator` and the caller's to free. diff: what changed after `from`; else all there
// is. limit: bytes of output, 0: none. Fails with RF_HISTORY_GONE, RF_SEQ_AHEAD, RF_TOO_LARGE or RF_NO_MEMORY.
RF_API rf_status rf_encode_packed(const rf_world *world, bool diff, uint64_t from, size_t limit, rf_allocator allocator,
                                  uint8_t **out, size_t *len);

// What stands at the beginning of a snapshot: its seq and its schema, to make a world with. The schema is the caller's
// to release. error may be NULL.
RF_API rf_status rf_packed_start(rf_allocator allocator, rf_str frame, uint64_t *seq, rf_schema **schema,
                                 rf_error *error);
// Puts a snapshot into a world that was just made with its seq and its schema (RF_SEQ_MISMATCH, RF_SCHEMA_MISMATCH) and
// has nobody in it. After an error the world is as it was.
RF_API rf_status rf_load_packed(rf_world *world, rf_str frame, rf_error *error);
// Brings a world that was loaded from a snapshot, and got every diff since, to where the diff ends. The whole frame is
// checked first: only RF_NO_MEMORY can leave a part of it done. Errors say the byte.
RF_API rf_status rf_apply_packed(rf_world *world, rf_str frame, rf_error *error);

// Folds a frame of events. On a frame that is bad, or has handles of an unknown seq, nothing is folded. It is checked
// as a whole by the first call; each call folds at most max_events, until batch->done.
typedef struct rf_packed_batch {
    rf_str frame;
    uint64_t events, index; // in the frame, and done
    uint64_t known, seq;    // the seq of handles; of the next event, 0: none
    size_t at;
    bool checked, done;
    bool plain; // it must be of nothing but creates, updates and deletes without seqs of their own
} rf_packed_batch;
RF_API rf_status rf_fold_packed(rf_fold *fold, rf_packed_batch *batch, size_t max_events, rf_error *error);

// Texts of a frame may be said many times: of frames as JSON this is the most, beyond it is RF_TOO_LARGE.
#define RF_EVENTS_TEXT_MAX ((size_t)256 << 20)

// The same as JSON text, one event a line, for rf_admit. A frame must be plain; what is about a handle whose entity is
// gone is left out. In one piece, made with `allocator` and the caller's to free; NULL: there is none.
RF_API rf_status rf_events_text(const rf_world *world, rf_str frame, rf_allocator allocator, uint8_t **out, size_t *len,
                                rf_error *error);

// The events of a frame as JSON Lines, which fold to the same; made with `allocator` and the caller's to free. world:
// any one of the frame's schema. A frame that says entities by handle is RF_NOT_SUPPORTED: only a world that was there
// knows who is meant. An event whose fields are called like an event's name in JSON is RF_INVALID_NAME.
RF_API rf_status rf_events_to_json(const rf_world *world, rf_str frame, rf_allocator allocator, char **out, size_t *len,
                                   rf_error *error);

// Puts events that are JSON text into frames.
typedef struct rf_packer rf_packer;

RF_API rf_status rf_packer_new(rf_allocator allocator, rf_schema *schema, rf_packer **out);
RF_API void rf_packer_free(rf_packer *packer);
// One event, an object with a name. Errors say the byte and leave out this event only: RF_NO_MEMORY too.
RF_API rf_status rf_packer_add(rf_packer *packer, rf_str event, rf_error *error);
RF_API size_t rf_packer_count(const rf_packer *packer); // events since the last frame,
RF_API size_t rf_packer_bytes(const rf_packer *packer); // and about how many bytes they take
// All of them, as a frame; valid until the next event is added.
RF_API rf_status rf_packer_frame(rf_packer *packer, rf_str *frame);

enum {
#define RF_WIRE_POSE(name, number, text) RF_POSE_##name = (number),
#include <roomfold/wire.inl>
    RF_POSES
};

typedef struct rf_pose {
    bool present;
    float position[3], rotation[4];
} rf_pose;

// What a client sent. Names and payloads point into the frame; payloads are compact maps (rf_term).
typedef struct rf_input {
    uint64_t ack, number;
    rf_pose poses[RF_POSES];
    uint64_t event_count;
    rf_str events; // event_count times, for rf_input_next
} rf_input;

typedef struct rf_input_event {
    rf_str name, payload;
} rf_input_event;

// schema: the world's. Allocates nothing.
RF_API rf_status rf_read_input(const rf_schema *schema, rf_str frame, rf_input *out, rf_error *error);
// The next event; false behind the last.
RF_API bool rf_input_next(rf_input *input, rf_input_event *out);

// The same frame as events in JSON text, one a line, for rf_admit: if it has poses, first the event `move` with them
// and `user` as its "user_id", then its own events. In one piece, made with `allocator` and the caller's to free; NULL:
// it says nothing.
RF_API rf_status rf_input_text(const rf_schema *schema, rf_str frame, rf_str user, rf_str move, rf_allocator allocator,
                               uint8_t **out, size_t *len, rf_error *error);

RF_END

#endif
