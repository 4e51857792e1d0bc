// wire_events_plain.c: folds the most frequent events of frames straight into the columns: updates of numbers that
// existing entities already have, creates with numbers only, and deletes, each under the next seq. Other events are
// left to wire_events.c, which gives the same result.
#include "world/tight_cell.h"
#include "wire_events.h"

// Only on little-endian machines, like frames.
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FAST true
#else
#define FAST false
#endif

#if defined(__GNUC__)
#define ALWAYS static inline __attribute__((always_inline))
#define PREFETCH(address) __builtin_prefetch(address, 1)
#else
#define ALWAYS static inline
#define PREFETCH(address) ((void)(address))
#endif

#define PREFETCH_FROM 4096 // entities; smaller worlds are in the cache anyway
#define PREFETCH_EVENTS 6  // events ahead

// ---- finding entities -------------------------------------------------------------------------------

static bool is_current(const rf_world *world, uint32_t handle, uint32_t generation) {
    return (rf_world_page(world, handle)->alive >> (handle % RF_PAGE_SIZE) & 1) &&
           rf_world_slot(world, handle)->generation == generation;
}

static rf_str text_of(const uint8_t *frame, const rf_packed_text *text) {
    return (rf_str){(const char *)frame + text->at, text->len};
}

static void remember(const rf_world *world, rf_packed_text *text, uint32_t handle) {
    text->handle1 = handle == RF_NO_HANDLE ? 0 : handle + 1;
    if (handle != RF_NO_HANDLE) text->generation = rf_world_slot(world, handle)->generation;
}

// Looks up a text only once, as long as its entity lives.
static uint32_t find_text(const rf_world *world, rf_packed_text *text, const uint8_t *frame) {
    uint32_t handle;
    rf_str id;
    if (text->handle1 != 0 && is_current(world, text->handle1 - 1, text->generation)) return text->handle1 - 1;
    id = text_of(frame, text);
    handle = rf_world_lookup(world, id, rf_hash(id, world->hash_seed));
    remember(world, text, handle);
    return handle;
}

uint32_t rf_packed_find(const rf_world *world, rf_packed_state *state, const uint8_t *frame, uint64_t entity) {
    if (entity < state->text_count) return find_text(world, &state->texts[entity], frame);
    entity -= state->text_count;
    if (entity >= world->handles || !rf_world_handle_alive(world, (uint32_t)entity)) return RF_NO_HANDLE;
    return rf_world_slot(world, (uint32_t)entity)->since < state->since ? (uint32_t)entity : RF_NO_HANDLE;
}

// ---- updates ----------------------------------------------------------------------------------------

// Consecutive events that are being folded: what the loops below need frequently.
typedef struct run {
    rf_fold *fold;
    rf_world *world;
    rf_packed_state *state;
    const uint8_t *frame, *at, *end;
    uint64_t seq;
    uint32_t revision;
    size_t done, most;
} run;

static bool store_any(rf_column *column, uint32_t handle, uint8_t *cell, const uint8_t *value, uint32_t revision) {
    uint8_t *to = cell + column->value_offset;
    if (memcmp(to, value, column->value_size) == 0) return false;
    rf_column_remember(column, handle, cell, revision);
    rf_cell_set_stamp(cell, revision);
    memcpy(to, value, column->value_size);
    return true;
}

// The columns of a plan; valid until something is added to them.
typedef struct places {
    rf_column_page *const *pages[RF_PLAN_PARTS];
    uint32_t stride[RF_PLAN_PARTS];
    uint32_t capacity;    // of all of them
    rf_value_log logs[2]; // of tight cells of quantised components: copies, which the loop updates
} places;

ALWAYS void add_place(places *to, uint32_t i, rf_column *column) {
    if (column->capacity < to->capacity) to->capacity = column->capacity;
    to->pages[i] = column->pages;
    to->stride[i] = column->stride;
}

// size is a compile-time constant.
ALWAYS void add_tight_place(places *to, uint32_t i, rf_column *column, uint32_t size, bool logged) {
    add_place(to, i, column);
    to->stride[i] = 4 + size + (logged ? 4 : 0);
    if (!logged) return;
    to->logs[i] = column->log;
    to->logs[i].entry_size = (uint32_t)sizeof(rf_old_value) + size;
}

