// wire_input.c: reads what a client sends.
#include <roomfold/wire.h>

#include "schema/schema_state.h"
#include "base/str.h"
#include "frame/wire_in.h"
#include <string.h>

static bool bad(rf_wire_in *in) {
    return rf_wire_fail(in, RF_INVALID_FRAME);
}

static void get_raw(rf_wire_in *in, unsigned count, float *out) {
    for (unsigned i = 0; i < count; i++) {
        uint32_t bits = rf_wire_get(in, 32);
        if ((bits & 0x7f800000) == 0x7f800000) bad(in);
        memcpy(&out[i], &bits, sizeof bits);
    }
}

static void get_steps(rf_wire_in *in, const rf_quantiser *quantiser, float *out) {
    uint32_t numbers[RF_NUMBERS_MAX], index = 0;
    if (quantiser->kind == RF_QUANTISE_SMALLEST_THREE) index = rf_wire_get(in, 2);
    for (unsigned i = 0; i < quantiser->count; i++) {
        numbers[i] = rf_wire_get(in, quantiser->bits);
        if (numbers[i] > quantiser->most) bad(in);
    }
    if (in->status == RF_OK) rf_dequantise_value(quantiser, numbers, index, out);
}

// Reads numbers quantised as in the schema, if its component is an f32 x count; otherwise raw numbers.
static void get_numbers(rf_wire_in *in, const rf_schema *schema, rf_str name, unsigned count, float *out) {
    int column = rf_schema_lookup(schema, name);
    const rf_component_def *def = column >= 0 ? &schema->defs[column] : NULL;
    if (!def || def->type != RF_TYPE_F32 || def->count != count || def->quantise == RF_QUANTISE_NONE ||
        rf_wire_get(in, 1) == 1)
        get_raw(in, count, out);
    else
        get_steps(in, &schema->quantisers[column], out);
}

static void get_poses(rf_wire_in *in, const rf_schema *schema, uint8_t mask, rf_pose *poses) {
    unsigned left;
    for (unsigned i = 0; i < RF_POSES; i++) {
        poses[i].present = mask >> i & 1;
        if (!poses[i].present) continue;
        get_numbers(in, schema, RF_LIT("position"), 3, poses[i].position);
        get_numbers(in, schema, RF_LIT("rotation"), 4, poses[i].rotation);
    }
    left = (unsigned)(7 & (0 - in->at));
    if (in->status == RF_OK && rf_wire_get(in, left) != 0) bad(in);
}

static void get_event(rf_wire_in *in, rf_input_event *out) {
    out->name = rf_wire_get_text(in);
    if (rf_wire_has(in, 8) && *rf_wire_here(in) != RF_TAG_MAP) bad(in);
    out->payload = in->status == RF_OK ? rf_wire_get_term(in) : (rf_str){0};
}

rf_status rf_read_input(const rf_schema *schema, rf_str frame, rf_input *out, rf_error *error) {
    rf_wire_in in = rf_wire_read(frame);
    rf_input_event event;
    uint8_t head = rf_wire_get_u8(&in), tag, mask;
    memset(out, 0, sizeof *out);
    if (in.status == RF_OK && head != RF_WIRE_HEAD(RF_WIRE_INPUT)) {
        in.at = 0;
        rf_wire_fail(&in, RF_UNKNOWN_VERSION);
    }
    out->ack = rf_wire_get_varint(&in);
    if (out->ack > RF_SEQ_MAX) bad(&in);
    out->number = rf_wire_get_varint(&in);
    tag = rf_wire_get_u8(&in);
    mask = rf_wire_get_u8(&in);
    if (mask >> RF_POSES != 0) bad(&in);
    if (tag != schema->tag && (tag != 0 || out->ack != 0 || mask != 0)) rf_wire_fail(&in, RF_SCHEMA_MISMATCH);
    get_poses(&in, schema, mask, out->poses);
    out->event_count = rf_wire_get_varint(&in);
    out->events = (rf_str){(const char *)rf_wire_here(&in), (size_t)((in.size - in.at) / 8)};
    for (uint64_t i = 0; i < out->event_count && in.status == RF_OK; i++) get_event(&in, &event);
    if (in.status == RF_OK && in.at != in.size) bad(&in);
    return in.status == RF_OK ? RF_OK : rf_wire_error(&in, error);
}

bool rf_input_next(rf_input *input, rf_input_event *out) {
    rf_wire_in in = rf_wire_read(input->events);
    if (input->event_count == 0) return false;
    get_event(&in, out);
    input->event_count--;
    input->events.data += in.at / 8;
    input->events.len -= (size_t)(in.at / 8);
    return true;
}
