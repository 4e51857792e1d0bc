// admit.c: tries events out on a world without changing it, and writes them as records.
#include <roomfold/admit.h>

#include "admit_state.h"
#include "draft.h"
#include "base/error.h"
#include "event_json.h"
#include "json/json_term.h"
#include "report.h"
#include <roomfold/fold.h>
#include <roomfold/json.h>

rf_status rf_admission_new(rf_world *world, int64_t at, rf_admission **out) {
    rf_allocator allocator = world->mem.allocator;
    rf_admission *admission = rf_alloc(allocator, sizeof *admission);
    *out = NULL;
    if (!admission) return RF_NO_MEMORY;
    *admission = (rf_admission){.world = world, .allocator = allocator, .at = at, .seq = world->seq};
    rf_report_init(&admission->report, allocator);
    rf_buf_init(&admission->text, allocator);
    rf_arena_init(&admission->arena, allocator);
    if (rf_fold_new(world, &admission->report, &admission->fold) != RF_OK) {
        rf_admission_free(admission);
        return RF_NO_MEMORY;
    }
    admission->fold->admission = admission;
    *out = admission;
    return RF_OK;
}

void rf_admission_free(rf_admission *admission) {
    if (!admission) return;
    rf_fold_free(admission->fold);
    rf_report_free(&admission->report);
    rf_buf_free(&admission->text);
    rf_arena_free(&admission->arena);
    rf_free(admission->allocator, admission->created);
    rf_free(admission->allocator, admission->buckets);
    rf_free(admission->allocator, admission);
}

rf_str rf_admission_text(const rf_admission *admission) {
    return (rf_str){(const char *)admission->text.data, admission->text.len};
}

// ---- authorization ------------------------------------------------------------------------------

static void deny(rf_admission *admission, rf_status status, rf_str about) {
    if (admission->denied != RF_OK) return;
    admission->denied = status;
    admission->denied_about = about;
}

// Whether the next value is exactly this string.
static bool next_is(rf_admission *admission, rf_scan scan, rf_str expected) {
    rf_str value;
    rf_scan_space(&scan);
    if (scan.at >= scan.end || *scan.at != '"') return false;
    return rf_scan_string(&scan, &admission->fold->arena, &value) && rf_str_eq(value, expected);
}

void rf_admission_key(rf_admission *admission, const rf_scan *scan, rf_str key) {
    if (rf_str_eq(key, RF_LIT("seq")))
        deny(admission, RF_RESERVED_FIELD, RF_LIT("seq"));
    else if (rf_str_eq(key, RF_LIT("at")))
        deny(admission, RF_RESERVED_FIELD, RF_LIT("at"));
    else if (rf_str_eq(key, RF_LIT("by")))
        deny(admission, RF_RESERVED_FIELD, RF_LIT("by"));
    // Checked even if no rule reads it: a user must not speak for another user.
    else if (!admission->trusted && rf_str_eq(key, RF_LIT("user_id")) && !next_is(admission, *scan, admission->by))
        deny(admission, RF_NOT_OWNED, RF_LIT("user_id"));
}

static bool is_string(rf_str term, rf_str expected) {
    rf_term head;
    if (term.len == 0) return false;
    head = rf_term_head(term);
    return head.kind == RF_TERM_STRING && rf_str_eq(head.as.string, expected);
}

static bool owned_in_world(const rf_admission *admission, uint32_t handle) {
    rf_entity entity = rf_world_entity(admission->world, handle);
    rf_component owner;
    if (!rf_world_get(admission->world, entity, RF_LIT("owner"), &owner)) return false;
    if (owner.type == RF_TYPE_STRING) return rf_str_eq(owner.as.string, admission->by);
    return owner.type == RF_TYPE_TERM && is_string(owner.as.term, admission->by);
}

static uint32_t *bucket(const rf_admission *admission, uint64_t hash) {
    return &admission->buckets[hash & (admission->created_capacity - 1)];
}

// The newest of this id.
static const rf_created_entity *find_created(const rf_admission *admission, const rf_operation_target *target) {
    const rf_created_entity *created = admission->created;
    if (admission->created_count == 0) return NULL;
    for (uint32_t at = *bucket(admission, target->hash); at != 0; at = created[at - 1].older)
        if (rf_str_eq(created[at - 1].id, target->id)) return &created[at - 1];
    return NULL;
}

static void link_created(rf_admission *admission, uint32_t index) {
    rf_created_entity *created = &admission->created[index];
    uint32_t *newest = bucket(admission, created->hash);
    created->older = *newest;
    *newest = index + 1;
}

