// level.c: reads a level from JSON, and adds it to a space.
#include "space_state.h"

#include "base/error.h"
#include "base/grow.h"
#include <math.h>
#include <roomfold/json.h>
#include <roomfold/level.h>

#define MAX_DEPTH 64
#define TWO_SIDED 4

struct rf_level {
    rf_mem mem;
    struct {
        rf_sector *items;
        uint32_t count, capacity;
    } sectors;
    struct {
        rf_wall *items;
        uint32_t count, capacity;
    } walls;
};

typedef struct parse {
    rf_json_reader *reader;
    rf_level *level;
    double unit;
    rf_error *error;
} parse;

// A value of a sector or line, by its name in the file.
typedef struct field {
    const char *name;
    bool optional; // may be null or absent
    bool there;
    double value;
} field;

static rf_status fail(const parse *in, const rf_json_token *token, const char *about) {
    rf_error error = rf_json_error(in->reader);
    if (token->kind == RF_JSON_ERROR) return rf_error_set(in->error, error.status, error.offset, (rf_str){0});
    return rf_error_set(in->error, RF_INVALID_LEVEL, token->offset, (rf_str){about, strlen(about)});
}

static bool is(rf_str text, const char *name) {
    return rf_str_eq(text, (rf_str){name, strlen(name)});
}

// Skips the rest of the value whose first token this is.
static rf_json_token skip(const parse *in, rf_json_token token) {
    uint32_t depth = 0;
    for (;; token = rf_json_next(in->reader)) {
        if (token.kind == RF_JSON_OPEN_LIST || token.kind == RF_JSON_OPEN_MAP) depth++;
        if (token.kind == RF_JSON_CLOSE_LIST || token.kind == RF_JSON_CLOSE_MAP) depth--;
        if (token.kind == RF_JSON_ERROR || token.kind == RF_JSON_END) return token;
        if (depth == 0 && token.kind != RF_JSON_KEY) return token;
    }
}

static bool read_field(field *into, const rf_json_token *token) {
    into->there = false;
    if (token->kind == RF_JSON_NULL) return into->optional;
    if (token->kind != RF_JSON_INT && token->kind != RF_JSON_FLOAT) return false;
    into->value = token->kind == RF_JSON_INT ? (double)token->as.integer : token->as.number;
    into->there = true;
    return true;
}

// Reads an object of a list; token is its first token.
static rf_status read_fields(const parse *in, rf_json_token token, field *fields, size_t count) {
    rf_json_token start = token;
    if (token.kind != RF_JSON_OPEN_MAP) return fail(in, &token, "an object");
    for (;;) {
        field *found = NULL;
        token = rf_json_next(in->reader);
        if (token.kind == RF_JSON_CLOSE_MAP) break;
        if (token.kind != RF_JSON_KEY) return fail(in, &token, "an object");
        for (size_t i = 0; i < count; i++)
            if (is(token.as.string, fields[i].name)) found = &fields[i];
        token = rf_json_next(in->reader);
        if (!found)
            token = skip(in, token);
        else if (!read_field(found, &token))
            return fail(in, &token, found->name);
        if (token.kind == RF_JSON_ERROR) return fail(in, &token, "");
    }
    for (size_t i = 0; i < count; i++)
        if (!fields[i].there && !fields[i].optional) return fail(in, &start, fields[i].name);
    return RF_OK;
}

static rf_status read_sector(const parse *in, rf_json_token token) {
    field fields[] = {{.name = "floor"}, {.name = "ceil"}};
    rf_level *level = in->level;
    double heights[2];
    rf_status status = read_fields(in, token, fields, 2);
    if (status != RF_OK) return status;
    for (int i = 0; i < 2; i++) heights[i] = fields[i].value * in->unit;
    if (!rf_coordinates_valid(heights, 2)) return fail(in, &token, "heights out of range");
    if (!RF_GROW(&level->mem, &level->sectors, level->sectors.count + UINT64_C(1)))
        return rf_error_set(in->error, RF_NO_MEMORY, RF_NOWHERE, (rf_str){0});
    level->sectors.items[level->sectors.count++] = (rf_sector){heights[0], heights[1]};
    return RF_OK;
}

