#include "offence.h"

#include "changes.h"
#include "facts.h"
#include "output.h"
#include "printable.h"

#include <stdio.h>
#include <string.h>

static void set_about(offence *out, rf_str about) {
    out->about_len = printable(about, out->about, RF_NAME_MAX);
}

// What values of a type are, for a person; NULL: any.
static const char *takes(const rf_component_def *def) {
    switch (def->type) {
    case RF_TYPE_F32:
    case RF_TYPE_F64:
        return "a number";
    case RF_TYPE_I64:
        return "an integer";
    case RF_TYPE_BOOL:
        return "true or false";
    case RF_TYPE_STRING:
        return "a string";
    case RF_TYPE_TERM:
        break;
    }
    return NULL;
}

// Behind the component's name.
static void add_type(offence *out, const rf_schema *schema, rf_str component) {
    int index = rf_schema_find(schema, component);
    const rf_component_def *def = index >= 0 ? rf_schema_at(schema, (size_t)index) : NULL;
    char *at = out->about + out->about_len;
    size_t room = sizeof out->about - out->about_len;
    if (def && def->count > 1)
        out->about_len += (size_t)snprintf(at, room, " takes a list of %u numbers", def->count);
    else if (def && takes(def))
        out->about_len += (size_t)snprintf(at, room, " takes %s", takes(def));
}

// What an object without a name did wrong is only in its shape, which the core does not describe.
static bool find_in_shape(rf_str text, offence *out) {
    changes line = {0};
    bool found = !changes_read(&line, text);
    if (found) {
        out->at = line.error_at;
        out->what = line.error;
        set_about(out, (rf_str){line.about, line.about_len});
    }
    changes_free(&line);
    return found;
}

// The core reports a component or a field, whose value is looked up.
static size_t find_value(const rf_rejection *entry, rf_str text, const facts *of) {
    rf_str about = {entry->about, entry->about_len};
    if (about.len > 0 && entry->status != RF_UNKNOWN_EVENT) return facts_find(text, about);
    switch (entry->status) {
    case RF_INVALID_COMPONENTS:
    case RF_INVALID_COMPONENT_NAME:
        return facts_find(text, (rf_str){"components", 10});
    case RF_INVALID_SEQ:
        return of->seq.offset;
    default:
        return of->name.offset;
    }
}

// ---- several entities ---------------------------------------------------------------------------

// Whether a world of this schema rejects the value, for this reason.
static bool rejects(rf_fold *fold, rf_report *report, const change *of, rf_status reason) {
    rf_json_batch batch = {0};
    output event;
    bool found = false;
    output_keep(&event);
    output_text(&event, "{\"event\":\"create\",\"entity_id\":\"x\",\"components\":{");
    output_string(&event, of->name);
    output_text(&event, ":");
    output_bytes(&event, of->value);
    output_text(&event, "}}");
    batch.text = (rf_str){event.data, event.len};
    if (!event.error && rf_fold_json(fold, &batch, 1) == RF_OK)
        for (uint32_t i = 0; i < report->rejected_len && !found; i++) found = report->rejected[i].status == reason;
    rf_report_free(report);
    output_free(&event);
    return found;
}

// The core says which component, but not of which entity.
static bool find_rejected(const changes *line, rf_world *world, const rf_rejection *entry, offence *out) {
    rf_report report;
    rf_fold *fold;
    bool found = false;
    rf_report_init(&report, rf_allocator_default());
    if (rf_fold_new(world, &report, &fold) != RF_OK) return false;
    for (size_t i = 0; i < line->set.count && !found; i++) {
        const change *of = &line->set.items[i];
        if (!of->value.data || json_slices_compare(of->name, (rf_str){entry->about, entry->about_len}) != 0) continue;
        found = rejects(fold, &report, of, entry->status);
        if (found) out->at = (size_t)(of->value.data - line->line.data);
    }
    rf_fold_free(fold);
    return found;
}

static bool find_in_entities(const rf_rejection *entry, rf_str text, rf_schema *schema, offence *out) {
    rf_world_def def = rf_world_def_default();
    rf_world *world = NULL;
    changes line = {0};
    bool found;
    def.schema = schema;
    found = entry->about_len > 0 && changes_read(&line, text) && rf_world_new(&def, &world) == RF_OK &&
            find_rejected(&line, world, entry, out);
    rf_world_free(world);
    changes_free(&line);
    return found;
}

static bool in_shape(const rf_rejection *entry) {
    switch (entry->status) {
    case RF_INVALID_NAME:
    case RF_INVALID_ID:
    case RF_INVALID_SNAPSHOT:
    case RF_INVALID_COMPONENT_NAME:
        return true;
    default:
        return false;
    }
}

void offence_of(const rf_rejection *entry, rf_str text, size_t start, rf_schema *schema, offence *out) {
    facts of;
    bool found = false;
    *out = (offence){.what = rf_status_message(entry->status)};
    set_about(out, (rf_str){entry->about, entry->about_len});
    if (entry->status == RF_WRONG_TYPE) add_type(out, schema, (rf_str){entry->about, entry->about_len});
    if (entry->offset != RF_NOWHERE) {
        if (entry->offset > start) out->at = (size_t)entry->offset - start;
        return;
    }
    if (facts_read(text, &of) != RF_OK) return;
    if (of.name.offset == 0)
        found = in_shape(entry) ? find_in_shape(text, out) : find_in_entities(entry, text, schema, out);
    if (!found) out->at = find_value(entry, text, &of);
}

void offence_of_error(const rf_error *error, size_t at, offence *out) {
    *out = (offence){.at = at, .what = rf_status_message(error->status)};
    set_about(out, (rf_str){error->about, strlen(error->about)});
}
