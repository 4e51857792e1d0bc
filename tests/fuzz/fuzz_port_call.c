// fuzz_port_call.c: the input of the port program: bytes as frames, in pieces, and a term as a call on a small world;
// checks the answer, and that a checkpoint of the world makes the same one again.
#include "port/call.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LIMIT 4096
#define PIECE 300 // so that the world's checkpoint is of several

// {new, 1, 1, {schema, nil, {0, 7, 50, 200, 4, 8}}} and {fold, 1, 1, {json, text}}, as the VM writes them.
static const char definition[] =
    "{\"format\":\"roomfold-schema\",\"version\":1,\"components\":["
    "{\"name\":\"position\",\"type\":\"f32\",\"count\":3},{\"name\":\"d\",\"type\":\"f64\"},"
    "{\"name\":\"i\",\"type\":\"i64\"},{\"name\":\"b\",\"type\":\"bool\"},"
    "{\"name\":\"s\",\"type\":\"string\"}]}";
static const char events[] =
    "{\"event\":\"create\",\"entity_id\":\"a\",\"components\":{\"position\":[1,2,3],\"collider\":{\"shape\":\"sphere\","
    "\"radius\":1},\"kind\":\"bat\"}}\n"
    "{\"event\":\"create\",\"entity_id\":\"b\",\"components\":{\"d\":0.5,\"i\":-3,\"b\":true,\"s\":\"x\",\"n\":[1,null]"
    "}}\n"
    "{\"event\":\"create\",\"entity_id\":\"c\",\"components\":{}}\n{\"event\":\"delete\",\"entity_id\":\"b\"}";

static rf_str copy_of(const void *data, size_t size) {
    char *bytes = malloc(size > 0 ? size : 1);
    if (!bytes) abort();
    if (size > 0) memcpy(bytes, data, size);
    return (rf_str){bytes, size};
}

static void put_call(port_answer *call, const char *name, uint64_t number, uint64_t version) {
    *call = (port_answer){.limit = 4 * LIMIT};
    port_put_version(call);
    port_put_tuple(call, 4);
    port_put_atom(call, name);
    port_put_uint(call, number);
    port_put_uint(call, version);
}

// Nothing is kept of what would become a world that is there and as new.
static void check_pieces(const port_worlds *worlds) {
    for (const port_pieces *pieces = worlds->pieces; pieces; pieces = pieces->next) {
        const port_world *there = port_worlds_find(worlds, pieces->number);
        if (there && there->version >= pieces->version) abort();
    }
}

// Runs a call, in a block of exactly its size, and checks that the answer is one frame with one term.
static void run(port_worlds *worlds, port_answer *out, const void *data, size_t size) {
    rf_str term = copy_of(data, size);
    port_input input = {.limit = LIMIT};
    port_frame frame;
    port_reader reader;
    rf_str answer;
    size_t room, start = out->len;
    char *at;
    port_run(worlds, term, 77, LIMIT, out);
    free((char *)(uintptr_t)term.data);
    if (out->status != RF_OK) abort();
    check_pieces(worlds);
    at = port_input_room(&input, &room);
    if (!at || room < out->len - start) abort();
    memcpy(at, out->bytes + start, out->len - start);
    port_input_came(&input, out->len - start);
    if (port_input_next(&input, &frame) != PORT_FRAME || frame.call != 77) abort();
    answer = copy_of(frame.term.data, frame.term.len);
    if (!port_check(answer, &reader)) abort();
    if (port_input_next(&input, &frame) != PORT_MORE || input.start != input.end) abort();
    free((char *)(uintptr_t)answer.data);
    port_input_free(&input);
}

static void run_made(port_worlds *worlds, port_answer *out, port_answer *call) {
    if (call->status != RF_OK) abort();
    run(worlds, out, call->bytes, call->len);
    port_answer_free(call);
}

static void put_definition(port_answer *call) {
    static const uint64_t limits[] = {0, 7, 50, 200, 4, 8};
    port_put_tuple(call, 3);
    port_put_binary(call, (rf_str){definition, sizeof definition - 1});
    port_put_atom(call, "nil");
    port_put_tuple(call, 6);
    for (int i = 0; i < 6; i++) port_put_uint(call, limits[i]);
}

static void make_world(port_worlds *worlds, port_answer *out) {
    port_answer call;
    put_call(&call, "new", 1, 1);
    put_definition(&call);
    run_made(worlds, out, &call);
    put_call(&call, "fold", 1, 1);
    port_put_tuple(&call, 2);
    port_put_atom(&call, "json");
    port_put_binary(&call, (rf_str){events, sizeof events - 1});
    run_made(worlds, out, &call);
    if (!port_worlds_find(worlds, 1) || port_worlds_find(worlds, 1)->version != 2) abort();
}

