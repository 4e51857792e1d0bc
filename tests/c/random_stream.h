// random_stream.h: a random schema and random events for it, all from one number.
#ifndef TESTS_RANDOM_STREAM_H
#define TESTS_RANDOM_STREAM_H

#include "support.h"

typedef enum stream_kind {
    STREAM_NUMBERS,
    STREAM_TURN,
    STREAM_INTEGER,
    STREAM_BOOL,
    STREAM_STRING,
    STREAM_TERM
} stream_kind;

typedef struct stream_column {
    char name[32];
    stream_kind kind;
    unsigned count; // of numbers
    double reach;   // most of them are within, some beyond what a quantised one can say
} stream_column;

typedef struct random_stream {
    uint64_t state; // of the generator
    rf_world *sender;
    uint32_t history; // seqs it remembers
    bool quantised;   // or everything is lossless
    unsigned ids;     // there are so many
    stream_column columns[RF_SCHEMA_MAX];
    unsigned column_count;
} random_stream;

void random_stream_start(random_stream *stream, uint64_t seed);
void random_stream_end(random_stream *stream);

// Folds some more events into the sender: creates, updates and deletes of those who are there and of others, whole
// entities again, several at once, with seqs that jump or have been, some of them no good.
void random_stream_go_on(random_stream *stream);

// A number from 0 to count - 1.
unsigned random_below(uint64_t *state, unsigned count);

#endif
