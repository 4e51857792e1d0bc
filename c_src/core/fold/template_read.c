// template_read.c: reads events that look like an earlier one, by its template (template.h).
#include "event_json.h"
#include "value_json.h"

// Compares eight bytes at a time, the last ones overlapping.
static inline bool same_text(const char *text, const char *literal, size_t len) {
    const uint8_t *a = (const uint8_t *)text, *b = (const uint8_t *)literal;
    uint64_t other = 0;
    if (len < 8) return memcmp(text, literal, len) == 0;
    for (size_t at = 0; at < len - 8; at += 8) other |= rf_load64(a + at) ^ rf_load64(b + at);
    return (other | (rf_load64(a + len - 8) ^ rf_load64(b + len - 8))) == 0;
}

static inline bool literal(rf_scan *scan, const rf_template *template, uint32_t at, uint32_t len) {
    if ((size_t)(scan->end - scan->at) < len || !same_text(scan->at, template->text + at, len)) return false;
    scan->at += len;
    return true;
}

// Reads a value of the kind that the template allows. False: anything else, even an error, which full reading will
// find.
static inline bool template_value(rf_fold *fold, rf_scan *scan, const rf_template_value *value) {
    double numbers[RF_NUMBERS_MAX];
    rf_want want;
    if (value->component) {
        // In the event's own text, since the template may be replaced before the event is applied.
        rf_str name = {scan->at - value->literal_len + (value->name_at - value->literal_at), value->name_len};
        if (value->target >= 0) name = fold->world->schema->defs[value->target].name;
        want = rf_draft_component_at(fold, name, value->target);
    } else {
        want = rf_draft_take(fold, rf_draft_at_target(fold, value->target));
    }
    if (want.kind == RF_WANT_NUMBERS) {
        if (!fold->number_list(scan, want.count, numbers)) return false;
        rf_draft_numbers(fold, numbers);
        return true;
    }
    if (scan->at >= scan->end || *scan->at == '{' || *scan->at == '[') return false;
    return rf_value_json_read(fold, scan, want, 1);
}

// Drafts an event of this template, whose first text has been read. False: it does not match.
static bool match(rf_fold *fold, rf_scan *scan, const rf_template *template) {
    rf_draft_reset(fold);
    fold->kind = template->kind;
    fold->rule = template->rule;
    fold->has_components = template->has_components;
    for (uint32_t i = 0; fold->rule && i < fold->rule->field_count; i++) fold->fields[i].state = RF_DRAFT_ABSENT;
    for (uint32_t i = 0; i < template->count; i++) {
        const rf_template_value *value = &template->values[i];
        if (i > 0 && !literal(scan, template, value->literal_at, value->literal_len)) return false;
        if (!template_value(fold, scan, value)) return false;
    }
    return literal(scan, template, template->tail_at, template->tail_len);
}

// Skips an unwanted value if it is a string or an integer.
static inline bool skip_plain(rf_fold *fold, rf_scan *scan) {
    rf_str string;
    if (scan->end - scan->at < 8) return false;
    return *scan->at == '"' ? rf_scan_string(scan, &fold->arena, &string)
                            : (unsigned)(*scan->at - '1') < 9 && rf_value_json_skip_number(fold, scan);
}

// What follows is compared with the template's text.
static inline bool plain_seq(rf_scan *scan, uint64_t *out) {
    static const uint32_t pow10[8] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
    uint32_t digits;
    uint64_t bytes;
    if (scan->end - scan->at < 16 || *scan->at == '0') return false;
    bytes = rf_load64((const uint8_t *)scan->at);
    digits = rf_scan_digits(bytes);
    if (digits == 0) return false;
    *out = rf_scan_digits_value(bytes, digits);
    scan->at += digits;
    if (digits < 8) return true;
    bytes = rf_load64((const uint8_t *)scan->at);
    digits = rf_scan_digits(bytes);
    if (digits == 8) return false;
    if (digits > 0) *out = *out * pow10[digits] + rf_scan_digits_value(bytes, digits);
    scan->at += digits;
    return true;
}

