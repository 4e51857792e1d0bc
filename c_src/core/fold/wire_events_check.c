// wire_events_check.c: checks a complete frame of events before anything of it is folded.
#include "schema/schema_state.h"
#include "world/tight_cell.h"
#include "wire_events.h"
#include "world/world_state.h"

typedef struct checker {
    rf_wire_in *in;
    const rf_world *world;
    const rf_schema *schema;
    rf_packed_state *state;
    rf_key_set keys;
    rf_packed_plan plan;
    uint64_t seq; // of the next event; 0: none
    bool plain;
} checker;

static bool fail(checker *c) {
    return rf_wire_fail(c->in, RF_INVALID_FRAME);
}

static bool reading(const checker *c) {
    return c->in->status == RF_OK;
}

static rf_plan_shape shape_of(const rf_packed_plan *plan) {
    for (uint32_t i = 0; i < plan->count; i++)
        if ((rf_column_log(plan->columns[i]) != NULL) != plan->logged) return RF_PLAN_ANY;
    if (plan->count == 1 && plan->columns[0]->tight == 12) return RF_PLAN_12;
    if (plan->count == 1 && plan->columns[0]->tight == 16) return RF_PLAN_16;
    if (plan->count == 2 && plan->columns[0]->tight == 12 && plan->columns[1]->tight == 16) return RF_PLAN_12_16;
    return RF_PLAN_ANY;
}

rf_packed_plan rf_packed_plan_of(const rf_world *world, uint32_t mask) {
    rf_packed_plan plan = {.mask = mask, .fast = mask != 0, .small = true};
    // A mask of one byte covers the first seven components.
    const uint32_t named = world->column_count < 7 ? world->column_count : 7;
    for (uint32_t i = 0; i < named && plan.fast; i++) {
        const rf_column *column = &world->columns[i];
        if (!(mask >> i & 1)) continue;
        plan.fast = plan.count < RF_PLAN_PARTS && column->def.type <= RF_TYPE_F64;
        if (!plan.fast) break;
        plan.columns[plan.count++] = (rf_column *)(uintptr_t)column;
        plan.size += column->value_size;
        plan.small &= column->def.type == RF_TYPE_F32;
    }
    if (mask >> named != 0) plan.fast = false;
    plan.small &= plan.size >= 8;
    plan.logged = plan.count > 0 && rf_column_log(plan.columns[0]) != NULL;
    if (plan.fast) plan.shape = shape_of(&plan);
    return plan;
}

static bool all_finite(const rf_component_def *def, const uint8_t *value) {
    uint32_t wrong = 0;
    if (def->type == RF_TYPE_F32) {
        for (unsigned i = 0; i < def->count; i++) wrong |= (rf_load32(value + i * 4u) & 0x7f800000) == 0x7f800000;
    } else {
        for (unsigned i = 0; i < def->count; i++) wrong |= (rf_load32(value + i * 8u + 4) & 0x7ff00000) == 0x7ff00000;
    }
    return wrong == 0;
}

// The same for binary32, at least two of them, two at a time.
static inline bool finite_numbers(const uint8_t *at, size_t size) {
    uint64_t infinite = rf_tight_infinite(rf_load64(at + size - 8));
    for (size_t i = 0; i + 8 < size; i += 8) infinite |= rf_tight_infinite(rf_load64(at + i));
    return infinite == 0;
}

// ---- texts ------------------------------------------------------------------------------------------

static bool check_texts(checker *c, rf_allocator allocator) {
    rf_packed_state *state = c->state;
    uint64_t count = rf_wire_get_varint(c->in);
    // Each item has at least one byte.
    if (reading(c) && count > (c->in->size - c->in->at) / 8) fail(c);
    if (!reading(c)) return false;
    state->texts = rf_alloc(allocator, (size_t)(count + 1) * sizeof *state->texts);
    if (!state->texts) return rf_wire_fail(c->in, RF_NO_MEMORY);
    for (uint64_t i = 0; i < count; i++) {
        rf_str text = rf_wire_get_text(c->in);
        if (!reading(c)) return false;
        state->texts[i] =
            (rf_packed_text){.at = (uint32_t)((const uint8_t *)text.data - c->in->data), .len = (uint32_t)text.len};
    }
    state->text_count = count;
    return true;
}

