#include "builder.h"

#include "base/str.h"
#include "base/varint.h"

void rf_builder_init(rf_builder *builder, rf_allocator allocator) {
    rf_buf_init(&builder->out, allocator);
    rf_buf_init(&builder->entries, allocator);
    rf_buf_init(&builder->sorted, allocator);
    builder->depth = 0;
    builder->max_depth = RF_TERM_DEPTH;
    builder->status = RF_OK;
}

void rf_builder_free(rf_builder *builder) {
    rf_buf_free(&builder->out);
    rf_buf_free(&builder->entries);
    rf_buf_free(&builder->sorted);
}

void rf_builder_start(rf_builder *builder) {
    builder->depth = 0;
    builder->status = RF_OK;
    builder->entries.len = 0;
    builder->out.failed = builder->entries.failed = builder->sorted.failed = false;
}

bool rf_builder_fail(rf_builder *builder, rf_status status) {
    if (builder->status == RF_OK) builder->status = status;
    return false;
}

static bool check_memory(rf_builder *builder) {
    return !(builder->out.failed || builder->entries.failed || builder->sorted.failed) ||
           rf_builder_fail(builder, RF_NO_MEMORY);
}

// Call before a value is written at this level.
static bool begin_value(rf_builder *builder) {
    if (builder->status != RF_OK) return false;
    if (builder->out.len > UINT32_MAX / 2) return rf_builder_fail(builder, RF_TOO_LARGE);
    if (builder->depth > 0) builder->levels[builder->depth - 1].count++;
    return true;
}

// Call after a value has been written: inside a map, this ends an entry.
static bool end_value(rf_builder *builder) {
    if (!check_memory(builder)) return false;
    if (builder->depth > 0) {
        rf_builder_level *level = &builder->levels[builder->depth - 1];
        if (level->map && builder->entries.len > level->first_entry) {
            rf_builder_entry entry;
            uint8_t *last = builder->entries.data + builder->entries.len - sizeof entry;
            memcpy(&entry, last, sizeof entry);
            entry.end = (uint32_t)builder->out.len;
            memcpy(last, &entry, sizeof entry);
        }
    }
    return true;
}

static bool write_tagged(rf_builder *builder, uint8_t tag, const void *bytes, size_t len) {
    if (!begin_value(builder)) return false;
    rf_buf_byte(&builder->out, tag);
    rf_buf_bytes(&builder->out, bytes, len);
    return end_value(builder);
}

bool rf_builder_null(rf_builder *builder) {
    return write_tagged(builder, RF_TAG_NULL, NULL, 0);
}

bool rf_builder_bool(rf_builder *builder, bool value) {
    return write_tagged(builder, value ? RF_TAG_TRUE : RF_TAG_FALSE, NULL, 0);
}

bool rf_builder_int(rf_builder *builder, int64_t value) {
    uint8_t bytes[RF_VARINT_MAX];
    return write_tagged(builder, RF_TAG_INT, bytes, rf_varint_write(bytes, rf_zigzag_encode(value)));
}

bool rf_builder_float(rf_builder *builder, double value) {
    float narrow = (float)value;
    uint8_t bytes[8];
    if ((double)narrow == value) {
        uint32_t bits;
        memcpy(&bits, &narrow, sizeof bits);
        rf_store32(bytes, bits);
        return write_tagged(builder, RF_TAG_F32, bytes, 4);
    } else {
        uint64_t bits;
        memcpy(&bits, &value, sizeof bits);
        rf_store64(bytes, bits);
        return write_tagged(builder, RF_TAG_F64, bytes, 8);
    }
}

static void write_string(rf_buf *out, rf_str value) {
    if (!rf_buf_reserve(out, RF_VARINT_MAX + value.len)) return;
    out->len += rf_varint_write(out->data + out->len, value.len);
    if (value.len > 0) memcpy(out->data + out->len, value.data, value.len);
    out->len += value.len;
}