static bool grow_created(rf_admission *admission) {
    uint32_t capacity = admission->created_capacity ? admission->created_capacity * 4 : 64;
    rf_created_entity *created;
    uint32_t *buckets = rf_alloc_zero(admission->allocator, capacity * sizeof *buckets);
    if (!buckets) return false;
    created = admission->allocator.resize(admission->allocator.context, admission->created, capacity * sizeof *created);
    if (!created) {
        rf_free(admission->allocator, buckets);
        return false;
    }
    rf_free(admission->allocator, admission->buckets);
    admission->created = created;
    admission->buckets = buckets;
    admission->created_capacity = capacity;
    for (uint32_t i = 0; i < admission->created_count; i++) link_created(admission, i);
    return true;
}

static bool copy_string(rf_admission *admission, rf_str bytes, rf_str *out) {
    char *copy = rf_arena_alloc(&admission->arena, bytes.len + 1);
    if (!copy) return false;
    memcpy(copy, bytes.data, bytes.len);
    *out = (rf_str){copy, bytes.len};
    return true;
}

static bool add_created(rf_admission *admission, const rf_operation_target *target, rf_str owner) {
    rf_created_entity created = {.hash = target->hash};
    rf_term head = owner.len > 0 ? rf_term_head(owner) : (rf_term){.kind = RF_TERM_NULL};
    if (admission->created_count == admission->created_capacity && !grow_created(admission)) return false;
    if (!copy_string(admission, target->id, &created.id)) return false;
    if (head.kind == RF_TERM_STRING && !copy_string(admission, head.as.string, &created.owner)) return false;
    admission->created[admission->created_count] = created;
    link_created(admission, admission->created_count++);
    return true;
}

// Forgets all but the first `count`.
static void drop_created(rf_admission *admission, uint32_t count) {
    while (admission->created_count > count) {
        const rf_created_entity *created = &admission->created[--admission->created_count];
        *bucket(admission, created->hash) = created->older;
    }
}

static bool may_touch(const rf_admission *admission, const rf_operation_target *target, bool create, rf_str owner) {
    const rf_created_entity *created;
    if (admission->trusted || rf_str_eq(target->id, admission->by)) return true;
    created = find_created(admission, target);
    if (created) return rf_str_eq(created->owner, admission->by);
    if (target->handle != RF_NO_HANDLE) return owned_in_world(admission, target->handle);
    return create && is_string(owner, admission->by);
}

bool rf_admission_touch(rf_admission *admission, const rf_operation_target *target, bool create, rf_str owner) {
    if (!may_touch(admission, target, create, owner)) return false;
    if (create && !add_created(admission, target, owner)) admission->no_memory = true;
    return true;
}

// ---- one event ----------------------------------------------------------------------------------

static rf_status refuse(rf_error *error, rf_status status, uint64_t offset, rf_str about) {
    return rf_error_set(error, status, offset, about);
}

static bool may_send(const rf_admission *admission) {
    const rf_rule *rule = admission->fold->rule;
    return admission->trusted || !rule || rule->sender != RF_FROM_SYSTEM;
}

// Checks the drafted event: its name, then reserved fields, then the sender, then its contents.
static rf_status check_drafted(rf_admission *admission, rf_error *error) {
    rf_fold *fold = admission->fold;
    rf_status status;
    if (fold->no_memory || admission->no_memory) {
        fold->no_memory = admission->no_memory = false;
        return RF_NO_MEMORY;
    }
    if (fold->unusable != RF_OK) return refuse(error, fold->unusable, RF_NOWHERE, rf_draft_unusable_about(fold));
    if (fold->kind == RF_EVENT_DOMAIN && !fold->rule) return refuse(error, RF_UNKNOWN_EVENT, RF_NOWHERE, fold->name);
    if (admission->denied != RF_OK && admission->denied == RF_RESERVED_FIELD)
        return refuse(error, admission->denied, RF_NOWHERE, admission->denied_about);
    if (!may_send(admission)) return refuse(error, RF_NOT_ALLOWED, RF_NOWHERE, fold->name);
    if (admission->denied != RF_OK) return refuse(error, admission->denied, RF_NOWHERE, admission->denied_about);
    status = rf_fold_apply_usable(fold);
    if (admission->no_memory || status == RF_NO_MEMORY) {
        admission->no_memory = false;
        return RF_NO_MEMORY;
    }
    if (admission->report.rejected_count > 0) {
        const rf_rejection *first = admission->report.rejected;
        if (admission->report.rejected_len == 0) return RF_NO_MEMORY; // not even the first could be kept
        return refuse(error, first->status, first->offset, (rf_str){first->about, first->about_len});
    }
    return RF_OK;
}

