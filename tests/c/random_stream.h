// random_stream.h: a random schema and random events, from a single seed.
#ifndef TESTS_RANDOM_STREAM_H
#define TESTS_RANDOM_STREAM_H

#include "support.h"

typedef enum stream_kind {
    STREAM_NUMBERS,
    STREAM_QUATERNION,
    STREAM_INTEGER,
    STREAM_BOOL,
    STREAM_STRING,
    STREAM_TERM
} stream_kind;

typedef struct stream_column {
    char name[32];
    stream_kind kind;
    unsigned count; // of numbers
    double reach;   // most numbers are within; some are out of a quantised component's range
} stream_column;

typedef struct random_stream {
    uint64_t state; // of the generator
    rf_world *sender;
    uint32_t history; // of the sender, in seqs
    bool quantised;   // otherwise everything is lossless
    unsigned ids;     // how many different ids
    stream_column columns[RF_SCHEMA_MAX];
    unsigned column_count;
} random_stream;

void random_stream_start(random_stream *stream, uint64_t seed);
void random_stream_end(random_stream *stream);

// Folds more events into the sender: creates, updates and deletes of existing and unknown entities, replacements,
// changes of several entities, jumping and stale seqs, and invalid events.
void random_stream_go_on(random_stream *stream);

// A number from 0 to count - 1.
unsigned random_below(uint64_t *state, unsigned count);

#endif