ALWAYS places places_of(const rf_packed_plan *plan, rf_plan_shape shape, bool logged) {
    places out;
    out.capacity = UINT32_MAX;
    if (shape == RF_PLAN_ANY)
        for (uint32_t i = 0; i < plan->count; i++) add_place(&out, i, plan->columns[i]);
    else
        add_tight_place(&out, 0, plan->columns[0], shape == RF_PLAN_16 ? 16 : 12, logged);
    if (shape == RF_PLAN_12_16) add_tight_place(&out, 1, plan->columns[1], 16, logged);
    return out;
}

// False: the entity does not have this component.
ALWAYS bool find_cell(const places *in, uint32_t i, uint32_t handle, uint8_t **cells) {
    uint32_t place = handle % RF_PAGE_SIZE;
    rf_column_page *values = in->pages[i][handle / RF_PAGE_SIZE];
    if (!values || !(values->present >> place & 1)) return false;
    cells[i] = (uint8_t *)values->cells + place * in->stride[i];
    return true;
}

// Finds the cells of all components of a plan. False: the entity lacks one, or does not exist.
ALWAYS bool find_cells(const places *in, rf_plan_shape shape, uint32_t count, uint32_t handle, uint8_t **cells) {
    if (handle / RF_PAGE_SIZE >= in->capacity) return false;
    if (shape == RF_PLAN_ANY) {
        for (uint32_t i = 0; i < count; i++)
            if (!find_cell(in, i, handle, cells)) return false;
        return true;
    }
    return find_cell(in, 0, handle, cells) && (count < 2 || find_cell(in, 1, handle, cells));
}

// Stores all values of an update; returns whether any bit has changed.
ALWAYS bool store_all(const rf_packed_plan *plan, rf_plan_shape shape, rf_value_log *one, rf_value_log *two,
                      uint32_t handle, uint8_t **cells, const uint8_t *values, uint32_t revision) {
    bool changed = false;
    switch (shape) {
    case RF_PLAN_12:
        return rf_tight_store(cells[0], 12, rf_tight_load(values, 12), revision, one, handle);
    case RF_PLAN_16:
        return rf_tight_store(cells[0], 16, rf_tight_load(values, 16), revision, one, handle);
    case RF_PLAN_12_16:
        changed = rf_tight_store(cells[0], 12, rf_tight_load(values, 12), revision, one, handle);
        return rf_tight_store(cells[1], 16, rf_tight_load(values + 12, 16), revision, two, handle) | changed;
    case RF_PLAN_ANY:
        break;
    }
    for (uint32_t i = 0; i < plan->count; i++) {
        changed |= store_any(plan->columns[i], handle, cells[i], values, revision);
        values += plan->columns[i]->value_size;
    }
    return changed;
}

// Prefetches the entity of an event further ahead, guessing that all events until then have the same size. A wrong
// guess is harmless.
ALWAYS void prefetch(const rf_world *world, const places *in, rf_plan_shape shape, uint32_t count, const uint8_t *ahead,
                     uint32_t text_count) {
    uint8_t *cells[RF_PLAN_PARTS];
    uint32_t entity;
    if (*ahead != RF_WIRE_OP_UPDATE || !rf_packed_small(ahead + 1, &entity)) return;
    entity -= text_count; // for a text this becomes too large
    if (entity >= world->handles || !find_cells(in, shape, count, entity, cells)) return;
    PREFETCH(&world->pages[entity / RF_PAGE_SIZE]->changed_at[entity % RF_PAGE_SIZE]);
    for (uint32_t i = 0; i < count; i++) PREFETCH(cells[i]);
}