// Checks a text; *object is its object without surrounding white space.
static rf_status check(rf_admission *admission, rf_str text, rf_str *object, rf_error *error) {
    rf_scan scan = rf_scan_start(text);
    const char *start;
    rf_fold *fold = admission->fold;
    rf_report_free(&admission->report);
    admission->denied = RF_OK;
    rf_key_set_reset(&fold->keys);
    rf_arena_reset(&fold->arena);
    rf_scan_space(&scan);
    start = scan.at;
    if (scan.at < scan.end && *scan.at == '[') return refuse(error, RF_NOT_AN_EVENT, RF_NOWHERE, (rf_str){0});
    if (scan.at == scan.end) {
        rf_scan_unexpected(&scan, scan.at);
    } else if (rf_event_json_read(fold, &scan)) {
        *object = (rf_str){start, (size_t)(scan.at - start)};
        rf_scan_space(&scan);
        if (scan.at < scan.end) rf_scan_unexpected(&scan, scan.at);
    }
    if (fold->no_memory || scan.status == RF_NO_MEMORY) {
        fold->no_memory = false;
        return RF_NO_MEMORY;
    }
    if (scan.status != RF_OK) return refuse(error, scan.status, (uint64_t)(scan.error_at - scan.begin), (rf_str){0});
    if (*start != '{') return refuse(error, RF_NOT_AN_EVENT, RF_NOWHERE, (rf_str){0});
    return check_drafted(admission, error);
}

// ---- records ------------------------------------------------------------------------------------

#define NUMBER_MAX 24

// Puts the object without its closing bracket, on one line: line breaks can only be between tokens, so they become
// spaces.
static void put_object(rf_buf *out, rf_str object) {
    size_t at = out->len;
    rf_buf_bytes(out, object.data, object.len - 1);
    if (out->failed || !(memchr(object.data, '\n', object.len) || memchr(object.data, '\r', object.len))) return;
    for (; at < out->len; at++)
        if (out->data[at] == '\n' || out->data[at] == '\r') out->data[at] = ' ';
}

static void put_int(rf_buf *out, int64_t value) {
    if (rf_buf_reserve(out, NUMBER_MAX)) out->len += rf_json_write_int((char *)out->data + out->len, value);
}

static void put_string(rf_buf *out, rf_str value) {
    if (rf_buf_reserve(out, value.len * 6 + 2)) out->len += rf_json_write_string((char *)out->data + out->len, value);
}

static void put_literal(rf_buf *out, rf_str literal) {
    rf_buf_bytes(out, literal.data, literal.len);
}

static void put_record(rf_admission *admission, rf_str object) {
    rf_buf *out = &admission->text;
    put_object(out, object);
    put_literal(out, RF_LIT(",\"seq\":"));
    put_int(out, (int64_t)++admission->seq);
    put_literal(out, RF_LIT(",\"at\":"));
    put_int(out, admission->at);
    put_literal(out, RF_LIT(",\"by\":"));
    put_string(out, admission->by);
    put_literal(out, RF_LIT("}\n"));
}

rf_status rf_admit(rf_admission *admission, const rf_item *item, uint64_t *first, rf_error *error, size_t *index) {
    size_t len = admission->text.len;
    uint64_t seq = admission->seq;
    uint32_t created = admission->created_count;
    rf_status status = RF_OK;
    admission->by = item->by;
    admission->trusted = item->trusted;
    *first = seq + 1;
    for (*index = 0; *index < item->count; ++*index) {
        rf_str object = {0};
        status = check(admission, item->texts[*index], &object, error);
        if (status == RF_OK && admission->seq == RF_SEQ_MAX)
            status = refuse(error, RF_INVALID_SEQ, RF_NOWHERE, (rf_str){0});
        if (status != RF_OK) break;
        put_record(admission, object);
        if (admission->text.failed) {
            admission->text.failed = false;
            status = RF_NO_MEMORY;
            break;
        }
    }
    if (status == RF_OK) return RF_OK;
    admission->text.len = len;
    admission->seq = seq;
    drop_created(admission, created);
    if (status == RF_NO_MEMORY) rf_error_set(error, status, RF_NOWHERE, (rf_str){0});
    return status;
}
