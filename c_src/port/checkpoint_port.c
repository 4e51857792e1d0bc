// checkpoint_port.c: saves a world exactly: not only its entities with their values, but also their handles and those
// to come, so that everything encoded later has the same order (restore_port.c).
//
// A checkpoint is {seq, oldest, mirror, [{handle, since, id, components}], free}, with the entities in the order of
// their handles, and the free handles in the order in which they will be used (checkpoint.h). One that is longer than
// the caller wishes, or than a frame, comes in pieces of the same form: each has the next entities, and when there are
// no more, the next free handles. Nothing is kept between two pieces: the caller says where the next one starts.
#include "call.h"
#include "term_convert.h"

#include <string.h>

// Where a piece starts: {oldest, handles, free, last}. Each is after all places before it. A world that was recreated
// may have forgotten more than before, and differs in nothing else; the pieces of two such worlds must not be mixed.
typedef struct port_place {
    uint64_t oldest;
    uint32_t handles; // those below are in the pieces before
    uint32_t free;    // so many free handles are,
    uint32_t last1;   // and this, plus one, is the last of them: 0 if there are none
} port_place;

// Bytes for what comes after the last entity or free handle: the ends of the lists and the next place.
#define ENDING 128

static bool read_place(port_reader *reader, const rf_world *world, port_place *out) {
    *out = (port_place){.oldest = rf_world_oldest(world)};
    if (port_read_this_atom(reader, "nil")) return true;
    return port_read_tuple(reader, 4) && port_read_uint(reader, &out->oldest) && port_read_u32(reader, &out->handles) &&
           port_read_u32(reader, &out->free) && port_read_u32(reader, &out->last1) &&
           (out->free == 0) == (out->last1 == 0);
}

static void put_place(port_answer *out, const port_place *place) {
    port_put_tuple(out, 4);
    port_put_uint(out, place->oldest);
    port_put_uint(out, place->handles);
    port_put_uint(out, place->free);
    port_put_uint(out, place->last1);
}

static void put_entity(port_answer *out, const rf_world *world, rf_entity entity) {
    port_put_tuple(out, 4);
    port_put_uint(out, entity.handle1 - 1);
    port_put_uint(out, rf_world_since(world, entity));
    port_put_binary(out, rf_world_id(world, entity));
    port_put_components(out, rf_world_components(world, entity));
}

// As many as there is room for; *next is the first of the others. Returns whether there are none.
static bool put_entities(port_answer *out, const rf_world *world, size_t stop, port_place *place, rf_entity *next) {
    size_t limit = out->limit, mark = port_begin(out), count = 0;
    bool fits = true;
    *next = (rf_entity){.handle1 = place->handles};
    out->limit = stop;
    while (fits && rf_world_next(world, next)) {
        size_t len = out->len;
        put_entity(out, world, *next);
        fits = port_keep(out, len);
        if (fits) place->handles = next->handle1, count++;
    }
    out->limit = limit;
    port_end_list(out, mark, count);
    return fits;
}

static bool put_free(port_answer *out, const rf_world *world, size_t stop, port_place *place) {
    size_t limit = out->limit, mark = port_begin(out), count = 0;
    uint32_t free1 = place->last1;
    bool fits = true;
    out->limit = stop;
    while (fits && (free1 = rf_world_next_free(world, free1)) != 0) {
        size_t len = out->len;
        port_put_uint(out, free1 - 1);
        fits = port_keep(out, len);
        if (fits) place->last1 = free1, count++;
    }
    place->free += (uint32_t)count;
    out->limit = limit;
    port_end_list(out, mark, count);
    return fits;
}

// The longest that a piece may be: as the caller wishes, and as the answer has room for.
static bool read_stop(port_reader *reader, const port_answer *out, size_t *stop) {
    uint64_t bytes;
    if (!port_read_uint(reader, &bytes)) return false;
    *stop = bytes < port_room(out) ? (size_t)bytes : port_room(out);
    *stop = *stop > 2 * ENDING ? out->len + *stop - ENDING : 0;
    return true;
}

// What no piece has room for.
static rf_status too_large(port_call *call, rf_entity entity) {
    rf_str id = rf_world_id(call->world->world, entity);
    memcpy(call->error.about, id.data, id.len); // at most RF_NAME_MAX
    call->error.about[id.len] = '\0';
    return RF_TOO_LARGE;
}

// argument: {place | nil, bytes}. {:ok, piece, the next place | nil}; the piece is a term in a binary.
rf_status port_world_checkpoint(port_call *call) {
    const rf_world *world = call->world->world;
    port_answer *out = call->out;
    port_place place, start;
    rf_entity next;
    size_t mark, stop;
    bool all;
    if (!port_read_tuple(&call->argument, 2) || !read_place(&call->argument, world, &place)) return RF_INVALID_ARGUMENT;
    if (place.oldest != rf_world_oldest(world)) return RF_HISTORY_GONE;
    port_put_tuple(out, 3);
    port_put_ok(call);
    if (!read_stop(&call->argument, out, &stop)) return RF_INVALID_ARGUMENT;
    if (stop == 0) return RF_TOO_LARGE;
    start = place;
    mark = port_begin(out);
    port_put_version(out);
    port_put_tuple(out, 5);
    port_put_uint(out, rf_world_seq(world));
    port_put_uint(out, place.oldest);
    port_put_bool(out, rf_world_mirrors(world));
    all = put_entities(out, world, stop, &place, &next);
    if (!all && place.handles == start.handles) return out->status == RF_OK ? too_large(call, next) : out->status;
    if (all)
        all = put_free(out, world, stop, &place);
    else
        port_end_list(out, port_begin(out), 0);
    port_end_binary(out, mark);
    if (all)
        port_put_atom(out, "nil");
    else
        put_place(out, &place);
    return RF_OK;
}
