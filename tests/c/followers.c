#include "followers.h"
#include "random_stream.h"

#include <stdlib.h>
#include <string.h>

#define MUST(all, condition)                                                                                           \
    REQUIRE_MSG(condition, "%s, seq %llu: %s", (all)->about, (unsigned long long)rf_world_seq((all)->sender),          \
                #condition)

// ---- frames -----------------------------------------------------------------------------------------

static rf_str packed_frame(const followers *all, bool diff, uint64_t from, rf_status *status) {
    uint8_t *bytes = NULL;
    size_t len = 0;
    *status = rf_encode_packed(all->sender, diff, from, 0, rf_allocator_default(), &bytes, &len);
    return (rf_str){(char *)bytes, len};
}

static rf_str json_frame(const followers *all, bool diff, uint64_t from) {
    rf_encode_def def = {.diff = diff, .from = from};
    char *text = NULL;
    size_t len = 0;
    MUST(all, rf_encode_json(all->sender, &def, rf_allocator_default(), &text, &len) == RF_OK);
    return (rf_str){text, len};
}

static void drop(rf_str frame) {
    free((char *)(uintptr_t)frame.data);
}

static rf_world *loaded(const followers *all, rf_str frame) {
    rf_world_def def = rf_world_def_default();
    rf_world *world;
    MUST(all, rf_packed_start(rf_allocator_default(), frame, &def.seq, &def.schema, NULL) == RF_OK);
    MUST(all, rf_world_new(&def, &world) == RF_OK);
    MUST(all, rf_load_packed(world, frame, NULL) == RF_OK);
    rf_schema_release(def.schema);
    return world;
}

static json_t *parsed(const followers *all, rf_str text) {
    json_t *out = json_loadb(text.data, text.len, JSON_ALLOW_NUL, NULL);
    MUST(all, out);
    return out;
}

// ---- the same ---------------------------------------------------------------------------------------

static bool same_text(rf_str a, rf_str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static bool same_component(const rf_component *a, const rf_component *b) {
    if (!same_text(a->name, b->name) || a->index != b->index || a->type != b->type || a->count != b->count)
        return false;
    switch (a->type) {
    case RF_TYPE_F32:
        return memcmp(a->as.f32, b->as.f32, a->count * sizeof *a->as.f32) == 0;
    case RF_TYPE_F64:
        return memcmp(a->as.f64, b->as.f64, a->count * sizeof *a->as.f64) == 0;
    case RF_TYPE_I64:
        return a->as.i64 == b->as.i64;
    case RF_TYPE_BOOL:
        return a->as.boolean == b->as.boolean;
    case RF_TYPE_STRING:
        return same_text(a->as.string, b->as.string);
    case RF_TYPE_TERM:
        break;
    }
    return same_text(a->as.term, b->as.term);
}

// To the bit, handles included.
static bool same_world(const rf_world *a, const rf_world *b) {
    rf_entity i = {0}, j = {0};
    if (rf_world_seq(a) != rf_world_seq(b) || rf_world_count(a) != rf_world_count(b)) return false;
    while (rf_world_next(a, &i)) {
        rf_component_iter left, right;
        rf_component x, y;
        if (!rf_world_next(b, &j) || i.handle1 != j.handle1) return false;
        if (!same_text(rf_world_id(a, i), rf_world_id(b, j))) return false;
        left = rf_world_components(a, i);
        right = rf_world_components(b, j);
        while (rf_component_next(&left, &x))
            if (!rf_component_next(&right, &y) || !same_component(&x, &y)) return false;
        if (rf_component_next(&right, &y)) return false;
    }
    return true;
}

// ---- what others read -------------------------------------------------------------------------------

static void write_json(json_t *json, FILE *out) {
    json_dumpf(json, out, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
    json_decref(json);
}

static void write_frame(const followers *all, size_t to, rf_str packed, rf_str json) {
    if (!all->out) return;
    fprintf(all->out, "{\"to\":%zu,\"packed\":\"", to);
    for (size_t i = 0; i < packed.len; i++) fprintf(all->out, "%02x", (unsigned char)packed.data[i]);
    fputs("\",\"json\":", all->out);
    write_json(json_stringn(json.data, json.len), all->out);
    fputs("}\n", all->out);
}

static void write_expected(const followers *all, size_t to, const rf_world *expected, rf_str whole) {
    if (!all->out) return;
    fprintf(all->out, "{\"of\":%zu,\"seq\":%llu,\"entities\":", to, (unsigned long long)rf_world_seq(expected));
    write_json(world_json(expected), all->out);
    fputs(",\"whole\":", all->out);
    write_json(json_stringn(whole.data, whole.len), all->out);
    fputs("}\n", all->out);
}

// ---- following --------------------------------------------------------------------------------------

// Made when somebody needs it.
typedef struct step {
    rf_str packed, json; // snapshots of the sender
    rf_world *expected;  // what the packed one gives
    json_t *whole;       // and the other's entities
} step;

static void need(const followers *all, step *now) {
    rf_status status;
    json_t *snapshot;
    if (now->expected) return;
    now->packed = packed_frame(all, false, 0, &status);
    MUST(all, status == RF_OK);
    now->json = json_frame(all, false, 0);
    now->expected = loaded(all, now->packed);
    snapshot = parsed(all, now->json);
    now->whole = json_incref(json_object_get(snapshot, "entities"));
    json_decref(snapshot);
    if (all->lossless) MUST(all, same_world(now->expected, all->sender));
}

static void join(const followers *all, follower *it, size_t number, step *now) {
    need(all, now);
    rf_world_free(it->world);
    json_decref(it->json);
    it->world = loaded(all, now->packed);
    it->json = json_deep_copy(now->whole);
    write_frame(all, number, now->packed, now->json);
}

static void look(const followers *all, const follower *it, size_t number, step *now) {
    need(all, now);
    MUST(all, same_world(it->world, now->expected));
    if (all->lossless) MUST(all, same_world(it->world, all->sender));
    MUST(all, json_equal(it->json, now->whole));
    write_expected(all, number, now->expected, now->json);
}

// What it lacks: a diff, or everything where the sender does not remember so far back.
static void catch_up(const followers *all, follower *it, size_t number, step *now) {
    uint64_t from = rf_world_seq(it->world), seq = rf_world_seq(all->sender);
    rf_status status;
    rf_str packed = packed_frame(all, true, from, &status), json;
    json_t *diff;
    MUST(all, status == (seq - from > all->history ? RF_HISTORY_GONE : RF_OK));
    if (status != RF_OK) {
        join(all, it, number, now);
        return;
    }
    MUST(all, rf_apply_packed(it->world, packed, NULL) == RF_OK);
    json = json_frame(all, true, from);
    diff = parsed(all, json);
    apply_json(it->json, diff);
    json_decref(diff);
    write_frame(all, number, packed, json);
    drop(packed);
    drop(json);
}

void followers_step(followers *all, bool last) {
    step now = {0};
    for (size_t i = 0; i < FOLLOWERS; i++) {
        follower *it = &all->all[i];
        unsigned what = random_below(all->state, 8 + (unsigned)i * 8); // the later ones come seldom
        if (!last && what >= 8) continue;
        if (!it->world || (what == 0 && all->rejoins && !last))
            join(all, it, i, &now);
        else
            catch_up(all, it, i, &now);
        if (last || random_below(all->state, all->look) == 0) look(all, it, i, &now);
    }
    json_decref(now.whole);
    rf_world_free(now.expected);
    drop(now.packed);
    drop(now.json);
}

void followers_free(followers *all) {
    for (size_t i = 0; i < FOLLOWERS; i++) {
        rf_world_free(all->all[i].world);
        json_decref(all->all[i].json);
        all->all[i] = (follower){0};
    }
}
