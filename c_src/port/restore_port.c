// restore_port.c: makes a world of a checkpoint (checkpoint_port.c), of one piece or of many: all or nothing.
#include "call.h"

// {:ok, version}
static rf_status add_world(port_call *call, port_saves *saves) {
    rf_world *world = saves->world;
    rf_status status;
    saves->world = NULL;
    status = port_worlds_add(call->worlds, call->number, call->version, world); // frees the pieces
    return status == RF_OK ? port_put_version_of(call) : status;
}

static rf_status begin(port_call *call, port_saves *saves) {
    rf_world *world;
    rf_status status = port_read_world(call, saves->moment.oldest, &world);
    return status == RF_OK ? port_saves_begin(saves, world) : status;
}

// The one piece, without a copy of it. A frame has room for it, so its entities are created at once.
static rf_status restore_one(port_call *call, const port_moment *moment, port_reader piece) {
    port_saves saves = {.moment = *moment};
    bool all;
    rf_status status = port_saves_read(&saves, piece);
    if (status == RF_OK) status = begin(call, &saves);
    if (status == RF_OK) status = port_saves_create(&saves, SIZE_MAX, &all);
    if (status == RF_OK) status = add_world(call, &saves);
    port_saves_free(&saves);
    return status;
}

// All pieces are there. As a call's time is limited, in one about as many entities are created as the longest piece
// holds: whoever wants shorter calls sends shorter pieces, and is done with as many calls as there are pieces.
static rf_status go_on(port_call *call, port_pieces *pieces) {
    bool all = false;
    rf_status status = pieces->saves.world ? RF_OK : begin(call, &pieces->saves);
    if (status == RF_OK) status = port_saves_create(&pieces->saves, pieces->longest, &all);
    if (status == RF_OK && all) return add_world(call, &pieces->saves);
    return status == RF_OK ? port_ping(call) : status;
}

static rf_status restore_piece(port_call *call, const port_moment *moment, port_reader piece, uint64_t index) {
    port_pieces *pieces = port_pieces_find(call->worlds->pieces, call->number, call->version, moment);
    size_t count = pieces ? pieces->count : 0;
    bool more = port_read_this_atom(&call->argument, "nil");
    rf_status status = RF_OK;
    call->lost = index > count;
    if (call->lost) return RF_FOLDED_ON;
    if (index == 0 && !more && count == 0) return restore_one(call, moment, piece);
    if (!pieces) pieces = port_pieces_begin(&call->worlds->pieces, call->number, call->version, moment);
    if (!pieces) return RF_NO_MEMORY;
    // One that is there already came from another caller, or it is the last one again.
    if (index == count) status = pieces->saves.world ? RF_INVALID_ARGUMENT : port_pieces_add(pieces, &piece);
    if (status == RF_OK && !more)
        status = index + 1 == pieces->count ? go_on(call, pieces) : RF_INVALID_ARGUMENT;
    else if (status == RF_OK)
        status = port_ping(call);
    if (status != RF_OK) port_pieces_remove(&call->worlds->pieces, call->number, UINT64_MAX);
    return status;
}

// argument: {piece, how many are before it, {schema, rules, limits} with the last one | nil}. {:ok, version}: the world
// is there. {:ok, nil}: it is not yet; the next piece is to come, or the last one again.
rf_status port_world_restore(port_call *call) {
    const port_world *there = port_worlds_find(call->worlds, call->number);
    port_moment moment;
    port_reader piece;
    uint64_t index;
    if (there && there->version >= call->version) return port_put_version_of(call);
    if (!port_read_tuple(&call->argument, 3) || !port_read_inner(&call->argument, &piece) ||
        !port_moment_read(&piece, &moment) || !port_read_uint(&call->argument, &index))
        return RF_INVALID_ARGUMENT;
    return restore_piece(call, &moment, piece, index);
}
