// wire_apply.c: loads packed snapshots and applies packed diffs.
#include <roomfold/wire.h>

#include "base/arena.h"
#include "world/change.h"
#include "base/key_set.h"
#include "schema/schema_state.h"
#include "frame/wire_in.h"
#include <math.h>
#include <stdlib.h>

typedef struct handles {
    uint32_t *items; // ascending
    size_t count, capacity;
} handles;

typedef struct masks {
    uint64_t recent, before;
} masks;

typedef struct applier {
    rf_world *world;
    const rf_schema *schema;
    rf_wire_in in;
    bool commit;     // otherwise the frame is only checked
    uint64_t listed; // handles read
    handles deleted, created;
    handles owners;     // existing entities with the ids of creates
    rf_key_set ids;     // of the creates
    rf_arena id_arena;  // their bytes
    rf_arena arena;     // values of the current entity
    rf_assign *assigns; // of the current entity
    size_t assign_count, assign_capacity;
} applier;

static bool fail(applier *a, rf_status status) {
    return rf_wire_fail(&a->in, status);
}

// Fails at the start of an item.
static bool fail_at(applier *a, uint64_t at, rf_status status) {
    if (a->in.status == RF_OK) a->in.at = at;
    return fail(a, status);
}

static bool reading(const applier *a) {
    return a->in.status == RF_OK;
}

static void *scratch(applier *a, rf_arena *arena, size_t size) {
    void *out = rf_arena_alloc(arena, size);
    if (!out) fail(a, RF_NO_MEMORY);
    return out;
}

// ---- texts and terms --------------------------------------------------------------------------------

static rf_str inline_bytes(applier *a, rf_arena *arena) {
    uint64_t len = rf_wire_get_nib(&a->in);
    uint8_t *bytes;
    if (len > UINT64_MAX / 8 || !rf_wire_has(&a->in, len * 8)) {
        fail(a, RF_INVALID_FRAME);
        return (rf_str){0};
    }
    bytes = scratch(a, arena, (size_t)len + 1);
    for (uint64_t i = 0; bytes && i < len; i++) bytes[i] = (uint8_t)rf_wire_get(&a->in, 8);
    return (rf_str){(const char *)bytes, bytes ? (size_t)len : 0};
}

