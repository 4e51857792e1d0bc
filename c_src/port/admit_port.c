// admit_port.c: checks and numbers events (JSON text), as admit.h does.
#include "call.h"

#include <stdlib.h>
#include <string.h>

// Room for the texts of the current item.
typedef struct port_texts {
    rf_str *items;
    size_t capacity;
} port_texts;

static bool reserve(port_texts *texts, size_t count) {
    rf_str *items;
    if (count <= texts->capacity) return true;
    items = realloc(texts->items, count * sizeof *items);
    if (!items) return false;
    texts->items = items;
    texts->capacity = count;
    return true;
}

// {by, trusted, texts}
static rf_status read_item(port_reader *reader, port_texts *texts, rf_item *out) {
    int count;
    *out = (rf_item){0};
    if (!port_read_tuple(reader, 3) || !port_read_binary(reader, &out->by) || !port_read_bool(reader, &out->trusted) ||
        !port_read_list(reader, &count))
        return RF_INVALID_ARGUMENT;
    if (!reserve(texts, (size_t)count)) return RF_NO_MEMORY;
    out->texts = texts->items;
    out->count = (size_t)count;
    for (int i = 0; i < count; i++)
        if (!port_read_binary(reader, &texts->items[i])) return RF_INVALID_ARGUMENT;
    return count == 0 || port_read_tail(reader) ? RF_OK : RF_INVALID_ARGUMENT;
}

// The first seq, or {index, reason, about, offset}.
static void put_answer(port_answer *out, rf_status status, uint64_t first, size_t index, const rf_error *error) {
    if (status == RF_OK) {
        port_put_uint(out, first);
        return;
    }
    port_put_tuple(out, 4);
    port_put_uint(out, index);
    port_put_atom(out, rf_status_name(status));
    port_put_about(out, error->about, strlen(error->about));
    port_put_offset(out, error->offset);
}

static rf_status admit_all(port_call *call, rf_admission *admission, port_texts *texts) {
    size_t mark = port_begin(call->out);
    rf_status status = RF_OK;
    int count;
    if (!port_read_list(&call->argument, &count)) return RF_INVALID_ARGUMENT;
    for (int i = 0; i < count; i++) {
        rf_error error = {.offset = RF_NOWHERE};
        uint64_t first = 0;
        size_t index = 0;
        rf_item item;
        status = read_item(&call->argument, texts, &item);
        if (status != RF_OK) return status;
        status = rf_admit(admission, &item, &first, &error, &index);
        if (status == RF_NO_MEMORY) return status;
        put_answer(call->out, status, first, index, &error);
    }
    port_end_list(call->out, mark, (size_t)count);
    return RF_OK;
}

// argument: {milliseconds, items}. {:ok, {answers, text}}, the first answer first.
rf_status port_world_admit(port_call *call) {
    rf_admission *admission = NULL;
    port_texts texts = {0};
    rf_status status;
    int64_t at;
    if (!port_read_tuple(&call->argument, 2) || !port_read_int(&call->argument, &at)) return RF_INVALID_ARGUMENT;
    port_put_tuple(call->out, 2);
    port_put_ok(call);
    port_put_tuple(call->out, 2);
    status = rf_admission_new(call->world->world, at, &admission);
    if (status == RF_OK) status = admit_all(call, admission, &texts);
    if (status == RF_OK) port_put_binary(call->out, rf_admission_text(admission));
    rf_admission_free(admission);
    free(texts.items);
    return status;
}
