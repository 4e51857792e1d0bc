// wire_events_json.c: converts a frame of events to JSON, one event per line: for converting a log (rf_events_to_json),
// and for rooms (rf_events_text).
#include "base/error.h"
#include "json/json_out.h"
#include "schema/schema_state.h"
#include "wire_events.h"

// A frame that has been checked: the only possible error is that JSON cannot represent something.
typedef struct writer {
    const rf_world *world;
    rf_packed_state state;
    bool text;      // for a room: entity events only, and binary32 as their exact value
    uint64_t *gone; // for a room, a bit per handle: deleted earlier in the frame
    uint64_t seq;   // of the next event; 0: none
    rf_wire_in in;
    rf_json_out out;
} writer;

static rf_str text_of(const writer *w, uint64_t number) {
    const rf_packed_text *text = &w->state.texts[number];
    return (rf_str){(const char *)w->in.data + text->at, text->len};
}

static rf_str get_text(writer *w) {
    return text_of(w, rf_wire_get_varint(&w->in));
}

// before: the bracket or the comma before it.
static void put_key(writer *w, char before, rf_str key) {
    rf_json_out_byte(&w->out, before);
    rf_json_out_string(&w->out, key);
    rf_json_out_byte(&w->out, ':');
}

static void put_field_value(writer *w) {
    if (*rf_wire_here(&w->in) == RF_WIRE_TAG_TEXT) {
        w->in.at += 8;
        rf_json_out_string(&w->out, get_text(w));
    } else {
        rf_json_out_term(&w->out, rf_wire_get_term(&w->in));
    }
}

// ---- components -------------------------------------------------------------------------------------

static float get_f32(writer *w) {
    uint32_t bits = rf_load32(rf_wire_here(&w->in));
    float number;
    memcpy(&number, &bits, sizeof bits);
    w->in.at += 32;
    return number;
}

static void put_exact_numbers(writer *w, const rf_component_def *def) {
    double wide[RF_NUMBERS_MAX];
    for (unsigned i = 0; i < def->count; i++)
        wide[i] = def->type == RF_TYPE_F64 ? rf_wire_get_f64(&w->in) : (double)get_f32(w);
    if (def->count == 1)
        rf_json_out_number(&w->out, wide[0]);
    else
        rf_json_out_numbers(&w->out, wide, def->count);
}

// Puts numbers in their shortest form, ignoring the schema's `decimals`.
static void put_short_numbers(writer *w, const rf_component_def *shown) {
    uint8_t value[RF_NUMBERS_MAX * sizeof(double)]; // as in a column
    rf_component_def def = *shown;
    char *at;
    def.fixed = false;
    for (unsigned i = 0; i < def.count; i++) {
        if (def.type == RF_TYPE_F64) {
            double number = rf_wire_get_f64(&w->in);
            memcpy(value + i * sizeof number, &number, sizeof number);
        } else {
            float number = get_f32(w);
            memcpy(value + i * sizeof number, &number, sizeof number);
        }
    }
    if (!rf_json_out_reserve(&w->out, rf_json_value_max(&def))) return;
    at = rf_json_out_at(&w->out);
    w->out.text.len += (size_t)(rf_json_writer_of(&def)(at, &def, value) - at);
}

static void put_value(writer *w, const rf_component_def *def) {
    int64_t integer;
    switch (def->type) {
    case RF_TYPE_F32:
    case RF_TYPE_F64:
        if (w->text)
            put_exact_numbers(w, def);
        else
            put_short_numbers(w, def);
        break;
    case RF_TYPE_I64:
        integer = rf_zigzag_decode(rf_wire_get_varint(&w->in)); // also where there is no room
        if (rf_json_out_reserve(&w->out, RF_JSON_INT_ROOM))
            w->out.text.len += rf_json_write_int(rf_json_out_at(&w->out), integer);
        break;
    case RF_TYPE_BOOL:
        rf_json_out_text(&w->out, rf_wire_get_u8(&w->in) ? RF_LIT("true") : RF_LIT("false"));
        break;
    case RF_TYPE_STRING:
        rf_json_out_string(&w->out, rf_wire_get_bytes(&w->in));
        break;
    case RF_TYPE_TERM:
        rf_json_out_term(&w->out, rf_wire_get_term(&w->in));
        break;
    }
}

