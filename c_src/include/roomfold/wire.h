// wire.h: the packed binary format (docs/wire-format.md): snapshots, diffs, batches of events, and clients' input.
//
//     server:  rf_encode_packed(world, false, 0, 0, allocator, &frame, &len);       a snapshot
//     client:  rf_packed_start(allocator, frame, &def.seq, &def.schema, &error);
//              rf_world_new(&def, &world);
//              rf_load_packed(world, frame, &error);
//              rf_apply_packed(world, diff, &error);                                each diff, in order
//
// A frame is checked completely before it changes anything. In errors, `offset` is the byte of the frame. Frames that
// are malformed are RF_INVALID_FRAME; frames of another kind or version RF_UNKNOWN_VERSION; of another schema
// RF_SCHEMA_MISMATCH. `error` may be NULL. Buffers that functions return are allocated with `allocator`; the caller
// frees them.
#ifndef ROOMFOLD_WIRE_H
#define ROOMFOLD_WIRE_H

#include <roomfold/fold.h>
#include <roomfold/world.h>

RF_BEGIN

typedef enum rf_wire_frame {
#define RF_WIRE_FRAME(name, number, text) RF_WIRE_##name = (number),
#include <roomfold/wire.inl>
} rf_wire_frame;

// Encodes a diff of the changes after the seq `from`, or (diff is false) a snapshot. limit: bytes of output, at most;
// 0: no limit. RF_HISTORY_GONE and RF_SEQ_AHEAD: as rf_diff_new. RF_TOO_LARGE: the limit. RF_NO_MEMORY.
RF_API rf_status rf_encode_packed(const rf_world *world, bool diff, uint64_t from, size_t limit, rf_allocator allocator,
                                  uint8_t **out, size_t *len);

// Reads the seq and the schema from the start of a snapshot, to make a world with. The caller releases the schema.
RF_API rf_status rf_packed_start(rf_allocator allocator, rf_str frame, uint64_t *seq, rf_schema **schema,
                                 rf_error *error);
// Loads a snapshot into a new, empty world that was made with the snapshot's seq and schema; otherwise RF_SEQ_MISMATCH
// or RF_SCHEMA_MISMATCH. After an error the world is as it was.
RF_API rf_status rf_load_packed(rf_world *world, rf_str frame, rf_error *error);
// Applies a diff to a world that was loaded from a snapshot and has had every diff since. RF_SEQ_MISMATCH: the diff
// does not start at the world's seq. Only RF_NO_MEMORY can leave a diff partly applied.
RF_API rf_status rf_apply_packed(rf_world *world, rf_str frame, rf_error *error);

// A frame of events that is being folded. Set `frame`, and zero the rest.
typedef struct rf_packed_batch {
    rf_str frame;
    uint64_t events, index; // events in the frame; events folded so far
    uint64_t known, seq;    // the seq that handles refer to; the seq of the next event, 0: none given
    size_t at;              // bytes read so far
    bool checked, done;
    bool plain; // set to allow only creates, updates and deletes without seqs (RF_NOT_SUPPORTED, RF_RESERVED_FIELD)
} rf_packed_batch;

// Folds at most max_events events of the frame; call again until batch->done. The first call checks the whole frame:
// nothing of a bad one is folded. RF_SEQ_AHEAD, RF_HISTORY_GONE: it has handles of a seq that the world does not know.
// RF_NO_MEMORY.
RF_API rf_status rf_fold_packed(rf_fold *fold, rf_packed_batch *batch, size_t max_events, rf_error *error);

// The longest JSON text made of a frame; beyond it is RF_TOO_LARGE. (A frame may refer to a long string many times.)
#define RF_EVENTS_TEXT_MAX ((size_t)256 << 20)

// Converts a frame of events into JSON text for rf_admit, one event per line. Allows only the events that a `plain`
// batch does, and leaves out events about handles whose entity is gone. *out is NULL if nothing is left.
RF_API rf_status rf_events_text(const rf_world *world, rf_str frame, rf_allocator allocator, uint8_t **out, size_t *len,
                                rf_error *error);

// Converts a frame of events into JSON Lines that fold to the same state. world: any world with the frame's schema.
// RF_NOT_SUPPORTED: the frame refers to entities by handle. RF_INVALID_NAME: an event has a field called "event" or
// "event_name", which JSON events use for their names.
RF_API rf_status rf_events_to_json(const rf_world *world, rf_str frame, rf_allocator allocator, char **out, size_t *len,
                                   rf_error *error);

// Converts events from JSON text into frames.
typedef struct rf_packer rf_packer;

// Retains the schema. hash_seed: of the table of texts; 0, or something random if events come from untrusted sources.
// Fails with RF_NO_MEMORY only.
RF_API rf_status rf_packer_new(rf_allocator allocator, rf_schema *schema, uint64_t hash_seed, rf_packer **out);
// NULL is allowed.
RF_API void rf_packer_free(rf_packer *packer);
// Adds one event, a JSON object with a name. An error concerns this event only, even RF_NO_MEMORY: others can be added.
// RF_TOO_DEEP: a component, or a field of a domain event, has more than 62 levels of lists and maps, which no component
// can have. (A fold of the text drops such a component, and looks at a field only if a rule does.)
RF_API rf_status rf_packer_add(rf_packer *packer, rf_str event, rf_error *error);
RF_API size_t rf_packer_count(const rf_packer *packer); // events since the last frame
RF_API size_t rf_packer_bytes(const rf_packer *packer); // about how many bytes they take
// Makes a frame of all events since the last frame. *frame is valid until the next call on the packer. RF_NO_MEMORY:
// the events are kept.
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

// What a client sent: the last seq it received, poses, and events.
typedef struct rf_input {
    uint64_t ack;    // the seq it has received; 0: none
    uint64_t number; // the client's own number of this input
    rf_pose poses[RF_POSES];
    uint64_t event_count; // events that rf_input_next has not returned yet
    rf_str events;
} rf_input;

// Both point into the frame. The payload is a term (term.h), a map.
typedef struct rf_input_event {
    rf_str name, payload;
} rf_input_event;

// Reads and checks an input frame. schema: the world's. Allocates nothing; the frame must outlive *out.
RF_API rf_status rf_read_input(const rf_schema *schema, rf_str frame, rf_input *out, rf_error *error);
// The next event; false at the end.
RF_API bool rf_input_next(rf_input *input, rf_input_event *out);

// Converts an input frame into JSON text for rf_admit, one event per line: if it has poses, first an event named `move`
// with the poses and `user` as its "user_id"; then its events. *out is NULL if there are none.
RF_API rf_status rf_input_text(const rf_schema *schema, rf_str frame, rf_str user, rf_str move, rf_allocator allocator,
                               uint8_t **out, size_t *len, rf_error *error);

RF_END

#endif
