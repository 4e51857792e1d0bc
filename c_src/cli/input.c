#include "input.h"
#include "gunzip.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_SIZE ((size_t)1 << 18)

struct input {
    gunzip *file;               // or,
    const input_source *source; // with its
    void *context;
    char *data;
    size_t at, len, capacity; // data[at, len) has been read and not taken
    uint64_t line;
    double size;   // of the file; 0: unknown
    bool standard; // input
    bool over;
    bool failed;
    char error[640];
};

input *input_open(const char *path) {
    input *from = calloc(1, sizeof *from);
    int descriptor = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    struct stat about = {0};
    bool known = descriptor >= 0 && fstat(descriptor, &about) == 0;
    // Opening a directory succeeds; only reading it fails.
    if (known && S_ISDIR(about.st_mode))
        errno = EISDIR;
    else if (from && descriptor >= 0)
        from->file = gunzip_open(descriptor), descriptor = -1;
    if (!from || !from->file) {
        int error = errno;
        if (descriptor >= 0) close(descriptor);
        free(from);
        errno = error;
        return NULL;
    }
    from->standard = strcmp(path, "-") == 0;
    if (known && S_ISREG(about.st_mode)) from->size = (double)about.st_size;
    return from;
}

input *input_from(const input_source *source, void *context) {
    input *from = calloc(1, sizeof *from);
    if (from) {
        from->source = source;
        from->context = context;
    } else {
        source->close(context);
    }
    return from;
}

void input_close(input *from) {
    if (!from) return;
    gunzip_close(from->file);
    if (from->source) from->source->close(from->context);
    free(from->data);
    free(from);
}

bool input_fail(input *from, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(from->error, sizeof from->error, format, arguments);
    va_end(arguments);
    from->failed = from->over = true;
    return false;
}

bool input_plain(const input *from) {
    return from->file && from->size > 0 && gunzip_plain(from->file) && !from->standard;
}

static bool fail(input *from, const char *error) {
    return input_fail(from, "%s", error);
}

// Makes room for at least `more` bytes.
static bool make_room(input *from, size_t more) {
    size_t capacity = from->capacity ? from->capacity : FIRST_SIZE;
    char *data;
    if (from->at > 0) {
        memmove(from->data, from->data + from->at, from->len - from->at);
        from->len -= from->at;
        from->at = 0;
    }
    if (more <= from->capacity - from->len) return true;
    while (capacity - from->len < more && capacity <= INPUT_MAX) capacity *= 2;
    if (capacity > INPUT_MAX) return fail(from, "this is too long: a line or an array has at most 256 MB");
    data = realloc(from->data, capacity);
    if (!data) return fail(from, "there is not enough memory");
    from->data = data;
    from->capacity = capacity;
    return true;
}

bool input_put(input *into, const char *bytes, size_t len) {
    if (!make_room(into, len)) return false;
    if (len > 0) memcpy(into->data + into->len, bytes, len);
    into->len += len;
    return true;
}

bool input_more(input *from) {
    size_t got;
    if (from->over) return false;
    if (from->source) {
        if (!from->source->more(from->context, from)) from->over = true;
        return !from->over;
    }
    if (!make_room(from, 1)) return false;
    got = gunzip_read(from->file, from->data + from->len, from->capacity - from->len);
    from->len += got;
    if (got > 0) return true;
    from->over = true;
    return gunzip_error(from->file) ? fail(from, gunzip_error(from->file)) : false;
}

const char *input_line(input *from, size_t *len) {
    size_t looked = 0;
    for (;;) {
        char *start = from->data ? from->data + from->at : NULL;
        size_t left = from->len - from->at;
        char *end = left > looked ? memchr(start + looked, '\n', left - looked) : NULL;
        looked = left;
        if (!end && input_more(from)) continue;
        if (from->failed || (!end && from->len == from->at)) return NULL;
        start = from->data + from->at;
        *len = end ? (size_t)(end - start) : from->len - from->at;
        from->at += *len + (end != NULL);
        from->line++;
        return start;
    }
}

const char *input_rest(input *from, size_t *len) {
    while (input_more(from)) continue;
    return from->failed ? NULL : input_data(from, len);
}

const char *input_data(const input *from, size_t *len) {
    *len = from->len - from->at;
    return from->data ? from->data + from->at : "";
}

void input_take(input *from, size_t len) {
    from->at += len;
}

const char *input_error(const input *from) {
    return from->failed ? from->error : NULL;
}

uint64_t input_line_number(const input *from) {
    return from->line;
}

double input_share(const input *from) {
    if (from->source) return from->source->share(from->context);
    return from->size > 0 ? (double)gunzip_at(from->file) / from->size : -1;
}
