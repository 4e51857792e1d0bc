// encode_nif.c: encodes a world as JSON text or in the packed format, straight into a binary.
#include "nif_functions.h"
#include "read_nif.h"

#include <string.h>

#define NORMAL_LIMIT ((size_t)256 << 10)  // bytes of JSON that a normal scheduler may write per call
#define NORMAL_ENTITIES 4096              // entities that it may go through
#define NORMAL_PACKED ((size_t)320 << 10) // the same for a packed diff, which is several times as fast
#define NORMAL_PACKED_ENTITIES 12288

// An allocator for the single block of the output. Short output (most diffs) stays on the stack, which is in the cache,
// until its length is known. When it grows longer, it moves to a binary's data.
#define SHORT_OUTPUT ((size_t)32 << 10)
typedef struct output_memory {
    ErlNifBinary binary;
    enum { OUTPUT_NONE, OUTPUT_SHORT, OUTPUT_BINARY } where;
    uint8_t bytes[SHORT_OUTPUT];
} output_memory;

static uint8_t *output_block(output_memory *memory) {
    if (memory->where == OUTPUT_NONE) return NULL;
    return memory->where == OUTPUT_SHORT ? memory->bytes : memory->binary.data;
}

static void *resize_output(void *context, void *block, size_t size) {
    output_memory *memory = context;
    if (block != output_block(memory)) return NULL;
    if (size == 0) {
        if (memory->where == OUTPUT_BINARY) enif_release_binary(&memory->binary);
        memory->where = OUTPUT_NONE;
        return NULL;
    }
    if (memory->where != OUTPUT_BINARY && size <= SHORT_OUTPUT) {
        memory->where = OUTPUT_SHORT;
    } else if (memory->where == OUTPUT_BINARY) {
        if (!enif_realloc_binary(&memory->binary, size)) return NULL;
    } else {
        if (!enif_alloc_binary(size, &memory->binary)) return NULL;
        if (memory->where == OUTPUT_SHORT) memcpy(memory->binary.data, memory->bytes, SHORT_OUTPUT);
        memory->where = OUTPUT_BINARY;
    }
    return output_block(memory);
}

// A binary of the block's first `len` bytes.
static ERL_NIF_TERM output_term(ErlNifEnv *env, output_memory *memory, size_t len) {
    ERL_NIF_TERM whole;
    bool fits;
    if (memory->where != OUTPUT_BINARY) return nif_binary(env, (rf_str){(const char *)memory->bytes, len});
    fits = enif_realloc_binary(&memory->binary, len);
    whole = enif_make_binary(env, &memory->binary);
    return fits ? whole : enif_make_sub_binary(env, whole, 0, len);
}

static bool read_text(ErlNifEnv *env, ERL_NIF_TERM term, rf_str *out) {
    *out = (rf_str){0};
    return enif_is_identical(term, nif_atom.nil) || nif_bytes(env, term, out);
}

// {join_ref, ref, topic, event}, or nil.
static bool read_frame(ErlNifEnv *env, ERL_NIF_TERM term, rf_phoenix_frame *out, const rf_phoenix_frame **frame) {
    const ERL_NIF_TERM *parts;
    int arity;
    *frame = NULL;
    if (enif_is_identical(term, nif_atom.nil)) return true;
    *frame = out;
    return enif_get_tuple(env, term, &arity, &parts) && arity == 4 && read_text(env, parts[0], &out->join_ref) &&
           read_text(env, parts[1], &out->ref) && nif_bytes(env, parts[2], &out->topic) &&
           nif_bytes(env, parts[3], &out->event);
}

static bool read_shape(ERL_NIF_TERM term, rf_by *out) {
    const ERL_NIF_TERM shapes[] = {nif_atom.entity, nif_atom.component, nif_atom.kind};
    for (int i = 0; i < 3; i++) {
        if (!enif_is_identical(term, shapes[i])) continue;
        *out = (rf_by)i;
        return true;
    }
    return false;
}

// Too much for a normal scheduler: run the call again on a dirty one.
static rf_status stop(nif_builder *builder) {
    builder->stopped = true;
    return RF_TOO_LARGE;
}

static void charge(nif_builder *builder, size_t len) {
    int64_t work = (int64_t)(len / 8);
    builder->work -= work < builder->work ? work : builder->work;
}

// argv: world, version, the seq a diff starts from or nil, shape, frame.
static rf_status encode(nif_builder *builder, const nif_world *world, const ERL_NIF_TERM argv[], ERL_NIF_TERM *answer) {
    ErlNifEnv *env = builder->env;
    output_memory memory;
    rf_allocator allocator = {.context = &memory, .resize = resize_output};
    rf_encode_def def = {.limit = builder->may_stop ? NORMAL_LIMIT : 0};
    rf_phoenix_frame frame;
    ErlNifUInt64 from;
    rf_status status;
    char *text;
    size_t len;
    memory.where = OUTPUT_NONE;
    def.diff = !enif_is_identical(argv[2], nif_atom.nil);
    if (def.diff && !enif_get_uint64(env, argv[2], &from)) return RF_INVALID_ARGUMENT;
    if (!read_shape(argv[3], &def.by) || !read_frame(env, argv[4], &frame, &def.frame)) return RF_INVALID_ARGUMENT;
    if (def.diff) def.from = from;
    if (builder->may_stop && rf_world_count(world->world) > NORMAL_ENTITIES) return stop(builder);
    status = rf_encode_json(world->world, &def, allocator, &text, &len);
    if (status == RF_TOO_LARGE && builder->may_stop) return stop(builder);
    if (status != RF_OK) return status;
    charge(builder, len);
    *answer = enif_make_tuple2(env, nif_atom.ok, output_term(env, &memory, len));
    return RF_OK;
}

// argv: world, version, the seq a diff starts from or nil.
static rf_status encode_packed(nif_builder *builder, const nif_world *world, const ERL_NIF_TERM argv[],
                               ERL_NIF_TERM *answer) {
    ErlNifEnv *env = builder->env;
    output_memory memory;
    rf_allocator allocator = {.context = &memory, .resize = resize_output};
    bool diff = !enif_is_identical(argv[2], nif_atom.nil);
    size_t limit = !builder->may_stop ? 0 : diff ? NORMAL_PACKED : NORMAL_LIMIT, len;
    ErlNifUInt64 from = 0;
    rf_status status;
    uint8_t *bytes;
    memory.where = OUTPUT_NONE;
    if (diff && !enif_get_uint64(env, argv[2], &from)) return RF_INVALID_ARGUMENT;
    if (builder->may_stop && rf_world_count(world->world) > (diff ? NORMAL_PACKED_ENTITIES : NORMAL_ENTITIES))
        return stop(builder);
    status = rf_encode_packed(world->world, diff, from, limit, allocator, &bytes, &len);
    if (status == RF_TOO_LARGE && builder->may_stop) return stop(builder);
    if (status != RF_OK) return status;
    charge(builder, diff ? len : len * 4); // a snapshot also encodes names
    *answer = enif_make_tuple2(env, nif_atom.ok, output_term(env, &memory, len));
    return RF_OK;
}

ERL_NIF_TERM nif_world_encode_packed(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    return nif_read(env, argc, argv,
                    &(nif_reader){"world_encode_packed", nif_world_encode_packed, encode_packed, false});
}

ERL_NIF_TERM nif_world_encode(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    return nif_read(env, argc, argv, &(nif_reader){"world_encode", nif_world_encode, encode, false});
}