static bool read_number(const field *from, uint32_t *out) {
    *out = RF_NO_SECTOR;
    if (!from->there) return true;
    if (!(from->value >= 0 && from->value < RF_NO_SECTOR && from->value == floor(from->value))) return false;
    *out = (uint32_t)from->value;
    return true;
}

static rf_status read_line(const parse *in, rf_json_token token) {
    field fields[] = {{.name = "x1"},
                      {.name = "y1"},
                      {.name = "x2"},
                      {.name = "y2"},
                      {.name = "front", .optional = true},
                      {.name = "back", .optional = true},
                      {.name = "flags", .optional = true}};
    rf_level *level = in->level;
    rf_wall wall = {.bottom = -INFINITY, .top = INFINITY, .layers = RF_LAYER_DEFAULT};
    uint32_t flags;
    double plan[4];
    rf_status status = read_fields(in, token, fields, sizeof fields / sizeof *fields);
    if (status != RF_OK) return status;
    for (int i = 0; i < 4; i++) plan[i] = fields[i].value * (i % 2 ? -in->unit : in->unit);
    if (!rf_coordinates_valid(plan, 4)) return fail(in, &token, "x1, y1, x2 or y2 out of range");
    if (!read_number(&fields[4], &wall.front)) return fail(in, &token, "front");
    if (!read_number(&fields[5], &wall.back)) return fail(in, &token, "back");
    if (!read_number(&fields[6], &flags)) return fail(in, &token, "flags");
    if (!fields[6].there || (flags & TWO_SIDED) == 0) wall.back = RF_NO_SECTOR;
    if (wall.back != RF_NO_SECTOR && wall.front == RF_NO_SECTOR) return fail(in, &token, "front");
    wall.x1 = plan[0];
    wall.z1 = plan[1];
    wall.x2 = plan[2];
    wall.z2 = plan[3];
    if (!RF_GROW(&level->mem, &level->walls, level->walls.count + UINT64_C(1)))
        return rf_error_set(in->error, RF_NO_MEMORY, RF_NOWHERE, (rf_str){0});
    level->walls.items[level->walls.count++] = wall;
    return RF_OK;
}

static rf_status read_list(const parse *in, rf_status (*item)(const parse *, rf_json_token)) {
    rf_json_token token = rf_json_next(in->reader);
    if (token.kind != RF_JSON_OPEN_LIST) return fail(in, &token, "a list");
    for (;;) {
        rf_status status;
        token = rf_json_next(in->reader);
        if (token.kind == RF_JSON_CLOSE_LIST) return RF_OK;
        status = item(in, token);
        if (status != RF_OK) return status;
    }
}

// Checked at the end, because lines may come before the sectors they name.
static rf_status check_sectors(const parse *in) {
    const rf_level *level = in->level;
    static const char about[] = "a line names a sector that doesn't exist";
    for (uint32_t i = 0; i < level->walls.count; i++) {
        const rf_wall *wall = &level->walls.items[i];
        if ((wall->front != RF_NO_SECTOR && wall->front >= level->sectors.count) ||
            (wall->back != RF_NO_SECTOR && wall->back >= level->sectors.count))
            return rf_error_set(in->error, RF_INVALID_LEVEL, RF_NOWHERE, (rf_str){about, sizeof about - 1});
    }
    return RF_OK;
}

