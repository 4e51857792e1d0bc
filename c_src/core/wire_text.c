// wire_text.c: packed input and packed events as the text of events, which is how rooms take them in and logs keep
// them.
#include "error.h"
#include "json_out.h"
#include "schema_state.h"
#include "wire_events.h"

static const rf_str pose_names[RF_POSES] = {
    [RF_POSE_HEAD] = {"head", 4},
    [RF_POSE_LEFT] = {"left", 4},
    [RF_POSE_RIGHT] = {"right", 5},
};

static void put_number(rf_json_out *out, double number) {
    if (rf_json_out_room(out, RF_JSON_FLOAT_ROOM))
        out->text.len += rf_json_write_f64(rf_json_out_at(out), number, true);
}

static void put_numbers(rf_json_out *out, const double *numbers, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        rf_json_out_byte(out, i == 0 ? '[' : ',');
        put_number(out, numbers[i]);
    }
    rf_json_out_byte(out, ']');
}

// As everywhere a binary32 is shown: the exact number.
static void put_narrow(rf_json_out *out, const float *numbers, unsigned count) {
    double wide[4];
    for (unsigned i = 0; i < count; i++) wide[i] = (double)numbers[i];
    put_numbers(out, wide, count);
}

static void put_pose(rf_json_out *out, rf_str name, const rf_pose *pose) {
    rf_json_out_text(out, RF_LIT(",\""));
    rf_json_out_text(out, name);
    rf_json_out_text(out, RF_LIT("\":{\"position\":"));
    put_narrow(out, pose->position, 3);
    rf_json_out_text(out, RF_LIT(",\"rotation\":"));
    put_narrow(out, pose->rotation, 4);
    rf_json_out_byte(out, '}');
}

// ---- what a client sent -----------------------------------------------------------------------------

static void put_name(rf_json_out *out, rf_str name) {
    bool entity =
        rf_str_eq(name, RF_LIT("create")) || rf_str_eq(name, RF_LIT("update")) || rf_str_eq(name, RF_LIT("delete"));
    rf_json_out_text(out, entity ? RF_LIT("{\"event\":") : RF_LIT("{\"event_name\":"));
    rf_json_out_string(out, name);
}

static void put_poses(rf_json_out *out, const rf_input *input, rf_str user, rf_str move) {
    bool any = false;
    for (unsigned i = 0; i < RF_POSES; i++) {
        if (!input->poses[i].present) continue;
        if (!any) {
            put_name(out, move);
            rf_json_out_text(out, RF_LIT(",\"user_id\":"));
            rf_json_out_string(out, user);
        }
        any = true;
        put_pose(out, pose_names[i], &input->poses[i]);
    }
    if (any) rf_json_out_text(out, RF_LIT("}\n"));
}

// Its fields stand behind its name as they came; that none is there twice is seen when it is read.
static void put_event(rf_json_out *out, const rf_input_event *event) {
    rf_term_reader reader;
    size_t payload;
    put_name(out, event->name);
    payload = out->text.len;
    rf_json_out_term(out, event->payload);
    rf_term_read(&reader, event->payload);
    if (out->status != RF_OK) return;
    // The payload's first bracket becomes a comma, or both go.
    if (rf_term_next(&reader).as.count > 0) {
        out->text.data[payload] = ',';
        rf_json_out_byte(out, '\n');
    } else {
        out->text.len = payload;
        rf_json_out_text(out, RF_LIT("}\n"));
    }
}

rf_status rf_input_text(const rf_schema *schema, rf_str frame, rf_str user, rf_str move, rf_allocator allocator,
                        uint8_t **text, size_t *len, rf_error *error) {
    rf_json_out out = {0};
    rf_input input;
    rf_input_event event;
    rf_status status = rf_read_input(schema, frame, &input, error);
    *text = NULL;
    *len = 0;
    if (status != RF_OK) return status;
    rf_buf_init(&out.text, allocator);
    put_poses(&out, &input, user, move);
    while (rf_input_next(&input, &event)) put_event(&out, &event);
    if (out.status != RF_OK) {
        rf_buf_free(&out.text);
        return rf_error_set(error, out.status, RF_NOWHERE, (rf_str){0});
    }
    *text = out.text.data;
    *len = out.text.len;
    return RF_OK;
}

