#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define FIRST_SIZE ((size_t)1 << 18)
#define ZLIB_BUFFER (1u << 16)

struct input {
    gzFile file;
    char *data;
    size_t at, len, capacity; // what is read and not yet given out is data[at, len)
    uint64_t line;
    double size; // of the file; 0: unknown
    bool over;
    const char *error;
};

input *input_open(const char *path) {
    input *from = calloc(1, sizeof *from);
    int descriptor = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    struct stat about;
    if (from && descriptor >= 0) from->file = gzdopen(descriptor, "rb");
    if (!from || !from->file) {
        int error = errno;
        if (descriptor >= 0) close(descriptor);
        free(from);
        errno = error;
        return NULL;
    }
    gzbuffer(from->file, ZLIB_BUFFER);
    if (fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode)) from->size = (double)about.st_size;
    return from;
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
    if (capacity > INPUT_MAX) return fail(from, "this is too long: a line or an array has at most 256 MB");
    data = realloc(from->data, capacity);
    if (!data) return fail(from, "there is not enough memory");
    from->data = data;
    from->capacity = capacity;
    return true;
}

static const char *read_error(int code) {
    switch (code) {
    case Z_ERRNO:
        return strerror(errno);
    case Z_BUF_ERROR:
        return "the end of the .gz is missing";
    case Z_MEM_ERROR:
        return "there is not enough memory";
    default:
        return "the .gz is damaged here";
    }
}

bool input_more(input *from) {
    int got, code;
    if (from->over || !make_room(from)) return false;
    got = gzread(from->file, from->data + from->len, (unsigned)(from->capacity - from->len));
    if (got > 0) {
        from->len += (size_t)got;
        return true;
    }
    from->over = true;
    gzerror(from->file, &code);
    return code == Z_OK || code == Z_STREAM_END ? false : fail(from, read_error(code));
}

const char *input_line(input *from, size_t *len) {
    size_t looked = 0;
    for (;;) {
        char *start = from->data ? from->data + from->at : NULL;
        size_t left = from->len - from->at;
        char *end = left > looked ? memchr(start + looked, '\n', left - looked) : NULL;
        looked = left;
        if (!end && input_more(from)) continue;
        if (from->error || (!end && from->len == from->at)) return NULL;
        start = from->data + from->at;
        *len = end ? (size_t)(end - start) : from->len - from->at;
        from->at += *len + (end != NULL);
        from->line++;
        return start;
    }
}

const char *input_rest(input *from, size_t *len) {
    while (input_more(from)) continue;
    return from->error ? NULL : input_data(from, len);
}

const char *input_data(const input *from, size_t *len) {
    *len = from->len - from->at;
    return from->data ? from->data + from->at : "";
}

void input_take(input *from, size_t len) {
    from->at += len;
}

const char *input_error(const input *from) {
    return from->error;
}

uint64_t input_line_number(const input *from) {
    return from->line;
}

double input_share(const input *from) {
    z_off_t at = from->size > 0 ? gzoffset(from->file) : -1;
    return at < 0 ? -1 : (double)at / from->size;
}