static void put_components(writer *w, uint8_t tag) {
    uint64_t mask = rf_wire_get_varint(&w->in), count = 0;
    char before = '{';
    rf_json_out_text(&w->out, RF_LIT(",\"components\":"));
    for (const rf_component_def *def = w->world->schema->defs; mask != 0; def++, mask >>= 1) {
        if (!(mask & 1)) continue;
        put_key(w, before, def->name);
        before = ',';
        put_value(w, def);
    }
    if (tag & RF_WIRE_TAG_OTHERS) count = rf_wire_get_varint(&w->in);
    for (uint64_t i = 0; i < count; i++) {
        put_key(w, before, get_text(w));
        before = ',';
        put_field_value(w);
    }
    if (before == '{') rf_json_out_byte(&w->out, before);
    rf_json_out_byte(&w->out, '}');
}

// ---- events -----------------------------------------------------------------------------------------

static bool is_event_name(rf_str key) {
    return rf_str_eq(key, RF_LIT("event")) || rf_str_eq(key, RF_LIT("event_name"));
}

// Returns true if one of the fields is a seq, which then replaces that of the tag. For a room, a field "event" or
// "event_name" is detected when the text is read.
static bool put_fields(writer *w) {
    uint64_t count = rf_wire_get_varint(&w->in);
    bool has_seq = false;
    for (uint64_t i = 0; i < count; i++) {
        rf_str key = get_text(w);
        if (is_event_name(key) && !w->text) rf_wire_fail(&w->in, RF_INVALID_NAME);
        if (w->in.status != RF_OK) break;
        has_seq |= rf_str_eq(key, RF_LIT("seq"));
        put_key(w, ',', key);
        put_field_value(w);
    }
    return has_seq;
}

static bool put_named(writer *w) {
    rf_str name = get_text(w);
    rf_json_out_text(&w->out, rf_is_entity_event(name) ? RF_LIT("{\"event\":") : RF_LIT("{\"event_name\":"));
    rf_json_out_string(&w->out, name);
    return put_fields(w);
}

static rf_str op_head(unsigned op) {
    if (op == RF_WIRE_OP_CREATE) return RF_LIT("{\"event\":\"create\",\"entity_id\":");
    if (op == RF_WIRE_OP_UPDATE) return RF_LIT("{\"event\":\"update\",\"entity_id\":");
    return RF_LIT("{\"event\":\"delete\",\"entity_id\":");
}

// The id of the entity that an event is about. False: its handle's entity is gone.
static bool get_id(writer *w, rf_str *id) {
    uint64_t entity = rf_wire_get_varint(&w->in);
    uint32_t handle;
    const rf_slot *slot;
    if (entity < w->state.text_count) {
        *id = text_of(w, entity);
        return true;
    }
    entity -= w->state.text_count;
    if (entity >= w->world->handles) return false;
    handle = (uint32_t)entity;
    if (!rf_world_handle_alive(w->world, handle)) return false;
    if (w->gone[handle / 64] >> (handle % 64) & 1) return false;
    slot = rf_world_slot(w->world, handle);
    if (slot->since >= w->state.since) return false;
    *id = rf_entity_id_str(&slot->id);
    return true;
}

// If an entity is created with this id again, it has another handle.
static void remember_gone(writer *w, rf_str id) {
    uint32_t handle = rf_world_lookup(w->world, id, rf_hash(id, w->world->hash_seed));
    if (handle != RF_NO_HANDLE) w->gone[handle / 64] |= UINT64_C(1) << (handle % 64);
}