static rf_packed_text *get_text(checker *c) {
    uint64_t number = rf_wire_get_varint(c->in);
    if (reading(c) && number < c->state->text_count) return &c->state->texts[number];
    fail(c);
    return NULL;
}

// Keys ascend by text number, so no number repeats. That their texts differ is checked when a text is first used as a
// key.
static rf_packed_text *get_key(checker *c, const rf_packed_text *last) {
    rf_packed_text *text = get_text(c);
    rf_status status;
    if (!text) return NULL;
    if (last && text <= last) fail(c);
    if (!reading(c) || text->key) return text;
    status = rf_key_set_add(&c->keys, (rf_str){(const char *)c->in->data + text->at, text->len});
    if (status != RF_OK) rf_wire_fail(c->in, status == RF_NO_MEMORY ? status : RF_INVALID_FRAME);
    text->key = true;
    return text;
}

static void check_field_value(checker *c) {
    if (!rf_wire_has(c->in, 8)) return;
    if (*rf_wire_here(c->in) != RF_WIRE_TAG_TEXT) {
        rf_wire_get_term(c->in);
        return;
    }
    c->in->at += 8;
    get_text(c);
}

// Whether a key has its own encoding in entity events.
static bool reserved(const checker *c, const rf_packed_text *key) {
    rf_str text = {(const char *)c->in->data + key->at, key->len};
    return rf_str_eq(text, RF_LIT("entity_id")) || rf_str_eq(text, RF_LIT("components")) ||
           rf_str_eq(text, RF_LIT("seq"));
}

static void check_fields(checker *c, bool of_entity) {
    const rf_packed_text *last = NULL;
    uint64_t count = rf_wire_get_varint(c->in);
    if (of_entity && count == 0) fail(c);
    for (uint64_t i = 0; i < count && reading(c); i++) {
        last = get_key(c, last);
        if (last && of_entity && reserved(c, last)) fail(c);
        if (last) check_field_value(c);
    }
}

// ---- components -------------------------------------------------------------------------------------

static void check_value(checker *c, const rf_component_def *def) {
    uint64_t size = (def->type == RF_TYPE_F32 ? 4u : 8u) * (uint64_t)def->count;
    switch (def->type) {
    case RF_TYPE_F32:
    case RF_TYPE_F64:
        if (!rf_wire_has(c->in, size * 8)) return;
        if (!all_finite(def, rf_wire_here(c->in)))
            fail(c);
        else
            c->in->at += size * 8;
        break;
    case RF_TYPE_I64:
        rf_wire_get_varint(c->in);
        break;
    case RF_TYPE_BOOL:
        if (rf_wire_get_u8(c->in) > 1) fail(c);
        break;
    case RF_TYPE_STRING:
        rf_wire_get_text(c->in);
        break;
    case RF_TYPE_TERM:
        rf_wire_get_term(c->in);
        break;
    }
}

static void check_undeclared(checker *c, uint64_t mask) {
    const rf_packed_text *last = NULL;
    uint64_t count = rf_wire_get_varint(c->in);
    if (count == 0) fail(c);
    for (uint64_t i = 0; i < count && reading(c); i++) {
        int column;
        last = get_key(c, last);
        if (!last) return;
        column = rf_schema_lookup(c->schema, (rf_str){(const char *)c->in->data + last->at, last->len});
        if (column >= 0 && (mask >> column & 1)) fail(c);
        if (reading(c)) check_field_value(c);
    }
}

static uint64_t check_mask(checker *c) {
    uint64_t mask = rf_wire_get_varint(c->in);
    if (c->schema->count < 64 && mask >> c->schema->count != 0) fail(c);
    for (uint32_t i = 0; i < c->schema->count && reading(c); i++)
        if (mask >> i & 1) check_value(c, &c->schema->defs[i]);
    return mask;
}

