// tally.h: how often which text came.
#ifndef RF_CLI_TALLY_H
#define RF_CLI_TALLY_H

#include <roomfold/roomfold.h>

// Other texts beyond these are counted together, so that memory has a bound.
#define TALLY_MAX ((size_t)1 << 16)

typedef struct tally_entry {
    char *text;
    size_t len;
    uint64_t count, hash;
} tally_entry;

typedef struct tally {
    tally_entry *entries; // in the order in which they came, until they are sorted
    size_t count, capacity;
    uint32_t *slots; // entry plus one; a power of two of them, at least twice as many as entries
    size_t slot_count;
    uint64_t others;
} tally;

// Counts it once. false: there is not enough memory.
bool tally_add(tally *of, rf_str text);
// The most frequent first, equals by bytes. Nothing can be added afterwards.
void tally_sort(tally *of);
void tally_free(tally *of);

#endif