static rf_str with_number(applier *a, rf_arena *arena, rf_str stem, uint32_t number) {
    char digits[RF_WIRE_SUFFIX_DIGITS];
    size_t len = 0;
    char *out;
    do {
        digits[sizeof digits - ++len] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    out = scratch(a, arena, stem.len + len);
    if (!out) return (rf_str){0};
    if (stem.len > 0) memcpy(out, stem.data, stem.len);
    memcpy(out + stem.len, digits + sizeof digits - len, len);
    return (rf_str){out, stem.len + len};
}

// Reads what follows a word that is a string: the text is the word, or the word with a number.
static rf_str word_text(applier *a, rf_arena *arena, const rf_word *word) {
    uint64_t number;
    if (rf_wire_get(&a->in, 1) == 0) return word->text;
    number = rf_wire_get_nib(&a->in);
    if (number > RF_WIRE_SUFFIX_MAX) {
        fail(a, RF_INVALID_FRAME);
        return (rf_str){0};
    }
    return with_number(a, arena, word->text, (uint32_t)number);
}

// NULL: the value follows inline.
static const rf_word *get_word(applier *a) {
    uint64_t number = rf_wire_get_nib(&a->in);
    if (number > a->schema->word_count) fail(a, RF_INVALID_FRAME);
    return reading(a) && number > 0 ? &a->schema->words[number - 1] : NULL;
}

static rf_str get_name(applier *a, rf_arena *arena) {
    uint64_t start = a->in.at;
    const rf_word *word = get_word(a);
    rf_str out;
    if (word && !word->text.data) fail_at(a, start, RF_INVALID_FRAME);
    if (!reading(a)) return (rf_str){0};
    out = word ? word_text(a, arena, word) : inline_bytes(a, arena);
    if (reading(a) && rf_utf8_check(out) != out.len) fail_at(a, start, RF_INVALID_FRAME);
    return out;
}

static rf_str term_of_text(applier *a, rf_str text) {
    uint8_t *out = scratch(a, &a->arena, 1 + RF_VARINT_ROOM + text.len);
    size_t len = 1;
    if (!out) return (rf_str){0};
    out[0] = RF_TAG_STRING;
    len += rf_varint_write(out + 1, text.len);
    if (text.len > 0) memcpy(out + len, text.data, text.len);
    return (rf_str){(const char *)out, len + text.len};
}

static rf_str get_term(applier *a) {
    uint64_t start = a->in.at;
    const rf_word *word = get_word(a);
    rf_str out;
    if (!reading(a)) return (rf_str){0};
    if (word && word->text.data) {
        rf_str text = word_text(a, &a->arena, word);
        out = reading(a) ? term_of_text(a, text) : text;
    } else {
        out = word ? word->term : inline_bytes(a, &a->arena);
        if (reading(a) && !word && !rf_term_canonical(out)) fail_at(a, start, RF_INVALID_FRAME);
    }
    if (reading(a) && out.len > a->world->max_value_bytes) fail_at(a, start, RF_TOO_LARGE);
    return out;
}

// ---- values -----------------------------------------------------------------------------------------

static void get_floats(applier *a, const rf_component_def *def, uint8_t *out) {
    for (unsigned i = 0; i < def->count; i++) {
        uint32_t low = rf_wire_get(&a->in, 32), high;
        uint64_t bits;
        if (def->type == RF_TYPE_F32) {
            if ((low & 0x7f800000) == 0x7f800000) fail(a, RF_INVALID_FRAME);
            memcpy(out + i * sizeof low, &low, sizeof low);
            continue;
        }
        high = rf_wire_get(&a->in, 32);
        if ((high & 0x7ff00000) == 0x7ff00000) fail(a, RF_INVALID_FRAME);
        bits = (uint64_t)high << 32 | low;
        memcpy(out + i * sizeof bits, &bits, sizeof bits);
    }
}

static void get_steps(applier *a, const rf_quantiser *quantiser, uint8_t *out) {
    uint32_t numbers[RF_NUMBERS_MAX], index = 0;
    if (quantiser->kind == RF_QUANTISE_SMALLEST_THREE) index = rf_wire_get(&a->in, 2);
    for (unsigned i = 0; i < quantiser->count; i++) {
        numbers[i] = rf_wire_get(&a->in, quantiser->bits);
        if (numbers[i] > quantiser->most) fail(a, RF_INVALID_FRAME);
    }
    if (reading(a)) rf_dequantise_value(quantiser, numbers, index, out);
}

// old: the value the world has, or NULL.
static void get_delta(applier *a, const rf_quantiser *quantiser, const uint8_t *old, uint8_t *out) {
    uint32_t numbers[RF_NUMBERS_MAX], index = 0, width, changed;
    if (quantiser->kind == RF_QUANTISE_SMALLEST_THREE) index = rf_wire_get(&a->in, 2);
    width = rf_wire_get(&a->in, RF_WIRE_DELTA_WIDTH_BITS) + 1;
    changed = rf_wire_get(&a->in, quantiser->count);
    if (!reading(a)) return;
    if (!old || !rf_quantise_value(quantiser, old, true, &index, numbers)) {
        fail(a, RF_INVALID_FRAME);
        return;
    }
    for (unsigned i = 0; i < quantiser->count; i++) {
        uint32_t zigzag;
        int64_t number;
        if (!(changed >> i & 1)) continue;
        zigzag = rf_wire_get(&a->in, width);
        number = (int64_t)numbers[i] + rf_zigzag_decode(zigzag);
        if (zigzag == 0 || number < 0 || number > (int64_t)quantiser->most) fail(a, RF_INVALID_FRAME);
        numbers[i] = (uint32_t)number;
    }
    if (reading(a)) rf_dequantise_value(quantiser, numbers, index, out);
}

static const uint8_t *present_value(const applier *a, uint32_t column, uint32_t handle) {
    const rf_column *of = &a->world->columns[column];
    const rf_column_page *page = rf_column_page_of(of, handle);
    return rf_column_has(page, handle) ? rf_column_cell(of, page, handle) + of->value_offset : NULL;
}

static void get_quantised(applier *a, uint32_t column, uint32_t handle, bool update, uint8_t *out) {
    const rf_quantiser *quantiser = &a->schema->quantisers[column];
    if (update && rf_wire_get(&a->in, 1) == 0)
        get_delta(a, quantiser, present_value(a, column, handle), out);
    else if (rf_wire_get(&a->in, 1) == 0)
        get_steps(a, quantiser, out);
    else
        get_floats(a, &a->schema->defs[column], out);
}

static rf_str get_string(applier *a) {
    uint64_t start = a->in.at;
    rf_str out = get_name(a, &a->arena);
    if (reading(a) && out.len > a->world->max_value_bytes) fail_at(a, start, RF_TOO_LARGE);
    return out;
}

static rf_str get_value(applier *a, uint32_t column, uint32_t handle, bool update) {
    const rf_component_def *def = &a->schema->defs[column];
    size_t size = a->world->columns[column].value_size;
    uint8_t *out;
    int64_t integer;
    if (def->type == RF_TYPE_STRING) return get_string(a);
    if (def->type == RF_TYPE_TERM) return get_term(a);
    out = scratch(a, &a->arena, size);
    if (!out) return (rf_str){0};
    if (def->type == RF_TYPE_I64) {
        integer = rf_zigzag_decode(rf_wire_get_nib(&a->in));
        memcpy(out, &integer, sizeof integer);
    } else if (def->type == RF_TYPE_BOOL) {
        out[0] = (uint8_t)rf_wire_get(&a->in, 1);
    } else if (def->quantise == RF_QUANTISE_NONE) {
        get_floats(a, def, out);
    } else {
        get_quantised(a, column, handle, update, out);
    }
    return (rf_str){(const char *)out, size};
}

// ---- an entity --------------------------------------------------------------------------------------

static rf_assign *add_assign(applier *a) {
    if (a->assign_count == a->assign_capacity) {
        rf_allocator allocator = a->arena.allocator;
        size_t capacity = a->assign_capacity ? a->assign_capacity * 2 : RF_SCHEMA_MAX;
        rf_assign *assigns = allocator.resize(allocator.context, a->assigns, capacity * sizeof *assigns);
        if (!assigns) {
            fail(a, RF_NO_MEMORY);
            return NULL;
        }
        a->assigns = assigns;
        a->assign_capacity = capacity;
    }
    a->assigns[a->assign_count] = (rf_assign){0};
    return &a->assigns[a->assign_count++];
}

static uint64_t get_mask(applier *a, masks *known) {
    unsigned count = (unsigned)a->schema->count;
    uint64_t mask;
    if (rf_wire_get(&a->in, 1) == 0) return known->recent;
    if (rf_wire_get(&a->in, 1) == 0) {
        mask = known->before;
    } else {
        mask = count > 0 ? rf_wire_get(&a->in, count < 32 ? count : 32) : 0;
        if (count > 32) mask |= (uint64_t)rf_wire_get(&a->in, count - 32) << 32;
    }
    known->before = known->recent;
    known->recent = mask;
    return mask;
}

static void get_values(applier *a, uint64_t mask, uint64_t removed, uint32_t handle, bool update) {
    for (uint32_t i = 0; i < a->schema->count && reading(a); i++) {
        rf_assign *assign;
        if (!(mask >> i & 1)) continue;
        assign = add_assign(a);
        if (!assign) return;
        assign->column = (int)i;
        assign->remove = removed >> i & 1;
        if (!assign->remove) assign->image = get_value(a, i, handle, update);
    }
}

static bool valid_name(const applier *a, rf_str name) {
    return name.len >= 1 && name.len <= RF_NAME_MAX && !rf_str_eq(name, RF_LIT("id")) &&
           rf_schema_lookup(a->schema, name) < 0;
}

// others: the entity's current ones.
static void get_others(applier *a, const rf_others *others, bool update) {
    uint64_t count = rf_wire_get_nib(&a->in), live = others ? others->live : 0;
    rf_str last = {0};
    if (count == 0) fail(a, RF_INVALID_FRAME);
    for (uint64_t i = 0; i < count && reading(a); i++) {
        rf_assign *assign = add_assign(a);
        uint64_t start = a->in.at;
        bool found, present;
        uint32_t at;
        if (!assign) return;
        assign->column = -1;
        assign->name = get_name(a, &a->arena);
        if (!reading(a)) return;
        if (!valid_name(a, assign->name) || (i > 0 && rf_str_cmp(last, assign->name) >= 0)) {
            fail_at(a, start, RF_INVALID_FRAME);
            return;
        }
        last = assign->name;
        assign->remove = update && rf_wire_get(&a->in, 1);
        if (!assign->remove) assign->image = get_term(a);
        at = rf_others_find(others, assign->name, &found);
        present = found && others->items[at]->present;
        live = live + (!assign->remove && !present) - (assign->remove && present);
    }
    if (reading(a) && live > a->world->max_undeclared) fail(a, RF_TOO_MANY_COMPONENTS);
}

// The next handle of a list; false at its end.
static bool get_handle(applier *a, int64_t *last, uint32_t *out) {
    uint64_t start = a->in.at, step = rf_wire_get_nib(&a->in);
    if (!reading(a) || step == 0) return false;
    if (step > a->world->max_entities || *last + (int64_t)step >= (int64_t)a->world->max_entities)
        return fail_at(a, start, RF_WORLD_FULL);
    a->listed++;
    *last += (int64_t)step;
    *out = (uint32_t)*last;
    return true;
}

static bool alive(const rf_world *world, uint32_t handle) {
    return handle < world->handles && (rf_world_alive_on(world, handle) >> (handle % RF_PAGE_SIZE) & 1);
}

static void next_entity(applier *a) {
    rf_arena_reset(&a->arena);
    a->assign_count = 0;
}

static bool listed(const handles *list, uint32_t handle) {
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->items[middle] < handle)
            low = middle + 1;
        else
            high = middle;
    }
    return low < list->count && list->items[low] == handle;
}