// Reads a valid id without escapes.
static inline bool plain_id(rf_fold *fold, rf_scan *scan, rf_str *out) {
    const char *start = scan->at + 1;
    return scan->at < scan->end && *scan->at == '"' && rf_scan_string(scan, &fold->arena, out) && out->data == start &&
           out->len - 1 < RF_NAME_MAX;
}

typedef enum plain_outcome {
    PLAIN_READ,
    PLAIN_OTHER_VALUE, // a value needs a draft
    PLAIN_OTHER_TEXT,  // the event does not match this template
} plain_outcome;

static inline bool plain_value(rf_fold *fold, rf_scan *scan, const rf_template_value *value) {
    rf_entity_event *event = &fold->plain.event;
    double *numbers;
    switch ((rf_plain_role)value->role) {
    case RF_PLAIN_NUMBERS:
        numbers = fold->plain.values[event->count];
        fold->plain.numbers[event->count++] = (rf_numbers){.component = value->column, .values = numbers};
        return fold->number_list(scan, value->numbers, numbers);
    case RF_PLAIN_ID:
        return plain_id(fold, scan, &event->id);
    case RF_PLAIN_SEQ:
        return plain_seq(scan, &event->seq);
    case RF_PLAIN_NOTHING:
        break;
    }
    return skip_plain(fold, scan);
}

// Reads an event of this template, which needs no draft, from after its first text.
static plain_outcome read_plain(rf_fold *fold, rf_scan *scan, const rf_template *template) {
    rf_entity_event *event = &fold->plain.event;
    event->op = template->op;
    event->seq = 0;
    event->numbers = fold->plain.numbers;
    event->count = 0;
    for (uint32_t i = 0; i < template->count; i++) {
        const rf_template_value *value = &template->values[i];
        if (i > 0 && !literal(scan, template, value->literal_at, value->literal_len)) return PLAIN_OTHER_TEXT;
        if (!plain_value(fold, scan, value)) return PLAIN_OTHER_VALUE;
    }
    return literal(scan, template, template->tail_at, template->tail_len) ? PLAIN_READ : PLAIN_OTHER_TEXT;
}

// Moves a template that has matched towards the front.
static inline void matched(rf_templates *templates, uint32_t place) {
    uint8_t *here = &templates->order[place], own = *here;
    rf_template *template = &templates->templates[own];
    template->used = ++templates->clock;
    if (place > 0 && template->used - templates->templates[here[-1]].used > 8) {
        *here = here[-1];
        here[-1] = own;
    }
}

// Reads the event, whose first text has been read, with this template. RF_FORM_OTHER: it does not match.
static inline rf_event_form event_of(rf_fold *fold, rf_scan *scan, const rf_template *template) {
    const char *start = scan->at;
    if (template->plain) {
        plain_outcome outcome = read_plain(fold, scan, template);
        if (outcome == PLAIN_READ) return RF_FORM_PLAIN;
        if (outcome == PLAIN_OTHER_TEXT) return RF_FORM_OTHER;
        scan->at = start;
        scan->status = RF_OK;
    }
    return match(fold, scan, template) ? RF_FORM_DRAFTED : RF_FORM_OTHER;
}

rf_event_form rf_template_read(rf_fold *fold, rf_scan *scan) {
    rf_templates *templates = &fold->templates;
    const char *start = scan->at;
    for (uint32_t i = 0; i < templates->count; i++) {
        const rf_template *template = &templates->templates[templates->order[i]];
        rf_event_form form = RF_FORM_OTHER;
        if (literal(scan, template, 0, template->count > 0 ? template->values[0].literal_len : 0))
            form = event_of(fold, scan, template);
        if (form != RF_FORM_OTHER) {
            matched(templates, i);
            return form;
        }
        scan->at = start;
        scan->status = RF_OK;
    }
    return RF_FORM_OTHER;
}
