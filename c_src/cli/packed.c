#include "packed.h"
#include "random_seed.h"
#include "snapshot.h"

#include <stdlib.h>

#define LENGTH_BYTES 4

struct packed {
    input *file;
    rf_schema *schema; // of the frames
    rf_world *world;   // empty; NULL until the first frame of events
    bool single;       // a single frame without a length
    bool own;          // the schema comes from the file
    bool begins;       // a snapshot was put as the first line
    uint64_t frames;
};

static unsigned kind_of(uint8_t head) {
    return head >> 4 == 1 ? head & 15 : 0;
}

static bool is_log(uint8_t head) {
    return kind_of(head) == RF_WIRE_SNAPSHOT || kind_of(head) == RF_WIRE_EVENTS;
}

bool packed_starts(const char *data, size_t len) {
    // No text starts with a byte below 9, or with the first byte of a frame.
    return len > 0 && ((uint8_t)data[0] < 9 || is_log((uint8_t)data[0]));
}

packed *packed_new(input *file, rf_schema *schema) {
    packed *log = calloc(1, sizeof *log);
    size_t len;
    if (!log) {
        input_close(file);
        return NULL;
    }
    log->file = file;
    log->schema = rf_schema_retain(schema);
    log->single = (uint8_t)*input_data(file, &len) >= 9;
    return log;
}

rf_schema *packed_schema(const packed *log) {
    return log->own ? log->schema : NULL;
}

bool packed_begins(const packed *log) {
    return log->begins;
}

static void close_packed(void *context) {
    packed *log = context;
    input_close(log->file);
    rf_world_free(log->world);
    rf_schema_release(log->schema);
    free(log);
}

static double share(const void *context) {
    const packed *log = context;
    return input_share(log->file);
}

// Reads until `wanted` bytes are in memory; fewer at the end of the file.
static size_t have(packed *log, size_t wanted) {
    size_t len;
    for (input_data(log->file, &len); len < wanted && input_more(log->file);) input_data(log->file, &len);
    return len;
}

static bool fail_file(const packed *log, input *into) {
    const char *error = input_error(log->file);
    return error ? input_fail(into, "%s", error)
                 : input_fail(into, "frame %llu is cut off", (unsigned long long)log->frames + 1);
}

static bool fail_frame(const packed *log, input *into, const rf_error *error) {
    unsigned long long number = log->frames;
    if (error->offset == RF_NOWHERE)
        return input_fail(into, "frame %llu: %s", number, rf_status_message(error->status));
    return input_fail(into, "frame %llu, byte %llu: %s", number, (unsigned long long)error->offset,
                      error->status == RF_NOT_SUPPORTED
                          ? "it says entities by handle, so only a world that was there can read it"
                          : rf_status_message(error->status));
}

// The next frame, in the file's buffer. False: there is none, or reading failed.
static bool next_frame(packed *log, input *into, rf_str *frame) {
    uint32_t len = 0;
    if (log->single) {
        while (input_more(log->file)) continue;
        if (input_error(log->file)) return fail_file(log, into);
        frame->data = input_data(log->file, &frame->len);
    } else {
        size_t there = have(log, LENGTH_BYTES);
        const uint8_t *bytes = (const uint8_t *)input_data(log->file, &frame->len);
        if (there == 0 && !input_error(log->file)) return false;
        if (there < LENGTH_BYTES) return fail_file(log, into);
        for (int i = 0; i < LENGTH_BYTES; i++) len = len << 8 | bytes[i];
        if (len == 0 || len > PACKED_FRAME_MAX)
            return input_fail(into, "frame %llu: it can't have %lu bytes; this is damaged, or no log",
                              (unsigned long long)log->frames + 1, (unsigned long)len);
        if (have(log, LENGTH_BYTES + (size_t)len) < LENGTH_BYTES + (size_t)len) return fail_file(log, into);
        frame->data = input_data(log->file, &frame->len) + LENGTH_BYTES;
        frame->len = len;
    }
    log->frames++;
    return frame->len > 0;
}

static void take_frame(packed *log, size_t len) {
    input_take(log->file, len + (log->single ? 0 : LENGTH_BYTES));
}

// An empty world with the log's schema.
static rf_status make_world(const packed *log, uint64_t seq, rf_world **out) {
    rf_world_def def = rf_world_def_default();
    def.schema = log->schema;
    def.hash_seed = random_seed();
    def.seq = seq;
    def.history = 1;
    return rf_world_new(&def, out);
}

// Puts the state from which the log starts, as one line.
static bool put_start(packed *log, input *into, const rf_world *world) {
    output text;
    bool fine;
    log->begins = rf_world_count(world) > 0 || rf_world_seq(world) > 0;
    if (!log->begins) return input_put(into, "", 0);
    output_keep(&text);
    snapshot_write_line(&text, world);
    fine = text.error ? input_fail(into, "there is not enough memory") : input_put(into, text.data, text.len);
    output_free(&text);
    return fine;
}

static bool put_snapshot(packed *log, input *into, rf_str frame) {
    rf_error error = {.offset = RF_NOWHERE};
    rf_schema *schema = NULL;
    rf_world *world = NULL;
    uint64_t seq;
    bool fine;
    rf_status status = rf_packed_start(rf_allocator_default(), frame, &seq, &schema, &error);
    if (status == RF_OK) {
        rf_schema_release(log->schema);
        log->schema = schema;
        log->own = true;
        status = error.status = make_world(log, seq, &world);
    }
    if (status == RF_OK) status = rf_load_packed(world, frame, &error);
    fine = status == RF_OK ? put_start(log, into, world) : fail_frame(log, into, &error);
    rf_world_free(world);
    return fine;
}

static bool put_events(packed *log, input *into, rf_str frame) {
    rf_error error = {.offset = RF_NOWHERE};
    char *text = NULL;
    size_t len;
    bool fine;
    rf_status status = log->world ? RF_OK : make_world(log, 0, &log->world);
    error.status = status;
    if (status == RF_OK) status = rf_events_to_json(log->world, frame, rf_allocator_default(), &text, &len, &error);
    fine = status == RF_OK ? input_put(into, text, len) : fail_frame(log, into, &error);
    free(text);
    return fine;
}

static bool more(void *context, input *into) {
    packed *log = context;
    rf_str frame;
    bool fine;
    if ((log->single && log->frames > 0) || !next_frame(log, into, &frame)) return false;
    if (kind_of((uint8_t)frame.data[0]) == RF_WIRE_EVENTS)
        fine = put_events(log, into, frame);
    else if (log->frames == 1 && kind_of((uint8_t)frame.data[0]) == RF_WIRE_SNAPSHOT)
        fine = put_snapshot(log, into, frame);
    else
        fine = input_fail(into, "frame %llu: a log has frames of events, behind at most one snapshot",
                          (unsigned long long)log->frames);
    take_frame(log, frame.len);
    return fine;
}

input *packed_input(packed *log) {
    static const input_source source = {.more = more, .share = share, .close = close_packed};
    return input_from(&source, log);
}
