// packed_hits.h: rays and their answers as fixed-size binary records, for bindings that cast many rays per call.
// All numbers are little-endian.
//
//     ray, 64 bytes:     origin, direction (three binary64 each); range (binary64); mask, owner (32 bits each)
//     answer, 16 bytes:  kind (1 byte); three zero bytes; number (32 bits); t (binary64)
//
// owner: a position in a list of ids, counted from 1; 0: none. The kinds of answers: 0 no hit; 1 a target, whose number
// is the position of its id in the list of rf_packed_ids, counted from 1; 2 a wall, 3 a box, 4 a triangle, with their
// numbers; 255 an error, whose number is its rf_status.
#ifndef ROOMFOLD_PACKED_HITS_H
#define ROOMFOLD_PACKED_HITS_H

#include <roomfold/hit.h>

RF_BEGIN

#define RF_PACKED_RAY_SIZE 64
#define RF_PACKED_ANSWER_SIZE 16

// Reads `count` rays into `shots`. statuses[i] is RF_INVALID_ARGUMENT if the ray's owner is not a position of the list,
// or that position has no id (data is NULL); otherwise RF_OK. The shot can be cast in both cases.
RF_API void rf_packed_rays_read(const uint8_t *bytes, size_t count, const rf_str *owners, size_t owner_count,
                                rf_shot *shots, rf_status *statuses);

// The ids of the targets that were hit: each once, in order of first occurrence.
typedef struct rf_packed_ids {
    rf_allocator allocator;
    rf_str *items; // valid until the space changes
    uint32_t len, capacity;
    uint32_t *places; // by key: the position in items, counted from 1; 0: none
    uint32_t keys;
} rf_packed_ids;

// An empty list; allocates nothing yet.
RF_API rf_packed_ids rf_packed_ids_new(rf_allocator allocator);
RF_API void rf_packed_ids_free(rf_packed_ids *ids);

// Writes `count` answers: an error where statuses[i] is not RF_OK, otherwise what rf_cast answered, of which only the
// first hit counts. Adds to `ids`. Fails with RF_NO_MEMORY only.
RF_API rf_status rf_packed_answers_write(const rf_answer *answers, const rf_status *statuses, size_t count,
                                         const rf_hits *hits, rf_packed_ids *ids, uint8_t *bytes);

RF_END

#endif