// Folds consecutive updates with the plan's mask. shape and logged are compile-time constants.
ALWAYS void updates(run *r, rf_plan_shape shape, bool logged) {
    const rf_packed_plan *plan = &r->state->plan;
    const uint32_t mask = plan->mask;
    const uint32_t count = shape == RF_PLAN_ANY ? plan->count : shape == RF_PLAN_12_16 ? 2 : 1;
    const uint32_t size = shape == RF_PLAN_ANY     ? plan->size
                          : shape == RF_PLAN_12_16 ? 28
                          : shape == RF_PLAN_16    ? 16
                                                   : 12;
    places in = places_of(plan, shape, logged);
    rf_value_log *const one = logged ? &in.logs[0] : NULL, *const two = logged ? &in.logs[1] : NULL;
    rf_world *world = r->world;
    rf_slot_page *const *pages = world->pages;
    uint64_t seq = r->seq;
    const uint64_t text_count = r->state->text_count;
    const uint32_t since = r->state->since;
    const uint8_t *at = r->at, *const end = r->end;
    uint32_t revision = r->revision;
    const bool far = world->count >= PREFETCH_FROM && text_count < UINT32_MAX / 2;
    size_t left = r->most - r->done;
    for (; left > 0 && end - at >= RF_PLAIN_HEAD && *at == RF_WIRE_OP_UPDATE; left--) {
        uint32_t entity, handle, place;
        const uint8_t *next = rf_packed_small(at + 1, &entity), *ahead;
        uint8_t *cells[RF_PLAN_PARTS];
        rf_slot_page *page;
        if (!next || *next != mask) break;
        next++;
        if (entity >= text_count) {
            handle = entity - (uint32_t)text_count;
            place = handle % RF_PAGE_SIZE;
            if (!find_cells(&in, shape, count, handle, cells)) break;
            page = pages[handle / RF_PAGE_SIZE]; // it exists, because the entity has components
            if (page->created >= since && page->slots[place].since >= since) break;
        } else {
            handle = find_text(world, &r->state->texts[entity], r->frame);
            if (handle == RF_NO_HANDLE) break;
            place = handle % RF_PAGE_SIZE;
            page = pages[handle / RF_PAGE_SIZE];
            if (!find_cells(&in, shape, count, handle, cells)) break;
        }
        revision++;
        seq++;
        if (store_all(plan, shape, one, two, handle, cells, next, revision)) rf_slot_page_touch(page, place, revision);
        next += size;
        ahead = next + (next - at) * (PREFETCH_EVENTS - 1);
        at = next;
        if (far && end - ahead >= RF_PLAIN_HEAD) prefetch(world, &in, shape, count, ahead, (uint32_t)text_count);
    }
    r->done = r->most - left;
    r->at = at;
    r->seq = seq;
    r->revision = revision;
    if (one) plan->columns[0]->log.written = one->written;
    if (two && count == 2) plan->columns[1]->log.written = two->written;
}

// The variants of `updates`, one for each shape.
#define VARIANT(name, shape, logged)                                                                                   \
    static void name(run *r) {                                                                                         \
        updates(r, shape, logged);                                                                                     \
    }
VARIANT(updates_any, RF_PLAN_ANY, false)
VARIANT(updates_12, RF_PLAN_12, false)
VARIANT(updates_16, RF_PLAN_16, false)
VARIANT(updates_12_16, RF_PLAN_12_16, false)
VARIANT(updates_logged_12, RF_PLAN_12, true)
VARIANT(updates_logged_16, RF_PLAN_16, true)
VARIANT(updates_logged_12_16, RF_PLAN_12_16, true)
#undef VARIANT

// ---- creates and deletes ----------------------------------------------------------------------------

static void advance(run *r) {
    r->revision++;
    r->seq++;
    r->world->history.revision = r->revision;
    r->world->seq = r->seq;
}

// False: it is another kind of event; nothing has been done.
static bool create(run *r, const uint8_t *at, uint32_t entity, rf_status *status) {
    rf_world *world = r->world;
    rf_packed_plan *plan = &r->state->plan;
    rf_assign assigns[RF_PLAN_PARTS];
    rf_packed_text *text;
    uint32_t handle;
    uint64_t hash;
    rf_str id;
    if (entity >= r->state->text_count || *at >= 0x80) return false;
    if (*at != plan->mask) *plan = rf_packed_plan_of(world, *at);
    text = &r->state->texts[entity];
    id = text_of(r->frame, text);
    if (!plan->fast || id.len == 0 || id.len > RF_NAME_MAX) return false;
    if ((size_t)(r->end - at) < 1 + (size_t)plan->size) return false;
    hash = rf_hash(id, world->hash_seed);
    handle = rf_world_lookup(world, id, hash);
    if (handle == RF_NO_HANDLE && world->count >= world->max_entities) return false;
    at++;
    for (uint32_t i = 0; i < plan->count; i++) {
        rf_column *column = plan->columns[i];
        assigns[i] = (rf_assign){.column = (int)(column - world->columns),
                                 .name = column->def.name,
                                 .image = {(const char *)at, column->value_size}};
        at += column->value_size;
    }
    advance(r);
    if (handle == RF_NO_HANDLE) {
        handle = rf_change_free_handle(world);
        *status = rf_change_create_at(world, handle, id, hash, assigns, plan->count);
    } else {
        *status = rf_change_create(world, handle, id, hash, assigns, plan->count);
    }
    if (*status == RF_OK) remember(world, text, handle);
    r->at = at;
    return true;
}