bool rf_builder_string(rf_builder *builder, rf_str value) {
    if (!begin_value(builder)) return false;
    if (value.len > UINT32_MAX / 4) return rf_builder_fail(builder, RF_TOO_LARGE);
    rf_buf_byte(&builder->out, RF_TAG_STRING);
    write_string(&builder->out, value);
    return end_value(builder);
}

bool rf_builder_open(rf_builder *builder, bool map) {
    if (!begin_value(builder)) return false;
    if (builder->depth == builder->max_depth) return rf_builder_fail(builder, RF_TOO_DEEP);
    rf_buf_byte(&builder->out, map ? RF_TAG_MAP : RF_TAG_LIST);
    builder->levels[builder->depth++] =
        (rf_builder_level){.map = map, .start = builder->out.len, .first_entry = builder->entries.len};
    rf_buf_byte(&builder->out, 0); // the count; one byte, unless it turns out to need more
    return check_memory(builder);
}

bool rf_builder_key(rf_builder *builder, rf_str key) {
    rf_builder_entry entry;
    if (builder->status != RF_OK) return false;
    if (key.len > UINT32_MAX / 4) return rf_builder_fail(builder, RF_TOO_LARGE);
    entry.start = (uint32_t)builder->out.len;
    write_string(&builder->out, key);
    entry.key_len = (uint32_t)key.len;
    entry.key_at = (uint32_t)(builder->out.len - key.len);
    entry.end = (uint32_t)builder->out.len;
    rf_buf_bytes(&builder->entries, &entry, sizeof entry);
    return check_memory(builder);
}

static int compare_entries(const rf_builder *builder, const rf_builder_entry *a, const rf_builder_entry *b) {
    const char *bytes = (const char *)builder->out.data;
    return rf_str_cmp((rf_str){bytes + a->key_at, a->key_len}, (rf_str){bytes + b->key_at, b->key_len});
}

static bool comes_before(const rf_builder *builder, const rf_builder_entry *a, const rf_builder_entry *b) {
    return compare_entries(builder, a, b) < 0;
}

#define SORT_NAME sort_entries
#define SORT_ITEM rf_builder_entry
#define SORT_CONTEXT const rf_builder *
#define SORT_BEFORE comes_before
#include "base/heapsort.inl"

// Sorts a map's entries by key.
static bool order_map(rf_builder *builder, const rf_builder_level *level) {
    size_t count = (builder->entries.len - level->first_entry) / sizeof(rf_builder_entry);
    rf_builder_entry *entries;
    bool sorted = true;
    if (count < 2) return true;
    entries = (rf_builder_entry *)(void *)(builder->entries.data + level->first_entry);
    for (size_t i = 1; i < count && sorted; i++) sorted = compare_entries(builder, &entries[i - 1], &entries[i]) < 0;
    if (sorted) return true;
    sort_entries(builder, entries, count);
    builder->sorted.len = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && compare_entries(builder, &entries[i - 1], &entries[i]) == 0)
            return rf_builder_fail(builder, RF_DUPLICATE_KEY);
        rf_buf_bytes(&builder->sorted, builder->out.data + entries[i].start, entries[i].end - entries[i].start);
    }
    if (builder->sorted.failed) return check_memory(builder);
    memcpy(builder->out.data + level->start + 1, builder->sorted.data, builder->sorted.len);
    return true;
}

bool rf_builder_close(rf_builder *builder) {
    rf_builder_level *level;
    uint8_t count[RF_VARINT_MAX];
    size_t len;
    if (builder->status != RF_OK) return false;
    level = &builder->levels[builder->depth - 1];
    if (level->map && !order_map(builder, level)) return false;
    len = rf_varint_write(count, level->count);
    if (len > 1) {
        if (!rf_buf_reserve(&builder->out, len - 1)) return check_memory(builder);
        memmove(builder->out.data + level->start + len, builder->out.data + level->start + 1,
                builder->out.len - level->start - 1);
        builder->out.len += len - 1;
    }
    memcpy(builder->out.data + level->start, count, len);
    builder->entries.len = level->first_entry;
    builder->depth--;
    return end_value(builder);
}
