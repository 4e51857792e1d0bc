#include "input.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define FIRST_SIZE ((size_t)1 << 16)

struct input {
    gzFile file;
    char *data;
    size_t at, len, capacity; // what is read and not yet given out is data[at, len)
    unsigned long line;
    bool over;
    const char *error;
};

input *input_open(const char *path) {
    input *from = calloc(1, sizeof *from);
    int descriptor;
    if (!from) return NULL;
    if (strcmp(path, "-") == 0) {
        descriptor = dup(STDIN_FILENO);
        from->file = descriptor < 0 ? NULL : gzdopen(descriptor, "rb");
        if (!from->file && descriptor >= 0) close(descriptor);
    } else {
        from->file = gzopen(path, "rb");
    }
    if (from->file) return from;
    free(from);
    return NULL;
}

void input_close(input *from) {
    if (!from) return;
    gzclose(from->file);
    free(from->data);
    free(from);
}

static bool fail(input *from, const char *error) {
    from->error = error;
    from->over = true;
    return false;
}

static bool make_room(input *from) {
    size_t capacity = from->capacity ? from->capacity * 2 : FIRST_SIZE;
    char *data;
    if (from->at > 0) {
        memmove(from->data, from->data + from->at, from->len - from->at);
        from->len -= from->at;
        from->at = 0;
    }
    if (from->len < from->capacity) return true;
    if (capacity > INPUT_MAX) return fail(from, "too long");
    data = realloc(from->data, capacity);
    if (!data) return fail(from, "there is not enough memory");
    from->data = data;
    from->capacity = capacity;
    return true;
}

static bool read_more(input *from) {
    int got, code;
    if (from->over || !make_room(from)) return false;
    got = gzread(from->file, from->data + from->len, (unsigned)(from->capacity - from->len));
    if (got > 0) {
        from->len += (size_t)got;
        return true;
    }
    from->over = true;
    gzerror(from->file, &code);
    return code == Z_OK || code == Z_STREAM_END ? false : fail(from, "it can't be read, or its end is missing");
}

const char *input_line(input *from, size_t *len) {
    size_t looked = 0;
    for (;;) {
        char *start = from->data ? from->data + from->at : NULL;
        size_t left = from->len - from->at;
        char *end = left > looked ? memchr(start + looked, '\n', left - looked) : NULL;
        looked = left;
        if (!end && read_more(from)) continue;
        if (from->error || (!end && from->len == from->at)) return NULL;
        start = from->data + from->at;
        *len = end ? (size_t)(end - start) : from->len - from->at;
        from->at += *len + (end != NULL);
        from->line++;
        return start;
    }
}

const char *input_rest(input *from, size_t *len) {
    while (read_more(from)) continue;
    if (from->error) return NULL;
    *len = from->len - from->at;
    return from->data ? from->data + from->at : "";
}

const char *input_error(const input *from) {
    return from->error;
}

unsigned long input_line_number(const input *from) {
    return from->line;
}