static void remove_entity(run *r, const uint8_t *at, uint32_t entity, rf_status *status) {
    rf_world *world = r->world;
    uint32_t handle = rf_packed_find(world, r->state, r->frame, entity);
    advance(r);
    if (handle == RF_NO_HANDLE) {
        r->fold->report->orphaned++;
    } else {
        rf_str id = rf_entity_id_str(&rf_world_slot(world, handle)->id);
        *status = rf_change_delete(world, handle, rf_hash(id, world->hash_seed));
    }
    r->at = at;
}

// Folds a create or delete. False: it is another event, or it needs a draft.
static bool create_or_delete(run *r, rf_status *status) {
    const uint8_t *at = r->at;
    uint32_t entity;
    if (r->end - at < RF_PLAIN_HEAD) return false;
    if (*at == RF_WIRE_OP_CREATE) {
        at = rf_packed_small(at + 1, &entity);
        return at && create(r, at, entity, status);
    }
    if (*at != RF_WIRE_OP_DELETE) return false;
    at = rf_packed_small(at + 1, &entity);
    // A text may be an invalid id.
    if (!at || (entity < r->state->text_count &&
                (r->state->texts[entity].len == 0 || r->state->texts[entity].len > RF_NAME_MAX)))
        return false;
    remove_entity(r, at, entity, status);
    return true;
}

// ---- all --------------------------------------------------------------------------------------------

// Folds consecutive updates with one mask. False: the next event is not such an update.
static bool run_updates(run *r) {
    static void (*const variants[2][4])(run *) = {
        {updates_any, updates_12, updates_16, updates_12_16},
        {updates_any, updates_logged_12, updates_logged_16, updates_logged_12_16}};
    rf_packed_plan *plan = &r->state->plan;
    size_t before = r->done;
    uint32_t entity;
    const uint8_t *next;
    if (r->end - r->at < RF_PLAIN_HEAD || *r->at != RF_WIRE_OP_UPDATE) return false;
    next = rf_packed_small(r->at + 1, &entity);
    if (!next || *next >= 0x80) return false;
    if (*next != plan->mask) *plan = rf_packed_plan_of(r->world, *next);
    if (!plan->fast) return false;
    variants[plan->logged][plan->shape](r);
    r->world->seq = r->seq;
    r->world->history.revision = r->revision;
    return r->done > before;
}

rf_status rf_packed_plain(rf_fold *fold, rf_packed_batch *batch, rf_wire_in *in, size_t most, size_t *done) {
    rf_world *world = fold->world;
    rf_history *history = &world->history;
    // When revisions run out, an event takes the slow path, which renumbers them.
    const uint32_t revisions = history->revision < UINT32_MAX - 2 ? UINT32_MAX - 2 - history->revision : 0;
    run r = {.fold = fold,
             .world = world,
             .state = fold->packed,
             .frame = in->data,
             .at = rf_wire_here(in),
             .end = in->data + in->size / 8,
             .seq = world->seq,
             .revision = history->revision,
             .most = most};
    rf_status status = RF_OK;
    if (!FAST || (batch->seq != 0 && batch->seq != world->seq + 1)) return RF_OK;
    if (r.most > revisions) r.most = revisions;
    if (r.most > RF_SEQ_MAX - world->seq) r.most = (size_t)(RF_SEQ_MAX - world->seq);
    while (r.done < r.most && status == RF_OK) {
        if (run_updates(&r)) continue;
        if (!create_or_delete(&r, &status)) break;
        if (status == RF_OK) r.done++;
    }
    if (batch->seq != 0) batch->seq += r.done;
    in->at = (uint64_t)(r.at - in->data) * 8;
    fold->report->folded += r.done;
    fold->index += r.done;
    *done = r.done;
    return status;
}
