// wire_text.c: converts packed input to the text of events, as rooms and logs use it.
#include "base/error.h"
#include "json/json_out.h"
#include "schema/rules_state.h"
#include <roomfold/wire.h>

static const rf_str pose_names[RF_POSES] = {
    [RF_POSE_HEAD] = {"head", 4},
    [RF_POSE_LEFT] = {"left", 4},
    [RF_POSE_RIGHT] = {"right", 5},
};

// Puts the exact values of binary32 numbers, as everywhere in such texts.
static void put_narrow(rf_json_out *out, const float *numbers, unsigned count) {
    double wide[4];
    for (unsigned i = 0; i < count; i++) wide[i] = (double)numbers[i];
    rf_json_out_numbers(out, wide, count);
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

static void put_name(rf_json_out *out, rf_str name) {
    rf_json_out_text(out, rf_is_entity_event(name) ? RF_LIT("{\"event\":") : RF_LIT("{\"event_name\":"));
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

// Puts the name, then the fields of the payload. A duplicate of a key is detected when the text is read.
static void put_event(rf_json_out *out, const rf_input_event *event) {
    rf_term_reader reader;
    size_t payload;
    put_name(out, event->name);
    payload = out->text.len;
    rf_json_out_term(out, event->payload);
    rf_term_read(&reader, event->payload);
    if (out->status != RF_OK) return;
    // The payload's opening bracket becomes a comma; an empty payload is removed.
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