// ---- batches of events ------------------------------------------------------------------------------

static rf_str op_head(unsigned op) {
    if (op == RF_WIRE_OP_CREATE) return RF_LIT("{\"event\":\"create\",\"entity_id\":");
    if (op == RF_WIRE_OP_UPDATE) return RF_LIT("{\"event\":\"update\",\"entity_id\":");
    return RF_LIT("{\"event\":\"delete\",\"entity_id\":");
}

// A frame that has been checked.
typedef struct reader {
    const rf_world *world;
    const rf_packed_state *state;
    uint64_t *gone; // a bit for each handle: deleted further up in the frame
    rf_wire_in in;
    rf_json_out out;
} reader;

static rf_str get_text(reader *r) {
    const rf_packed_text *text = &r->state->texts[rf_wire_get_varint(&r->in)];
    return (rf_str){(const char *)r->in.data + text->at, text->len};
}

static void put_field_value(reader *r) {
    if (*rf_wire_here(&r->in) == RF_WIRE_TAG_TEXT) {
        r->in.at += 8;
        rf_json_out_string(&r->out, get_text(r));
    } else {
        rf_json_out_term(&r->out, rf_wire_get_term(&r->in));
    }
}

static void put_column_numbers(reader *r, const rf_component_def *def) {
    float narrow[RF_NUMBERS_MAX];
    double wide[RF_NUMBERS_MAX];
    for (unsigned i = 0; i < def->count; i++) {
        if (def->type == RF_TYPE_F64) {
            wide[i] = rf_wire_get_f64(&r->in);
        } else {
            uint32_t bits = rf_load32(rf_wire_here(&r->in));
            memcpy(&narrow[i], &bits, sizeof bits);
            wide[i] = (double)narrow[i];
            r->in.at += 32;
        }
    }
    if (def->count == 1)
        put_number(&r->out, wide[0]);
    else
        put_numbers(&r->out, wide, def->count);
}

static void put_column(reader *r, const rf_component_def *def) {
    switch (def->type) {
    case RF_TYPE_F32:
    case RF_TYPE_F64:
        put_column_numbers(r, def);
        break;
    case RF_TYPE_I64:
        if (rf_json_out_room(&r->out, RF_JSON_INT_ROOM))
            r->out.text.len += rf_json_write_int(rf_json_out_at(&r->out), rf_zigzag_decode(rf_wire_get_varint(&r->in)));
        break;
    case RF_TYPE_BOOL:
        rf_json_out_text(&r->out, rf_wire_get_u8(&r->in) ? RF_LIT("true") : RF_LIT("false"));
        break;
    case RF_TYPE_STRING:
        rf_json_out_string(&r->out, rf_wire_get_bytes(&r->in));
        break;
    case RF_TYPE_TERM:
        rf_json_out_term(&r->out, rf_wire_get_term(&r->in));
        break;
    }
}

static void put_key(reader *r, rf_str key, bool first) {
    if (!first) rf_json_out_byte(&r->out, ',');
    rf_json_out_string(&r->out, key);
    rf_json_out_byte(&r->out, ':');
}

static void put_components(reader *r, uint8_t tag) {
    uint64_t mask = rf_wire_get_varint(&r->in), count = 0;
    bool first = true;
    rf_json_out_text(&r->out, RF_LIT(",\"components\":{"));
    for (int i = 0; mask != 0; i++, mask >>= 1) {
        const rf_component_def *def = &r->world->schema->defs[i];
        if (!(mask & 1)) continue;
        put_key(r, def->name, first);
        first = false;
        put_column(r, def);
    }
    if (tag & RF_WIRE_TAG_OTHERS) count = rf_wire_get_varint(&r->in);
    for (uint64_t i = 0; i < count; i++) {
        put_key(r, get_text(r), first);
        first = false;
        put_field_value(r);
    }
    rf_json_out_byte(&r->out, '}');
}

