#include "inspection.h"
#include "random_seed.h"

void inspection_start(inspection *in) {
    *in = (inspection){0};
    in->names.seed = in->producers.seed = in->kinds.seed = random_seed();
    timeline_start(&in->time);
}

void inspection_free(inspection *in) {
    tally_free(&in->names);
    tally_free(&in->producers);
    tally_free(&in->kinds);
}

rf_status inspection_add(inspection *in, const facts *of, uint64_t seq, uint32_t entities) {
    bool named = of->readable && of->name.state == FACT_THERE;
    in->events++;
    in->last_seq = seq;
    if (in->events == 1) in->first_seq = seq;
    if (entities > in->peak) in->peak = entities;
    if (of->form != FACTS_OTHER)
        in->several++;
    else if (!named)
        in->unreadable++;
    else if (!tally_add(&in->names, (rf_str){of->name.text, of->name.len}))
        return RF_NO_MEMORY;
    if (of->by.state == FACT_THERE && !tally_add(&in->producers, (rf_str){of->by.text, of->by.len}))
        return RF_NO_MEMORY;
    timeline_add(&in->time, of->at.state == FACT_THERE ? of->at.number : -1, entities);
    return RF_OK;
}

rf_status inspection_end(inspection *in, const rf_world *world) {
    rf_entity entity = {0};
    in->entities = rf_world_count(world);
    while (rf_world_next(world, &entity)) {
        rf_str kind = rf_world_kind(world, entity, (rf_str){0});
        if (kind.len > 0 && !tally_add(&in->kinds, kind)) return RF_NO_MEMORY;
    }
    tally_sort(&in->names);
    tally_sort(&in->producers);
    tally_sort(&in->kinds);
    return RF_OK;
}

// ---- JSON ---------------------------------------------------------------------------------------

static void number(output *out, const char *key, uint64_t value) {
    output_format(out, "\"%s\":%llu,", key, (unsigned long long)value);
}

static void counts(output *out, const char *key, const tally *of) {
    output_format(out, "\"%s\":{", key);
    for (size_t i = 0; i < of->count; i++) {
        if (i > 0) output_text(out, ",");
        output_string(out, (rf_str){of->entries[i].text, of->entries[i].len});
        output_format(out, ":%llu", (unsigned long long)of->entries[i].count);
    }
    output_format(out, "},\"%s_not_listed\":%llu,", key, (unsigned long long)of->others);
}

void inspection_json(output *out, const inspection *in, const rf_report *report) {
    const timeline *time = &in->time;
    output_text(out, "{");
    number(out, "events", in->events);
    number(out, "several_entities", in->several);
    number(out, "unreadable", in->unreadable);
    number(out, "first_seq", in->first_seq);
    number(out, "seq", in->last_seq);
    number(out, "folded", report->folded);
    number(out, "orphaned", report->orphaned);
    number(out, "stale", report->stale);
    number(out, "gaps", report->gaps);
    number(out, "rejected", report->rejected_count);
    number(out, "entities", in->entities);
    number(out, "peak_entities", in->peak);
    counts(out, "names", &in->names);
    counts(out, "producers", &in->producers);
    counts(out, "kinds", &in->kinds);
    number(out, "untimed", time->untimed);
    number(out, "earlier", time->earlier);
    number(out, "peak_per_second", time->peak);
    if (time->start >= 0) output_format(out, "\"first_at\":%.0f,\"last_at\":%.0f,", time->start, time->end);
    output_format(out, "\"slice_ms\":%.0f,\"slices\":[", time->width);
    for (size_t i = 0; i < time->count; i++)
        output_format(out, "%s{\"at\":%.0f,\"events\":%llu,\"entities\":%u}", i > 0 ? "," : "",
                      time->start + (double)i * time->width, (unsigned long long)time->slices[i].events,
                      time->slices[i].entities);
    output_text(out, "]}\n");
}
