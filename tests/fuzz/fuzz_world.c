// fuzz_world.c: bytes as what happens to a world and to what follows it. Entities come, change and go, one by one or by
// the page; a follower is kept up to date by diffs, starts again from a snapshot, or takes over; a scene has targets
// for the entities. What was kept up to date must be equal to what starts anew.
#include "fold_text.h"
#include "read_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define IDS 130 // two pages of entities, and two more
#define SHOTS 4
#define INPUT 160 // bytes: more is not looked at, so that no time goes into changing it

static const char schema_text[] = "{\"format\":\"roomfold-schema\",\"version\":1,\"components\":["
                                  "{\"name\":\"position\",\"type\":\"f32\",\"count\":3},"
                                  "{\"name\":\"rotation\",\"type\":\"f32\",\"count\":4},"
                                  "{\"name\":\"health\",\"type\":\"f64\"},{\"name\":\"name\",\"type\":\"string\"}]}";

typedef struct input {
    const uint8_t *at, *end;
} input;

static unsigned next(input *in) {
    return in->at < in->end ? *in->at++ : 0;
}

// A JSON list of events.
typedef struct events {
    char text[1 << 17];
    size_t len;
} events;

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
say(events *to, const char *format, ...) {
    va_list arguments;
    int len;
    va_start(arguments, format);
    len = vsnprintf(to->text + to->len, sizeof to->text - to->len, format, arguments);
    va_end(arguments);
    if (len < 0 || (size_t)len >= sizeof to->text - to->len) abort();
    to->len += (size_t)len;
}

static rf_world *new_world(rf_schema *schema, uint64_t seq) {
    rf_world_def def = rf_world_def_default();
    rf_world *world;
    def.schema = schema;
    def.seq = seq;
    def.history = 32;
    if (rf_world_new(&def, &world) != RF_OK) abort();
    return world;
}

// ---- events -----------------------------------------------------------------------------------------

static void create(events *to, unsigned id, unsigned how) {
    say(to, "%s{\"event\":\"create\",\"entity_id\":\"e%u\",\"components\":{", to->len > 1 ? "," : "", id);
    if (how & 1) say(to, "\"position\":[%u,%u,1],", id % 20, how % 7);
    if (how & 2) say(to, "\"collider\":{\"shape\":\"%s\",\"radius\":1,\"height\":2},", how & 4 ? "box" : "capsule");
    if (how & 8) say(to, "\"rotation\":[0,0.6,0,0.8],\"note\":[%u],", how);
    say(to, "\"health\":%u}}", how);
}

static void change(events *to, unsigned id, unsigned how) {
    say(to, "%s{\"event\":\"update\",\"entity_id\":\"e%u\",\"components\":{", to->len > 1 ? "," : "", id);
    switch (how % 4) {
    case 0:
        say(to, "\"position\":[%u.5,%u,1]}}", how % 20, how % 5);
        break;
    case 1:
        say(to, "\"name\":\"%u\",\"note\":null,\"more\":{\"a\":%u}}}", how, how);
        break;
    case 2:
        say(to, "\"collider\":null,\"state\":\"%s\"}}", how & 8 ? "dead" : "well");
        break;
    default:
        say(to, "\"collider\":{\"shape\":\"sphere\",\"radius\":%u}}}", how % 5);
    }
}

static void end(events *to, unsigned id) {
    say(to, "%s{\"event\":\"delete\",\"entity_id\":\"e%u\"}", to->len > 1 ? "," : "", id);
}

// Of one entity, or of up to 69 in a row.
static void happen(rf_world *world, unsigned op, input *in) {
    static events list;
    unsigned first = next(in), how = next(in), count = op & 8 ? next(in) % 70 : 1;
    list.len = 0;
    say(&list, "[");
    for (unsigned i = 0; i < count; i++) {
        unsigned id = (first + i) % IDS;
        if (op % 3 == 0)
            create(&list, id, how + i);
        else if (op % 3 == 1)
            change(&list, id, how + i);
        else
            end(&list, id);
    }
    say(&list, "]");
    if (fold_text(world, (rf_str){list.text, list.len}, 64) > 0) abort();
}

// ---- followers --------------------------------------------------------------------------------------

// In one of the three forms: all of them each time would take most of a run.
static void same_text(const rf_world *a, const rf_world *b, unsigned form) {
    rf_encode_def def = {.by = (rf_by)(RF_BY_ENTITY + form % 3)};
    char *of_a, *of_b;
    size_t len_a, len_b;
    if (rf_encode_json(a, &def, rf_allocator_default(), &of_a, &len_a) != RF_OK) abort();
    if (rf_encode_json(b, &def, rf_allocator_default(), &of_b, &len_b) != RF_OK) abort();
    if (len_a != len_b || memcmp(of_a, of_b, len_a) != 0) abort();
    free(of_a);
    free(of_b);
}

