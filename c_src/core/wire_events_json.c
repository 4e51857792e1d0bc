// wire_events_json.c: a frame of events as JSON Lines.
#include "json_out.h"
#include "schema_state.h"
#include "wire_events.h"

// A frame that has been checked: nothing in it can be wrong any more, but that JSON can't say it.
typedef struct writer {
    const rf_schema *schema;
    const rf_packed_state *state;
    rf_wire_in in;
    uint64_t seq; // of the next event; 0: none
    rf_json_out out;
} writer;

static rf_str get_text(writer *w) {
    const rf_packed_text *text = &w->state->texts[rf_wire_get_varint(&w->in)];
    return (rf_str){(const char *)w->in.data + text->at, text->len};
}

static void put_key(writer *w, rf_str key) {
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

// As a column keeps it, which is not how it stands in a frame where bytes go the other way.
static void get_numbers(writer *w, const rf_component_def *def, uint8_t *value) {
    for (unsigned i = 0; i < def->count; i++) {
        if (def->type == RF_TYPE_F64) {
            double number = rf_wire_get_f64(&w->in);
            memcpy(value + i * sizeof number, &number, sizeof number);
        } else {
            uint32_t bits = rf_load32(rf_wire_here(&w->in));
            memcpy(value + i * sizeof bits, &bits, sizeof bits);
            w->in.at += 32;
        }
    }
}

static void put_value(writer *w, const rf_component_def *shown) {
    uint8_t value[RF_NUMBERS_MAX * sizeof(double)];
    rf_component_def def = *shown;
    int64_t integer;
    def.fixed = false; // exact, whatever is shown of it elsewhere
    switch (def.type) {
    case RF_TYPE_F32:
    case RF_TYPE_F64:
        get_numbers(w, &def, value);
        break;
    case RF_TYPE_I64:
        integer = rf_zigzag_decode(rf_wire_get_varint(&w->in));
        memcpy(value, &integer, sizeof integer);
        break;
    case RF_TYPE_BOOL:
        value[0] = rf_wire_get_u8(&w->in);
        break;
    case RF_TYPE_STRING:
        rf_json_out_string(&w->out, rf_wire_get_bytes(&w->in));
        return;
    case RF_TYPE_TERM:
        rf_json_out_term(&w->out, rf_wire_get_term(&w->in));
        return;
    }
    if (rf_json_out_room(&w->out, rf_json_value_room(&def))) {
        char *at = rf_json_out_at(&w->out);
        w->out.text.len += (size_t)(rf_json_writer_of(&def)(at, &def, value) - at);
    }
}

static void put_components(writer *w, uint8_t tag) {
    uint64_t mask = rf_wire_get_varint(&w->in), count;
    bool first = true;
    rf_json_out_text(&w->out, RF_LIT(",\"components\":{"));
    for (size_t i = 0; i < w->schema->count; i++) {
        if (!(mask >> i & 1)) continue;
        if (!first) rf_json_out_byte(&w->out, ',');
        first = false;
        put_key(w, w->schema->defs[i].name);
        put_value(w, &w->schema->defs[i]);
    }
    count = tag & RF_WIRE_TAG_OTHERS ? rf_wire_get_varint(&w->in) : 0;
    for (uint64_t i = 0; i < count; i++) {
        if (!first) rf_json_out_byte(&w->out, ',');
        first = false;
        put_key(w, get_text(w));
        put_field_value(w);
    }
    rf_json_out_byte(&w->out, '}');
}

// True if one of them is a seq, which then stands for that of the tag.
static bool put_fields(writer *w) {
    uint64_t count = rf_wire_get_varint(&w->in);
    bool has_seq = false;
    for (uint64_t i = 0; i < count; i++) {
        rf_str key = get_text(w);
        if (rf_str_eq(key, RF_LIT("event")) || rf_str_eq(key, RF_LIT("event_name")))
            rf_wire_fail(&w->in, RF_INVALID_NAME);
        if (w->in.status != RF_OK) break;
        has_seq |= rf_str_eq(key, RF_LIT("seq"));
        rf_json_out_byte(&w->out, ',');
        put_key(w, key);
        put_field_value(w);
    }
    return has_seq;
}

static uint64_t take_seq(writer *w, uint8_t tag) {
    uint64_t seq = w->seq;
    if ((tag >> 2 & 3) == RF_WIRE_SEQ_GIVEN) seq = rf_wire_get_varint(&w->in);
    if ((tag >> 2 & 3) == RF_WIRE_SEQ_NONE) seq = 0;
    w->seq = seq > 0 ? seq + 1 : 0;
    return seq;
}

static bool is_entity_event(rf_str name) {
    return rf_str_eq(name, RF_LIT("create")) || rf_str_eq(name, RF_LIT("update")) || rf_str_eq(name, RF_LIT("delete"));
}

static void put_event(writer *w) {
    static const rf_str names[] = {{"create", 6}, {"update", 6}, {"delete", 6}};
    uint8_t tag = rf_wire_get_u8(&w->in), kind = tag & 3;
    uint64_t seq = take_seq(w, tag);
    rf_str name = kind == RF_WIRE_OP_NAMED ? get_text(w) : names[kind];
    bool has_seq = false;
    rf_json_out_text(&w->out, is_entity_event(name) ? RF_LIT("{\"event\":") : RF_LIT("{\"event_name\":"));
    rf_json_out_string(&w->out, name);
    if (kind == RF_WIRE_OP_NAMED) {
        has_seq = put_fields(w);
    } else {
        rf_json_out_text(&w->out, RF_LIT(",\"entity_id\":"));
        rf_json_out_string(&w->out, get_text(w));
        if (kind != RF_WIRE_OP_DELETE) put_components(w, tag);
        if (tag & RF_WIRE_TAG_FIELDS) put_fields(w);
    }
    if (seq > 0 && !has_seq) {
        rf_json_out_text(&w->out, RF_LIT(",\"seq\":"));
        rf_json_out_uint(&w->out, seq);
    }
    rf_json_out_text(&w->out, RF_LIT("}\n"));
}

static void put_events(writer *w, const rf_packed_batch *batch) {
    w->in.at = (uint64_t)batch->at * 8;
    w->seq = batch->seq;
    for (uint64_t i = 0; i < batch->events && w->in.status == RF_OK && w->out.status == RF_OK; i++) put_event(w);
}

static bool is_about_handles(rf_status status) {
    return status == RF_SEQ_AHEAD || status == RF_HISTORY_GONE;
}

rf_status rf_events_to_json(const rf_world *world, rf_str frame, rf_allocator allocator, char **out, size_t *len,
                            rf_error *error) {
    writer w = {.schema = rf_world_schema(world), .in = rf_wire_read(frame)};
    rf_packed_batch batch = {.frame = frame};
    rf_packed_state state = {0};
    *out = NULL;
    *len = 0;
    rf_buf_init(&w.out.text, allocator);
    w.out.limit = RF_EVENTS_TEXT_MAX;
    w.state = &state;
    if (rf_packed_check(&w.in, world, &batch, &state, allocator) && !state.handles)
        put_events(&w, &batch);
    else if (state.handles && (w.in.status == RF_OK || is_about_handles(w.in.status)))
        w.in.status = RF_NOT_SUPPORTED;
    rf_free(allocator, state.texts);
    if (w.in.status == RF_OK && w.out.status == RF_OK) {
        *out = (char *)w.out.text.data;
        *len = w.out.text.len;
        return RF_OK;
    }
    rf_buf_free(&w.out.text);
    if (w.in.status == RF_OK) w.in.status = w.out.status;
    return rf_wire_error(&w.in, error);
}