// Counts the frames, which must not depend on the pieces, and must not exceed the limit.
static size_t read_in_pieces(const uint8_t *data, size_t size, size_t piece) {
    port_input input = {.limit = LIMIT};
    port_next next = PORT_MORE;
    port_frame frame;
    size_t count = 0;
    while (size > 0 && next == PORT_MORE) {
        size_t room, some = size < piece ? size : piece;
        char *at = port_input_room(&input, &room);
        if (!at || room < some) abort();
        memcpy(at, data, some);
        port_input_came(&input, some);
        data += some;
        size -= some;
        while ((next = port_input_next(&input, &frame)) == PORT_FRAME) {
            if (frame.term.len > LIMIT) abort();
            count++;
        }
    }
    if (input.capacity > 1 << 20) abort(); // announced lengths are not trusted
    port_input_free(&input);
    return count;
}

// A piece of a world's checkpoint, and where the next one starts.
typedef struct taken {
    port_answer answer; // which it is in
    rf_str piece;
    uint64_t place[4];
    bool first, last;
} taken;

// The next piece, of at most so many bytes. False: there is no room for an entity.
static bool take(port_worlds *worlds, const port_world *world, size_t bytes, taken *it) {
    port_answer call;
    port_reader reader;
    put_call(&call, "checkpoint", world->number, world->version);
    port_put_tuple(&call, 2);
    if (it->first)
        port_put_atom(&call, "nil");
    else
        port_put_tuple(&call, 4);
    for (int i = 0; !it->first && i < 4; i++) port_put_uint(&call, it->place[i]);
    port_put_uint(&call, bytes);
    it->answer.len = 0;
    run_made(worlds, &it->answer, &call);
    if (!port_check((rf_str){it->answer.bytes + PORT_HEADER, it->answer.len - PORT_HEADER}, &reader)) abort();
    if (!port_read_tuple(&reader, 3)) return false;
    if (!port_read_this_atom(&reader, "ok") || !port_read_binary(&reader, &it->piece)) abort();
    if (it->piece.len > bytes) abort();
    it->first = false;
    it->last = port_read_this_atom(&reader, "nil");
    if (!it->last && !port_read_tuple(&reader, 4)) abort();
    for (int i = 0; !it->last && i < 4; i++)
        if (!port_read_uint(&reader, &it->place[i])) abort();
    return true;
}

static void restore(port_worlds *worlds, port_answer *out, const taken *it, uint64_t index) {
    port_answer call;
    put_call(&call, "restore", 2, UINT32_MAX);
    port_put_tuple(&call, 3);
    port_put_binary(&call, it->piece);
    port_put_uint(&call, index);
    if (it->last)
        put_definition(&call);
    else
        port_put_atom(&call, "nil");
    run_made(worlds, out, &call);
}

// Makes world 2 of a world's checkpoint. False: an entity is too large for a piece.
static bool make_again(port_worlds *worlds, port_answer *out, const port_world *world, size_t bytes) {
    taken it = {.first = true};
    bool good = true;
    port_worlds_remove(worlds, 2);
    for (uint64_t index = 0; good && !it.last; index++) {
        if (port_worlds_find(worlds, 2)) abort();
        good = take(worlds, world, bytes, &it);
        if (good) restore(worlds, out, &it, index);
        // The last one again, until all entities have been made: not more often than there are pieces.
        for (int i = 0; good && it.last && !port_worlds_find(worlds, 2); i++) {
            if ((uint64_t)i >= index) abort();
            restore(worlds, out, &it, index);
        }
    }
    port_answer_free(&it.answer);
    return good;
}

// What a world becomes that is made of its checkpoint has the same checkpoint, in the same pieces.
static void same_again(port_worlds *worlds, port_answer *out, const port_world *world, size_t bytes) {
    taken one = {.first = true}, other = {.first = true};
    if (!make_again(worlds, out, world, bytes)) return;
    while (!one.last) {
        if (!take(worlds, world, bytes, &one)) abort();
        if (!take(worlds, port_worlds_find(worlds, 2), bytes, &other)) abort();
        if (one.piece.len != other.piece.len || memcmp(one.piece.data, other.piece.data, one.piece.len) != 0) abort();
        if (one.last != other.last || memcmp(one.place, other.place, sizeof one.place) != 0) abort();
    }
    port_answer_free(&one.answer);
    port_answer_free(&other.answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    port_worlds worlds = {0};
    port_answer out = {0};
    const port_world *world;
    rf_schema *schema;
    if (read_in_pieces(data, size, 1) != read_in_pieces(data, size, SIZE_MAX)) abort();
    make_world(&worlds, &out);
    schema = rf_schema_retain((rf_schema *)(uintptr_t)rf_world_schema(port_worlds_find(&worlds, 1)->world));
    run(&worlds, &out, data, size);
    run(&worlds, &out, data, size);
    world = port_worlds_find(&worlds, 1);
    // Unless it is another one by now.
    if (world && rf_world_schema(world->world) == schema) {
        same_again(&worlds, &out, world, LIMIT);
        same_again(&worlds, &out, world, PIECE);
    }
    rf_schema_release(schema);
    port_answer_free(&out);
    port_worlds_free(&worlds);
    return 0;
}