// Who an event is about; false: a handle whose entity is gone.
static bool get_id(reader *r, rf_str *id) {
    uint64_t entity = rf_wire_get_varint(&r->in);
    uint32_t handle;
    const rf_slot *slot;
    if (entity < r->state->text_count) {
        const rf_packed_text *text = &r->state->texts[entity];
        *id = (rf_str){(const char *)r->in.data + text->at, text->len};
        return true;
    }
    entity -= r->state->text_count;
    if (entity >= r->world->handles) return false;
    handle = (uint32_t)entity;
    if (!(rf_world_alive_on(r->world, handle) >> (handle % RF_PAGE_SIZE) & 1)) return false;
    if (r->gone[handle / 64] >> (handle % 64) & 1) return false;
    slot = rf_world_slot(r->world, handle);
    if (slot->since >= r->state->since) return false;
    *id = rf_entity_id_str(&slot->id);
    return true;
}

// Who comes back under this id has another handle.
static void remember_gone(reader *r, rf_str id) {
    uint32_t handle = rf_world_lookup(r->world, id, rf_hash(id, r->world->hash_seed));
    if (handle != RF_NO_HANDLE) r->gone[handle / 64] |= UINT64_C(1) << (handle % 64);
}

static void put_packed_event(reader *r) {
    uint8_t tag = rf_wire_get_u8(&r->in);
    size_t start = r->out.text.len;
    rf_str id = {0};
    bool there = get_id(r, &id);
    rf_json_out_text(&r->out, op_head(tag & 3));
    rf_json_out_string(&r->out, id);
    if ((tag & 3) != RF_WIRE_OP_DELETE) put_components(r, tag);
    if (tag & RF_WIRE_TAG_FIELDS) {
        uint64_t count = rf_wire_get_varint(&r->in);
        for (uint64_t i = 0; i < count; i++) {
            put_key(r, get_text(r), false);
            put_field_value(r);
        }
    }
    rf_json_out_text(&r->out, RF_LIT("}\n"));
    if (!there)
        r->out.text.len = start;
    else if ((tag & 3) == RF_WIRE_OP_DELETE)
        remember_gone(r, id);
}

rf_status rf_events_text(const rf_world *world, rf_str frame, rf_allocator allocator, uint8_t **text, size_t *len,
                         rf_error *error) {
    rf_packed_batch batch = {.frame = frame, .plain = true};
    rf_packed_state state = {0};
    reader r = {.world = world, .state = &state, .in = rf_wire_read(frame)};
    rf_status status = RF_OK;
    *text = NULL;
    *len = 0;
    rf_buf_init(&r.out.text, allocator);
    r.out.limit = RF_EVENTS_TEXT_MAX;
    r.gone = rf_alloc(allocator, (world->handles / 64 + (size_t)1) * sizeof *r.gone);
    if (!r.gone) return rf_error_set(error, RF_NO_MEMORY, RF_NOWHERE, (rf_str){0});
    memset(r.gone, 0, (world->handles / 64 + (size_t)1) * sizeof *r.gone);
    if (!rf_packed_check(&r.in, world, &batch, &state, allocator)) status = rf_wire_error(&r.in, error);
    for (uint64_t i = 0; i < batch.events && status == RF_OK && r.out.status == RF_OK; i++) put_packed_event(&r);
    if (status == RF_OK && r.out.status != RF_OK) status = rf_error_set(error, r.out.status, RF_NOWHERE, (rf_str){0});
    rf_free(allocator, state.texts);
    rf_free(allocator, r.gone);
    if (status != RF_OK) {
        rf_buf_free(&r.out.text);
        return status;
    }
    *text = r.out.text.data;
    *len = r.out.text.len;
    return RF_OK;
}
