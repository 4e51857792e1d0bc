// tally.h: counts how often each text occurs.
#ifndef RF_CLI_TALLY_H
#define RF_CLI_TALLY_H

#include <roomfold/roomfold.h>

// Further texts are counted together, so that memory is limited.
#define TALLY_MAX ((size_t)1 << 16)

typedef struct tally_entry {
    char *text;
    size_t len;
    uint64_t count, hash;
} tally_entry;

typedef struct tally {
    tally_entry *entries; // in order of first occurrence, until they are sorted
    size_t count, capacity;
    uint32_t *slots; // an entry's index plus one; the count is a power of two, at least twice the entries
    size_t slot_count;
    uint64_t seed; // of the hash; set it before the first text is added
    uint64_t others;
} tally;

// Counts a text once more. False: no memory.
bool tally_add(tally *of, rf_str text);
// Sorts by frequency, highest first, then by bytes. Nothing can be added afterwards.
void tally_sort(tally *of);
void tally_free(tally *of);

#endif