// ---- events -----------------------------------------------------------------------------------------

static void check_entity(checker *c, uint8_t tag) {
    uint64_t entity = rf_wire_get_varint(c->in), mask = 0;
    if (entity >= c->state->text_count) c->state->handles = true;
    if (entity > UINT32_MAX) fail(c);
    if ((tag & 3) != RF_WIRE_OP_DELETE) mask = check_mask(c);
    if (tag & RF_WIRE_TAG_OTHERS) check_undeclared(c, mask);
    if (tag & RF_WIRE_TAG_FIELDS) check_fields(c, true);
}

static void check_seq(checker *c, uint8_t tag) {
    unsigned kind = tag >> 2 & 3;
    if (kind == RF_WIRE_SEQ_GIVEN) {
        c->seq = rf_wire_get_varint(c->in);
        if (c->seq == 0) fail(c);
    } else if (kind == RF_WIRE_SEQ_NONE) {
        c->seq = 0;
    } else if (kind != RF_WIRE_SEQ_NEXT) {
        fail(c);
    }
    if (c->seq > RF_SEQ_MAX) fail(c);
    if (c->seq > 0) c->seq++;
}

static void check_event(checker *c) {
    uint64_t start = c->in->at;
    uint8_t tag = rf_wire_get_u8(c->in), kind = tag & 3;
    uint8_t may = kind == RF_WIRE_OP_NAMED    ? 0
                  : kind == RF_WIRE_OP_DELETE ? RF_WIRE_TAG_FIELDS
                                              : RF_WIRE_TAG_OTHERS | RF_WIRE_TAG_FIELDS;
    if (reading(c) && (tag & 0xf0 & ~may) != 0) {
        c->in->at = start;
        fail(c);
    }
    if (reading(c) && c->plain && (kind == RF_WIRE_OP_NAMED || (tag >> 2 & 3) == RF_WIRE_SEQ_GIVEN)) {
        c->in->at = start;
        rf_wire_fail(c->in, kind == RF_WIRE_OP_NAMED ? RF_NOT_SUPPORTED : RF_RESERVED_FIELD);
    }
    check_seq(c, tag);
    if (!reading(c)) return;
    if (kind == RF_WIRE_OP_NAMED) {
        get_text(c);
        if (reading(c)) check_fields(c, false);
    } else {
        check_entity(c, tag);
    }
}

static bool finite_parts(const rf_packed_plan *plan, const uint8_t *at) {
    for (uint32_t i = 0; i < plan->count; i++) {
        if (!all_finite(&plan->columns[i]->def, at)) return false;
        at += plan->columns[i]->value_size;
    }
    return true;
}

// How far ahead a frame is prefetched. It has just arrived from a client or a file, and is in no cache.
#define PREFETCH_BYTES 2048

// Checks consecutive creates and updates with the plan's mask, and deletes; finds whether one uses a handle. size: that
// of a plan of binary32 if it is a compile-time constant; 0: any plan.
static inline const uint8_t *plain_events(const checker *c, const uint8_t *at, size_t size, uint64_t *left,
                                          bool *handles) {
    const rf_packed_plan *plan = &c->plan;
    const uint32_t mask = plan->mask;
    const size_t bytes = size > 0 ? size : plan->size;
    const uint8_t *end = c->in->data + c->in->size / 8;
    uint64_t text_count = c->state->text_count, most = *left;
    bool found = false;
    // An event that starts this far before the end is complete.
    for (; most > 0 && (size_t)(end - at) >= RF_PLAIN_HEAD + bytes && *at <= RF_WIRE_OP_DELETE; most--) {
        uint32_t entity;
        const uint8_t *next = rf_packed_small(at + 1, &entity);
        if (!next) break;
        __builtin_prefetch((const void *)((uintptr_t)at + PREFETCH_BYTES));
        if (*at != RF_WIRE_OP_DELETE) {
            if (*next++ != mask) break;
            if (!(plan->small ? finite_numbers(next, bytes) : finite_parts(plan, next))) break;
            next += bytes;
        }
        found |= entity >= text_count;
        at = next;
    }
    *left = most;
    *handles |= found;
    return at;
}