// False: its entity is gone, so leave the event out.
static bool put_entity_event(writer *w, uint8_t tag) {
    rf_str id = {0};
    bool there = get_id(w, &id);
    rf_json_out_text(&w->out, op_head(tag & 3));
    rf_json_out_string(&w->out, id);
    if ((tag & 3) != RF_WIRE_OP_DELETE) put_components(w, tag);
    if (tag & RF_WIRE_TAG_FIELDS) put_fields(w);
    if (there && w->text && (tag & 3) == RF_WIRE_OP_DELETE) remember_gone(w, id);
    return there;
}

static uint64_t take_seq(writer *w, uint8_t tag) {
    uint64_t seq = w->seq;
    if ((tag >> 2 & 3) == RF_WIRE_SEQ_GIVEN) seq = rf_wire_get_varint(&w->in);
    if ((tag >> 2 & 3) == RF_WIRE_SEQ_NONE) seq = 0;
    w->seq = seq > 0 ? seq + 1 : 0;
    return seq;
}

static void put_event(writer *w) {
    size_t start = w->out.text.len;
    uint8_t tag = rf_wire_get_u8(&w->in);
    uint64_t seq = take_seq(w, tag);
    bool named = (tag & 3) == RF_WIRE_OP_NAMED, has_seq = named && put_named(w);
    bool there = named || put_entity_event(w, tag);
    if (seq > 0 && !has_seq) {
        rf_json_out_text(&w->out, RF_LIT(",\"seq\":"));
        rf_json_out_uint(&w->out, seq);
    }
    rf_json_out_text(&w->out, RF_LIT("}\n"));
    if (!there) w->out.text.len = start;
}

// ---------------------------------------------------------------------------------------------------

static bool is_about_handles(rf_status status) {
    return status == RF_SEQ_AHEAD || status == RF_HISTORY_GONE;
}

static void put_events(writer *w, rf_packed_batch *batch, rf_allocator allocator) {
    bool valid = rf_packed_check(&w->in, w->world, batch, &w->state, allocator);
    if (!w->text && w->state.handles && (valid || is_about_handles(w->in.status))) w->in.status = RF_NOT_SUPPORTED;
    w->seq = batch->seq;
    for (uint64_t i = 0; i < batch->events && w->in.status == RF_OK && w->out.status == RF_OK; i++) put_event(w);
    rf_free(allocator, w->state.texts);
}

static rf_status write_events(writer *w, rf_packed_batch *batch, rf_allocator allocator, uint8_t **out, size_t *len,
                              rf_error *error) {
    rf_buf_init(&w->out.text, allocator);
    w->out.limit = RF_EVENTS_TEXT_MAX;
    put_events(w, batch, allocator);
    if (w->in.status == RF_OK && w->out.status == RF_OK) {
        *out = w->out.text.data;
        *len = w->out.text.len;
        return RF_OK;
    }
    rf_buf_free(&w->out.text);
    if (w->in.status != RF_OK) return rf_wire_error(&w->in, error);
    return rf_error_set(error, w->out.status, RF_NOWHERE, (rf_str){0});
}

rf_status rf_events_text(const rf_world *world, rf_str frame, rf_allocator allocator, uint8_t **text, size_t *len,
                         rf_error *error) {
    rf_packed_batch batch = {.frame = frame, .plain = true};
    writer w = {.world = world, .text = true, .in = rf_wire_read(frame)};
    size_t size = (world->handles / 64 + (size_t)1) * sizeof *w.gone;
    rf_status status;
    *text = NULL;
    *len = 0;
    w.gone = rf_alloc(allocator, size);
    if (!w.gone) return rf_error_set(error, RF_NO_MEMORY, RF_NOWHERE, (rf_str){0});
    memset(w.gone, 0, size);
    status = write_events(&w, &batch, allocator, text, len, error);
    rf_free(allocator, w.gone);
    return status;
}

rf_status rf_events_to_json(const rf_world *world, rf_str frame, rf_allocator allocator, char **out, size_t *len,
                            rf_error *error) {
    rf_packed_batch batch = {.frame = frame};
    writer w = {.world = world, .in = rf_wire_read(frame)};
    uint8_t *text = NULL;
    rf_status status;
    *len = 0;
    status = write_events(&w, &batch, allocator, &text, len, error);
    *out = (char *)text;
    return status;
}
