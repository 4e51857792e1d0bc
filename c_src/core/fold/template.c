#include "template.h"

#define LEARN_EVERY 4 // unmatched events per new template, once all templates are in use

void rf_template_mark_value(rf_templates *templates, const rf_template_mark *mark, bool simple) {
    if (!simple || templates->mark_count == RF_TEMPLATE_VALUES || mark->target > INT16_MAX) templates->marking = false;
    if (templates->marking) templates->marks[templates->mark_count++] = *mark;
}

static rf_template *place_for_one_more(rf_templates *templates) {
    rf_template *oldest = &templates->templates[0];
    if (templates->count < RF_TEMPLATES) {
        templates->order[templates->count] = (uint8_t)templates->count;
        return &templates->templates[templates->count++];
    }
    if (++templates->missed % LEARN_EVERY != 0) return NULL;
    for (uint32_t i = 1; i < RF_TEMPLATES; i++)
        if (templates->clock - templates->templates[i].used > templates->clock - oldest->used)
            oldest = &templates->templates[i];
    return oldest;
}

static size_t literals_len(const rf_templates *templates, rf_str text) {
    size_t len = text.len;
    for (uint32_t i = 0; i < templates->mark_count; i++)
        len -= (size_t)(templates->marks[i].end - templates->marks[i].start);
    return len;
}

// Appends text; returns its offset.
static uint16_t append(rf_template *template, uint16_t *at, const char *from, const char *to) {
    uint16_t start = *at;
    memcpy(template->text + start, from, (size_t)(to - from));
    *at = (uint16_t)(start + (to - from));
    return start;
}

static bool numbers_role(rf_template_value *value, int column) {
    if (column < 0 || value->numbers == 0) return false;
    value->role = RF_PLAIN_NUMBERS;
    value->column = (uint8_t)column;
    return true;
}

// False: the value needs a draft.
static bool find_role(const rf_template *template, rf_template_value *value) {
    const rf_rule_field *field;
    if (value->component) return numbers_role(value, value->target);
    if (value->target < RF_TARGET_FIELD) {
        value->role = value->target == RF_TARGET_ID    ? RF_PLAIN_ID
                      : value->target == RF_TARGET_SEQ ? RF_PLAIN_SEQ
                                                       : RF_PLAIN_NOTHING;
        return true;
    }
    field = &template->rule->fields[value->target - RF_TARGET_FIELD];
    if (field->use == RF_USE_NUMBERS) return numbers_role(value, field->column);
    value->role = RF_PLAIN_ID;
    return field->use == RF_USE_ID;
}

static bool find_op(rf_template *template) {
    switch (template->kind) {
    case RF_EVENT_CREATE:
        template->op = RF_ENTITY_CREATE;
        return template->has_components;
    case RF_EVENT_UPDATE:
        template->op = RF_ENTITY_UPDATE;
        return template->has_components;
    case RF_EVENT_DELETE:
        template->op = RF_ENTITY_DELETE;
        return true;
    case RF_EVENT_DOMAIN:
        break;
    }
    template->op = RF_ENTITY_UPDATE;
    return template->rule && template->rule->sets_numbers;
}

// Whether events of this template only create, update or delete one entity, with nothing but numbers.
static bool is_plain(rf_template *template) {
    uint32_t ids = 0;
    if (!find_op(template)) return false;
    for (uint32_t i = 0; i < template->count; i++) {
        if (!find_role(template, &template->values[i])) return false;
        ids += template->values[i].role == RF_PLAIN_ID;
    }
    return ids == 1;
}

void rf_template_learn(rf_templates *templates, rf_str text, rf_event_kind kind, const rf_rule *rule,
                       bool has_components) {
    const char *before = text.data, *end = text.data + text.len;
    rf_template *template;
    uint16_t at = 0;
    if (!templates->marking || text.len > UINT16_MAX || literals_len(templates, text) > RF_TEMPLATE_TEXT) return;
    template = place_for_one_more(templates);
    if (!template) return;
    template->kind = kind;
    template->rule = rule;
    template->has_components = has_components;
    template->used = templates->clock;
    template->count = (uint8_t)templates->mark_count;
    for (uint32_t i = 0; i < templates->mark_count; i++) {
        const rf_template_mark *mark = &templates->marks[i];
        rf_template_value *value = &template->values[i];
        *value = (rf_template_value){
            .component = mark->component, .numbers = (uint8_t)mark->numbers, .target = (int16_t)mark->target};
        value->literal_len = (uint16_t)(mark->start - before);
        value->literal_at = append(template, &at, before, mark->start);
        if (mark->component && mark->target < 0) {
            value->name_at = (uint16_t)(value->literal_at + (mark->name.data - before));
            value->name_len = (uint16_t)mark->name.len;
        }
        before = mark->end;
    }
    template->tail_len = (uint16_t)(end - before);
    template->tail_at = append(template, &at, before, end);
    memset(template->text + at, 0, 8);
    template->plain = is_plain(template);
}