// Makes a plan for the next event; false if there can be none.
static bool plan_next(checker *c, const uint8_t *at) {
    uint32_t entity;
    const uint8_t *next = rf_packed_small(at + 1, &entity);
    if (!next) return false;
    if (*at != RF_WIRE_OP_DELETE) {
        if (*next >= 0x80) return false;
        if (*next != c->plan.mask) c->plan = rf_packed_plan_of(c->world, *next);
    }
    return c->plan.fast;
}

// Checks consecutive creates and updates with numbers only, and deletes; returns how many. Stops at anything else,
// including an error, and shortly before the end.
static uint64_t check_plain_events(checker *c, uint64_t most) {
    const uint8_t *at = rf_wire_here(c->in), *end = c->in->data + c->in->size / 8, *start;
    uint64_t left = most, until = RF_SEQ_MAX - c->seq;
    if (c->seq > RF_SEQ_MAX) return 0;
    if (c->seq > 0 && left > until) left = most = until;
    do {
        start = at;
        if (end - at < RF_PLAIN_HEAD || *at > RF_WIRE_OP_DELETE || !plan_next(c, at)) break;
        at = c->plan.small && c->plan.size == 28 ? plain_events(c, at, 28, &left, &c->state->handles)
                                                 : plain_events(c, at, 0, &left, &c->state->handles);
    } while (at != start);
    if (c->seq > 0) c->seq += most - left;
    c->in->at = (uint64_t)(at - c->in->data) * 8;
    return most - left;
}

static void check_known(checker *c, uint64_t known) {
    const rf_world *world = c->world;
    if (!reading(c) || !c->state->handles) return;
    c->in->at = 8;
    if (known > world->seq)
        rf_wire_fail(c->in, RF_SEQ_AHEAD);
    else if (!rf_world_remembers_handles(world, known))
        rf_wire_fail(c->in, RF_HISTORY_GONE);
    else
        c->state->since = rf_history_after(&world->history, known);
}

static void check_frame(checker *c, rf_packed_batch *batch, rf_allocator allocator) {
    uint64_t start;
    uint8_t head = rf_wire_get_u8(c->in);
    if (reading(c) && head != RF_WIRE_HEAD(RF_WIRE_EVENTS)) {
        c->in->at = 0;
        rf_wire_fail(c->in, RF_UNKNOWN_VERSION);
    }
    if (c->in->size / 8 > UINT32_MAX) rf_wire_fail(c->in, RF_TOO_LARGE);
    batch->known = rf_wire_get_varint(c->in);
    batch->seq = c->seq = rf_wire_get_varint(c->in);
    if (batch->known > RF_SEQ_MAX || batch->seq > RF_SEQ_MAX) fail(c);
    if (c->plain && batch->seq > 0) rf_wire_fail(c->in, RF_RESERVED_FIELD);
    if (rf_wire_get_u8(c->in) != c->schema->tag) rf_wire_fail(c->in, RF_SCHEMA_MISMATCH);
    if (!reading(c) || !check_texts(c, allocator)) return;
    batch->events = rf_wire_get_varint(c->in);
    start = c->in->at;
    for (uint64_t i = 0; i < batch->events && reading(c); i++) {
        i += check_plain_events(c, batch->events - i);
        if (i < batch->events) check_event(c);
    }
    if (reading(c) && c->in->at != c->in->size) fail(c);
    check_known(c, batch->known);
    c->in->at = reading(c) ? start : c->in->at;
    batch->at = (size_t)(start / 8);
}

bool rf_packed_check(rf_wire_in *in, const rf_world *world, rf_packed_batch *batch, rf_packed_state *state,
                     rf_allocator allocator) {
    checker c = {.in = in, .world = world, .schema = world->schema, .state = state, .plain = batch->plain};
    rf_key_set_init(&c.keys, allocator, world->hash_seed);
    rf_key_set_push(&c.keys);
    check_frame(&c, batch, allocator);
    rf_key_set_free(&c.keys);
    return in->status == RF_OK;
}
