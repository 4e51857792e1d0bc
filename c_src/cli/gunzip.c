#include "gunzip.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define PIECE ((size_t)1 << 16) // of the file
#define GZIP_ONLY (15 + 16)     // the largest window, and no zlib header

typedef enum gunzip_state {
    UNKNOWN, // nothing has been read
    PLAIN,
    MEMBER,  // inside one
    BETWEEN, // behind one
    OVER,    // or failed
} gunzip_state;

struct gunzip {
    int descriptor;
    gunzip_state state;
    bool plain, inflates; // inflates: the stream is to be ended
    bool ended;           // the file
    z_stream stream;      // its input is what was read of the file and not yet used
    uint64_t read;        // bytes of the file
    const char *error;
    char text[128]; // of an error
    unsigned char piece[PIECE];
};

gunzip *gunzip_open(int descriptor) {
    gunzip *from = calloc(1, sizeof *from);
    if (from)
        from->descriptor = descriptor;
    else
        close(descriptor);
    return from;
}

void gunzip_close(gunzip *from) {
    if (!from) return;
    if (from->inflates) inflateEnd(&from->stream);
    close(from->descriptor);
    free(from);
}

static void fail(gunzip *from, const char *error) {
    from->error = error;
    from->state = OVER;
}

// Up to so many bytes of the file; 0 at its end, and where it can't be read.
static size_t load(gunzip *from, void *into, size_t size) {
    ssize_t got;
    if (from->ended) return 0;
    do got = read(from->descriptor, into, size);
    while (got < 0 && errno == EINTR);
    if (got <= 0) from->ended = true;
    if (got < 0) fail(from, strerror(errno));
    if (got <= 0) return 0;
    from->read += (size_t)got;
    return (size_t)got;
}

// So many bytes as input of the stream, 1 or 2; false: there are fewer.
static bool have(gunzip *from, unsigned count) {
    z_stream *stream = &from->stream;
    while (stream->avail_in < count) {
        size_t got;
        if (stream->avail_in > 0) memmove(from->piece, stream->next_in, stream->avail_in);
        stream->next_in = from->piece;
        got = load(from, from->piece + stream->avail_in, PIECE - stream->avail_in);
        if (got == 0) return false;
        stream->avail_in += (unsigned)got;
    }
    return true;
}

static bool member_starts(gunzip *from) {
    return have(from, 2) && from->stream.next_in[0] == 0x1f && from->stream.next_in[1] == 0x8b;
}

static void start(gunzip *from) {
    bool zipped = member_starts(from);
    if (from->state == OVER) return;
    from->plain = !zipped;
    from->state = zipped ? MEMBER : PLAIN;
    if (!zipped) return;
    from->inflates = inflateInit2(&from->stream, GZIP_ONLY) == Z_OK;
    if (!from->inflates) fail(from, "there is not enough memory");
}

// The next member, or the end.
static void go_on(gunzip *from) {
    z_stream *stream = &from->stream;
    if (member_starts(from)) {
        inflateReset(stream);
        from->state = MEMBER;
        return;
    }
    while (from->state != OVER && have(from, 1) && *stream->next_in == 0) {
        stream->next_in++;
        stream->avail_in--;
    }
    if (from->state == OVER) return;
    if (stream->avail_in > 0) {
        snprintf(from->text, sizeof from->text,
                 "behind the .gz, at byte %" PRIu64 " of the file, stands something else", gunzip_at(from));
        fail(from, from->text);
    }
    from->state = OVER;
}

// Nothing of the piece in which a .gz turns out to be damaged is given out.
static size_t inflate_some(gunzip *from, char *into, size_t size) {
    z_stream *stream = &from->stream;
    int code;
    stream->next_out = (unsigned char *)into;
    stream->avail_out = (unsigned)size;
    do {
        if (!have(from, 1)) {
            if (!from->error) fail(from, "the end of the .gz is missing");
            break;
        }
        code = inflate(stream, Z_NO_FLUSH);
        if (code == Z_STREAM_END) {
            from->state = BETWEEN;
        } else if (code != Z_OK && code != Z_BUF_ERROR) {
            fail(from, code == Z_MEM_ERROR ? "there is not enough memory" : "the .gz is damaged here");
            return 0;
        }
    } while (from->state == MEMBER && stream->avail_out > 0);
    return size - stream->avail_out;
}

static size_t copy_some(gunzip *from, char *into, size_t size) {
    z_stream *stream = &from->stream;
    size_t count = stream->avail_in < size ? stream->avail_in : size;
    if (count == 0) {
        count = load(from, into, size);
        if (count == 0) from->state = OVER;
        return count;
    }
    memcpy(into, stream->next_in, count);
    stream->next_in += count;
    stream->avail_in -= (unsigned)count;
    return count;
}

size_t gunzip_read(gunzip *from, char *into, size_t size) {
    size_t done = 0;
    if (from->state == UNKNOWN) start(from);
    while (done < size && from->state != OVER) {
        if (from->state == PLAIN)
            done += copy_some(from, into + done, size - done);
        else if (from->state == MEMBER)
            done += inflate_some(from, into + done, size - done);
        else
            go_on(from);
    }
    return done;
}

const char *gunzip_error(const gunzip *from) {
    return from->error;
}

bool gunzip_plain(const gunzip *from) {
    return from->plain;
}

uint64_t gunzip_at(const gunzip *from) {
    return from->read - from->stream.avail_in;
}