static rf_world *loaded(const rf_world *leader) {
    uint8_t *frame;
    size_t len;
    uint64_t seq;
    rf_schema *schema;
    rf_world *world;
    if (rf_encode_packed(leader, false, 0, 0, rf_allocator_default(), &frame, &len) != RF_OK) abort();
    if (rf_packed_start(rf_allocator_default(), (rf_str){(char *)frame, len}, &seq, &schema, NULL) != RF_OK) abort();
    world = new_world(schema, seq);
    if (rf_load_packed(world, (rf_str){(char *)frame, len}, NULL) != RF_OK) abort();
    rf_schema_release(schema);
    free(frame);
    return world;
}

// By a diff, if the leader remembers that far back. Returns the follower.
static rf_world *catch_up(const rf_world *leader, rf_world *follower) {
    uint8_t *frame;
    size_t len;
    rf_status status = rf_encode_packed(leader, true, rf_world_seq(follower), 0, rf_allocator_default(), &frame, &len);
    if (status == RF_OK) {
        if (rf_apply_packed(follower, (rf_str){(char *)frame, len}, NULL) != RF_OK) abort();
        free(frame);
    } else {
        if (status != RF_HISTORY_GONE) abort();
        rf_world_free(follower);
        follower = loaded(leader);
    }
    return follower;
}

// ---- scenes -----------------------------------------------------------------------------------------

static rf_scene *new_scene(void) {
    rf_space_def def = rf_space_def_default();
    rf_space *space;
    rf_scene *scene;
    if (rf_space_new(&def, &space) != RF_OK || rf_scene_new(rf_allocator_default(), space, &scene) != RF_OK) abort();
    return scene;
}

static void cast(rf_scene *scene, rf_answer *answers, rf_hits *hits) {
    rf_shot shots[SHOTS];
    for (unsigned i = 0; i < SHOTS; i++)
        shots[i] = (rf_shot){
            .kind = RF_SHOT_ALL, .origin = {-1, i, 1}, .direction = {1, 0, 0}, .range = 30, .moment = {RF_NOW, 0}};
    *hits = rf_hits_new(rf_allocator_default(), 10000);
    if (rf_cast(rf_scene_space(scene), shots, SHOTS, answers, hits) != RF_OK) abort();
}

// A scene that followed all along says what one says that has only just seen the world.
static void same_hits(rf_scene *scene, const rf_world *world, double now) {
    rf_scene *fresh = new_scene();
    rf_answer old[SHOTS], new[SHOTS];
    rf_hits old_hits, new_hits;
    if (rf_scene_mark(scene, world, now) != RF_OK || rf_scene_mark(fresh, world, now) != RF_OK) abort();
    cast(scene, old, &old_hits);
    cast(fresh, new, &new_hits);
    if (old_hits.len != new_hits.len) abort();
    for (size_t i = 0; i < SHOTS; i++)
        if (old[i].status != RF_OK || new[i].status != RF_OK || old[i].count != new[i].count) abort();
    for (size_t i = 0; i < old_hits.len; i++) {
        const rf_hit *a = &old_hits.items[i], *b = &new_hits.items[i];
        if (a->number != b->number || a->t != b->t || a->id.len != b->id.len ||
            memcmp(a->id.data, b->id.data, a->id.len) != 0)
            abort();
    }
    rf_hits_free(&old_hits);
    rf_hits_free(&new_hits);
    rf_scene_free(fresh);
}

// ---- all --------------------------------------------------------------------------------------------

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input in = {data, data + size};
    rf_schema *schema;
    rf_world *world, *follower, *other;
    rf_scene *scene;
    double now = 0;
    unsigned at_end = next(&in);
    if (size > INPUT) return 0;
    scene = new_scene();
    if (rf_schema_from_json(rf_allocator_default(), (rf_str){schema_text, sizeof schema_text - 1}, &schema, NULL) !=
        RF_OK)
        abort();
    world = new_world(schema, 0);
    follower = loaded(world);
    while (in.at < in.end) {
        unsigned op = next(&in) % 32;
        if (op < 24) {
            happen(world, op, &in);
            continue;
        }
        switch (op) {
        case 24: // the follower starts again
            rf_world_free(follower);
            follower = loaded(world);
            same_text(world, follower, next(&in));
            break;
        case 25: // it takes over
            follower = catch_up(world, follower);
            other = world;
            world = follower;
            follower = other;
            rf_scene_free(scene);
            scene = new_scene();
            break;
        case 26:
            if (rf_world_copy(world, &other) != RF_OK) abort();
            same_text(world, other, next(&in));
            rf_world_free(other);
            break;
        case 27:
            read_world(next(&in) % 2 ? world : follower);
            break;
        case 28:
        case 29:
            same_hits(scene, world, ++now);
            break;
        default:
            follower = catch_up(world, follower);
            same_text(world, follower, next(&in));
        }
    }
    same_hits(scene, world, ++now);
    follower = catch_up(world, follower);
    same_text(world, follower, at_end);
    if (at_end % 8 == 0) read_world(follower);
    rf_scene_free(scene);
    rf_world_free(follower);
    rf_world_free(world);
    rf_schema_release(schema);
    return 0;
}