static bool add_handle(applier *a, handles *list, uint32_t handle) {
    if (list->count == list->capacity) {
        rf_allocator allocator = a->arena.allocator;
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        uint32_t *items = allocator.resize(allocator.context, list->items, capacity * sizeof *items);
        if (!items) return fail(a, RF_NO_MEMORY);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = handle;
    return true;
}

// ---- the lists --------------------------------------------------------------------------------------

static void remove_entity(applier *a, uint32_t handle) {
    rf_world *world = a->world;
    rf_str id = rf_entity_id_str(&rf_world_slot(world, handle)->id);
    rf_status status = rf_change_delete(world, handle, rf_hash(id, world->hash_seed));
    if (status != RF_OK) fail(a, status);
}

static void get_deletes(applier *a) {
    int64_t last = -1;
    uint32_t handle;
    while (get_handle(a, &last, &handle)) {
        if (a->commit) {
            remove_entity(a, handle);
        } else {
            if (!alive(a->world, handle)) fail(a, RF_INVALID_FRAME);
            if (reading(a)) add_handle(a, &a->deleted, handle);
        }
    }
}

// An id may be taken over only from an entity that this frame deletes; that is checked after all creates are read
// (owners).
static void check_id(applier *a, rf_str id, uint64_t start) {
    uint32_t owner;
    rf_status status = rf_key_set_add(&a->ids, id);
    if (status == RF_DUPLICATE_KEY) fail_at(a, start, RF_INVALID_FRAME);
    if (status == RF_NO_MEMORY) fail(a, RF_NO_MEMORY);
    owner = rf_world_lookup(a->world, id, rf_hash(id, a->world->hash_seed));
    // Creates can also replace the owner, so this is checked later.
    if (reading(a) && owner != RF_NO_HANDLE && !listed(&a->deleted, owner)) add_handle(a, &a->owners, owner);
}

static void get_whole(applier *a, uint32_t handle, masks *known) {
    uint64_t start = a->in.at, mask;
    rf_str id = get_name(a, a->commit ? &a->arena : &a->id_arena);
    rf_world *world = a->world;
    bool others;
    if (reading(a) && (id.len == 0 || id.len > RF_NAME_MAX)) fail_at(a, start, RF_INVALID_FRAME);
    mask = get_mask(a, known);
    others = rf_wire_get(&a->in, 1);
    get_values(a, mask, 0, handle, false);
    if (others) get_others(a, NULL, false);
    if (!reading(a)) return;
    if (a->commit) {
        rf_status status = RF_INVALID_FRAME;
        if (rf_world_lookup(world, id, rf_hash(id, world->hash_seed)) == RF_NO_HANDLE)
            status = rf_change_create_at(world, handle, id, rf_hash(id, world->hash_seed), a->assigns, a->assign_count);
        if (status != RF_OK) fail(a, status);
    } else {
        check_id(a, id, start);
        if (listed(&a->deleted, handle)) fail_at(a, start, RF_INVALID_FRAME);
        if (reading(a)) add_handle(a, &a->created, handle);
    }
}

static void get_wholes(applier *a) {
    masks known = {0};
    int64_t last = -1;
    uint32_t handle;
    while (get_handle(a, &last, &handle)) {
        next_entity(a);
        get_whole(a, handle, &known);
    }
    for (size_t i = 0; i < a->owners.count && reading(a); i++)
        if (!listed(&a->created, a->owners.items[i])) fail(a, RF_INVALID_FRAME);
}

static uint64_t get_removed(applier *a, uint64_t mask) {
    uint64_t removed = 0;
    for (uint32_t i = 0; i < a->schema->count; i++)
        if (mask >> i & 1) removed |= (uint64_t)rf_wire_get(&a->in, 1) << i;
    return removed;
}

static void get_change(applier *a, uint32_t handle, masks *known) {
    uint64_t mask = get_mask(a, known), removed = 0;
    uint32_t flags = rf_wire_get(&a->in, 1) ? rf_wire_get(&a->in, 2) : 0;
    if (flags & 1) removed = get_removed(a, mask);
    get_values(a, mask, removed, handle, true);
    if (flags & 2) get_others(a, rf_world_slot(a->world, handle)->others, true);
    if (reading(a) && a->commit) {
        rf_status status = rf_change_update(a->world, handle, a->assigns, a->assign_count);
        if (status != RF_OK) fail(a, status);
    }
}

static void get_changes(applier *a) {
    masks known = {0};
    int64_t last = -1;
    uint32_t handle;
    while (get_handle(a, &last, &handle)) {
        next_entity(a);
        if (!alive(a->world, handle) || (!a->commit && (listed(&a->deleted, handle) || listed(&a->created, handle)))) {
            fail(a, RF_INVALID_FRAME);
            return;
        }
        get_change(a, handle, &known);
    }
}

// Checks that the stream of bits ends with this byte.
static void get_end(applier *a) {
    unsigned left = (unsigned)(7 & (0 - a->in.at));
    if (reading(a) && rf_wire_get(&a->in, left) != 0) fail(a, RF_INVALID_FRAME);
    if (reading(a) && a->in.at != a->in.size) fail(a, RF_INVALID_FRAME);
}

// ---- the frames -------------------------------------------------------------------------------------

static void start(applier *a, rf_world *world, rf_str frame) {
    rf_allocator allocator = world->mem.allocator;
    *a = (applier){.world = world, .schema = world->schema, .in = rf_wire_read(frame)};
    rf_arena_init(&a->arena, allocator);
    rf_arena_init(&a->id_arena, allocator);
    rf_key_set_init(&a->ids, allocator, world->hash_seed);
    rf_key_set_push(&a->ids);
}

static rf_status end(applier *a, rf_error *error) {
    rf_allocator allocator = a->arena.allocator;
    rf_free(allocator, a->deleted.items);
    rf_free(allocator, a->created.items);
    rf_free(allocator, a->owners.items);
    rf_free(allocator, a->assigns);
    rf_key_set_free(&a->ids);
    rf_arena_free(&a->id_arena);
    rf_arena_free(&a->arena);
    return a->in.status == RF_OK ? RF_OK : rf_wire_error(&a->in, error);
}

static void get_head(rf_wire_in *in, rf_wire_frame kind) {
    uint8_t head = rf_wire_get_u8(in);
    if (in->status != RF_OK || head == RF_WIRE_HEAD(kind)) return;
    in->at = 0;
    rf_wire_fail(in, RF_UNKNOWN_VERSION);
}

static uint64_t get_seq(rf_wire_in *in) {
    uint64_t start_at = in->at, seq = rf_wire_get_varint(in);
    if (in->status == RF_OK && seq > RF_SEQ_MAX) {
        in->at = start_at;
        rf_wire_fail(in, RF_INVALID_FRAME);
    }
    return seq;
}

rf_status rf_packed_start(rf_allocator allocator, rf_str frame, uint64_t *seq, rf_schema **schema, rf_error *error) {
    rf_wire_in in = rf_wire_read(frame), part;
    rf_str bytes;
    *schema = NULL;
    get_head(&in, RF_WIRE_SNAPSHOT);
    *seq = get_seq(&in);
    bytes = rf_wire_get_bytes(&in);
    if (in.status != RF_OK) return rf_wire_error(&in, error);
    part = rf_wire_read(bytes);
    if (rf_schema_unpack(allocator, &part, schema) == RF_OK) return RF_OK;
    part.error_at += (uint64_t)(bytes.data - frame.data);
    return rf_wire_error(&part, error);
}

// Checks the seq and schema before the entities against the world's.
static void get_start(applier *a) {
    uint64_t seq = get_seq(&a->in);
    rf_str schema;
    if (reading(a) && (seq != a->world->seq || a->world->handles != 0)) fail(a, RF_SEQ_MISMATCH);
    schema = rf_wire_get_bytes(&a->in);
    if (reading(a) && !rf_str_eq(schema, (rf_str){(const char *)a->schema->packed, a->schema->packed_len}))
        fail(a, RF_SCHEMA_MISMATCH);
}

// Loads into a copy, which replaces the world at the end.
rf_status rf_load_packed(rf_world *world, rf_str frame, rf_error *error) {
    applier a;
    rf_world *copy = NULL;
    start(&a, world, frame);
    get_head(&a.in, RF_WIRE_SNAPSHOT);
    get_start(&a);
    if (reading(&a) && rf_world_copy(world, &copy) != RF_OK) fail(&a, RF_NO_MEMORY);
    if (reading(&a)) {
        a.world = copy;
        a.commit = copy->mirror = true;
        get_wholes(&a);
        get_end(&a);
    }
    if (reading(&a)) {
        rf_world empty = *world;
        *world = *copy;
        *copy = empty;
    }
    rf_world_free(copy);
    return end(&a, error);
}

static void get_lists(applier *a) {
    get_deletes(a);
    for (size_t i = 0; a->commit && reading(a) && i < a->created.count; i++)
        if (alive(a->world, a->created.items[i])) remove_entity(a, a->created.items[i]);
    get_wholes(a);
    get_changes(a);
    get_end(a);
}

rf_status rf_apply_packed(rf_world *world, rf_str frame, rf_error *error) {
    applier a;
    uint64_t seq, back, body;
    start(&a, world, frame);
    get_head(&a.in, RF_WIRE_DIFF);
    seq = get_seq(&a.in);
    back = get_seq(&a.in);
    if (reading(&a) && (back > seq || seq - back != world->seq))
        fail(&a, back > seq ? RF_INVALID_FRAME : RF_SEQ_MISMATCH);
    if (rf_wire_get_u8(&a.in) != a.schema->tag) fail(&a, RF_SCHEMA_MISMATCH);
    body = a.in.at;
    get_lists(&a);
    if (reading(&a) && back == 0 && a.listed > 0) {
        a.in.at = body;
        fail(&a, RF_INVALID_FRAME);
    }
    if (reading(&a) && back > 0) {
        a.in.at = body;
        a.commit = world->mirror = true;
        rf_world_advance(world, seq);
        get_lists(&a);
    }
    return end(&a, error);
}
