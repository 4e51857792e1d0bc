// packed_hits.h: rays and who they hit as bytes, for those who ask for many at once.
//
// A ray is 64 bytes: origin and direction (three binary64 each), range (binary64), mask and owner (32 bits each): the
// owner's place in a list of ids, from 1; 0 for nobody. An answer is 16 bytes: a kind, three zero bytes, a number, t
// (binary64). Kind 0 is nobody, 1 a target (number: the place of its id in another list, from 1), 2 a wall, 3 a box, 4
// a triangle, 255 an error (number: its rf_status). Everything little-endian.
#ifndef ROOMFOLD_PACKED_HITS_H
#define ROOMFOLD_PACKED_HITS_H

#include <roomfold/hit.h>

RF_BEGIN

#define RF_PACKED_RAY_SIZE 64
#define RF_PACKED_ANSWER_SIZE 16

// Reads count rays. statuses[i] is RF_INVALID_ARGUMENT where the owner is in no place of the list, or in one without an
// id (whose data is NULL); else RF_OK. The shots can be cast either way.
RF_API void rf_packed_rays_read(const uint8_t *bytes, size_t count, const rf_str *owners, size_t owner_count,
                                rf_shot *shots, rf_status *statuses);

// The ids of the targets that have been hit, each once, in the order in which they came up.
typedef struct rf_packed_ids {
    rf_allocator allocator;
    rf_str *items; // valid until the space changes
    uint32_t len, capacity;
    uint32_t *places; // by key: from 1
    uint32_t keys;
} rf_packed_ids;

RF_API rf_packed_ids rf_packed_ids_new(rf_allocator allocator);
RF_API void rf_packed_ids_free(rf_packed_ids *ids);

// Writes count answers, of what rf_cast made of the shots, or of their own status where that is not RF_OK. RF_NO_MEMORY
// if there is none for ids.
RF_API rf_status rf_packed_answers_write(const rf_answer *answers, const rf_status *statuses, size_t count,
                                         const rf_hits *hits, rf_packed_ids *ids, uint8_t *bytes);

RF_END

#endif