static rf_status read_level(const parse *in) {
    rf_json_token token = rf_json_next(in->reader);
    bool sectors = false, lines = false;
    if (token.kind != RF_JSON_OPEN_MAP) return fail(in, &token, "a level is an object");
    for (;;) {
        rf_status status = RF_OK;
        token = rf_json_next(in->reader);
        if (token.kind == RF_JSON_CLOSE_MAP) break;
        if (token.kind != RF_JSON_KEY) return fail(in, &token, "");
        if (is(token.as.string, "sectors")) { // if it is there twice, the last one counts, as everywhere in JSON
            sectors = true;
            in->level->sectors.count = 0;
            status = read_list(in, read_sector);
        } else if (is(token.as.string, "lines")) {
            lines = true;
            in->level->walls.count = 0;
            status = read_list(in, read_line);
        } else {
            token = skip(in, rf_json_next(in->reader));
            if (token.kind == RF_JSON_ERROR) return fail(in, &token, "");
        }
        if (status != RF_OK) return status;
    }
    token = rf_json_next(in->reader);
    if (token.kind != RF_JSON_END) return fail(in, &token, "");
    if (!sectors || !lines) return fail(in, &token, sectors ? "lines" : "sectors");
    return check_sectors(in);
}

rf_status rf_level_from_json(rf_allocator allocator, rf_str text, double unit, rf_level **out, rf_error *error) {
    rf_level *level;
    parse in = {.unit = unit, .error = error};
    rf_status status;
    *out = NULL;
    if (!(unit > 0 && isfinite(unit))) return rf_error_set(error, RF_INVALID_ARGUMENT, RF_NOWHERE, (rf_str){0});
    level = rf_alloc_zero(allocator, sizeof *level);
    if (!level) return rf_error_set(error, RF_NO_MEMORY, RF_NOWHERE, (rf_str){0});
    level->mem.allocator = allocator;
    in.level = level;
    status = rf_json_reader_new(allocator, text, MAX_DEPTH, &in.reader);
    if (status == RF_OK)
        status = read_level(&in);
    else
        rf_error_set(error, status, RF_NOWHERE, (rf_str){0});
    rf_json_reader_free(in.reader);
    if (status == RF_OK)
        *out = level;
    else
        rf_level_free(level);
    return status;
}

void rf_level_free(rf_level *level) {
    if (!level) return;
    rf_mem_free(&level->mem, level->sectors.items, level->sectors.capacity * sizeof *level->sectors.items);
    rf_mem_free(&level->mem, level->walls.items, level->walls.capacity * sizeof *level->walls.items);
    rf_free(level->mem.allocator, level);
}

size_t rf_level_sectors(const rf_level *level) {
    return level->sectors.count;
}

rf_sector rf_level_sector(const rf_level *level, size_t number) {
    return level->sectors.items[number];
}

size_t rf_level_walls(const rf_level *level) {
    return level->walls.count;
}

rf_wall rf_level_wall(const rf_level *level, size_t number) {
    return level->walls.items[number];
}

rf_status rf_space_add_level(rf_space *space, const rf_level *level, uint32_t layers, uint32_t *first_sector,
                             uint32_t *first_wall) {
    uint32_t sectors = rf_space_sectors(space), walls = rf_space_walls(space);
    rf_status status = RF_OK;
    for (uint32_t i = 0; i < level->sectors.count && status == RF_OK; i++)
        status = rf_space_add_sector(space, level->sectors.items[i], NULL);
    for (uint32_t i = 0; i < level->walls.count && status == RF_OK; i++) {
        rf_wall wall = level->walls.items[i];
        wall.layers = layers;
        wall.front += wall.front == RF_NO_SECTOR ? 0 : sectors;
        wall.back += wall.back == RF_NO_SECTOR ? 0 : sectors;
        status = rf_space_add_wall(space, &wall, NULL);
    }
    if (status != RF_OK) { // all or nothing
        space->statics.sectors.count = sectors;
        space->statics.walls.count = walls;
        space->statics.indexed = false;
        return status;
    }
    if (first_sector) *first_sector = sectors;
    if (first_wall) *first_wall = walls;
    return RF_OK;
}
