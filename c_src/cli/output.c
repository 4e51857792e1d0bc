#include "output.h"
#include "command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE ((size_t)1 << 16)

void output_open(output *out) {
    *out = (output){.data = malloc(PIECE)};
    if (out->data)
        out->capacity = PIECE;
    else
        out->error = ENOMEM;
}

void output_keep(output *out) {
    output_open(out);
    out->kept = true;
}

void output_free(output *out) {
    free(out->data);
    *out = (output){0};
}

void output_flush(output *out) {
    size_t at = 0;
    if (out->kept) return;
    while (!out->error && at < out->len) {
        ssize_t wrote = write(STDOUT_FILENO, out->data + at, out->len - at);
        if (wrote >= 0)
            at += (size_t)wrote;
        else if (errno != EINTR)
            out->error = errno;
    }
    out->len = 0;
}

char *output_room(output *out, size_t bytes) {
    if (out->len + bytes > PIECE) output_flush(out);
    if (!out->error && out->capacity - out->len < bytes) {
        size_t capacity = bytes < PIECE ? PIECE : bytes;
        if (out->kept) capacity = out->len + (out->len > bytes ? out->len : bytes);
        char *data = realloc(out->data, capacity);
        if (!data) {
            out->error = ENOMEM;
        } else {
            out->data = data;
            out->capacity = capacity;
        }
    }
    return out->error ? NULL : out->data + out->len;
}

void output_bytes(output *out, rf_str bytes) {
    char *at = output_room(out, bytes.len);
    if (!at || bytes.len == 0) return;
    memcpy(at, bytes.data, bytes.len);
    out->len += bytes.len;
}

void output_text(output *out, const char *text) {
    output_bytes(out, (rf_str){text, strlen(text)});
}

void output_format(output *out, const char *format, ...) {
    va_list arguments;
    char *at;
    int len;
    va_start(arguments, format);
    len = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    at = len < 0 ? NULL : output_room(out, (size_t)len + 1);
    if (!at) return;
    va_start(arguments, format);
    vsnprintf(at, (size_t)len + 1, format, arguments);
    va_end(arguments);
    out->len += (size_t)len;
}

void output_uint(output *out, uint64_t value) {
    output_format(out, "%" PRIu64, value);
}

static void output_int(output *out, int64_t value) {
    char *at = output_room(out, RF_JSON_INT_ROOM);
    if (at) out->len += rf_json_write_int(at, value);
}

void output_float(output *out, double value) {
    char *at = output_room(out, RF_JSON_FLOAT_ROOM);
    if (at) out->len += rf_json_write_f64(at, value, true);
}

void output_string(output *out, rf_str value) {
    char *at = output_room(out, RF_JSON_STRING_ROOM(value.len));
    if (at) out->len += rf_json_write_string(at, value);
}

static void scalar(output *out, const rf_term *term) {
    switch (term->kind) {
    case RF_TERM_NULL:
        output_text(out, "null");
        break;
    case RF_TERM_FALSE:
        output_text(out, "false");
        break;
    case RF_TERM_TRUE:
        output_text(out, "true");
        break;
    case RF_TERM_INT:
        output_int(out, term->as.integer);
        break;
    case RF_TERM_FLOAT:
        output_float(out, term->as.number);
        break;
    case RF_TERM_STRING:
        output_string(out, term->as.string);
        break;
    case RF_TERM_LIST:
    case RF_TERM_MAP:
    case RF_TERM_END:
        break;
    }
}

void output_term(output *out, rf_str term) {
    uint64_t left[RF_DEPTH_MAX]; // how many values each open list or map still has
    bool map[RF_DEPTH_MAX];
    unsigned depth = 0;
    rf_term_reader reader;
    rf_term_read(&reader, term);
    for (;;) {
        rf_term head = rf_term_next(&reader);
        bool first = false;
        if (head.kind == RF_TERM_LIST || head.kind == RF_TERM_MAP) {
            map[depth] = head.kind == RF_TERM_MAP;
            output_text(out, map[depth] ? "{" : "[");
            left[depth++] = head.as.count;
            first = true;
        } else {
            scalar(out, &head);
        }
        for (; depth > 0 && left[depth - 1] == 0; depth--, first = false) output_text(out, map[depth - 1] ? "}" : "]");
        if (depth == 0 || out->error) return;
        left[depth - 1]--;
        if (!first) output_text(out, ",");
        if (map[depth - 1]) {
            output_string(out, rf_term_key(&reader));
            output_text(out, ":");
        }
    }
}

int output_close(output *out, const char *who) {
    output_flush(out);
    free(out->data);
    out->data = NULL;
    out->len = out->capacity = 0;
    if (!out->error) return DONE;
    // The reader of a pipe may have closed it early.
    return out->error == EPIPE ? FAILED : complain(who, FAILED, "standard output: %s", strerror(out->error));
}
