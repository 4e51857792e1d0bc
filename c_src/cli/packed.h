// packed.h: a log of packed frames (docs/wire-format.md) as JSON Lines.
//
// A file of frames has each one's length in front, four bytes, the highest first. The first frame may be a snapshot: it
// says the schema, and where the log begins. All others are events. A file may also be one frame without a length.
#ifndef RF_CLI_PACKED_H
#define RF_CLI_PACKED_H

#include "input.h"
#include <roomfold/roomfold.h>

#define PACKED_FRAME_MAX ((uint32_t)1 << 27) // so the first byte of a file is at most 8, which no text starts with

typedef struct packed packed;

// Whether a file that starts so is one.
bool packed_starts(const char *data, size_t len);
// Takes over the file. schema: of frames without a snapshot; retained. NULL: no memory.
packed *packed_new(input *file, rf_schema *schema);
// Its frames as text; the input takes over the log.
input *packed_input(packed *log);
// What the snapshot said, as far as it has been read; else NULL.
rf_schema *packed_schema(const packed *log);
// Whether the first line is such a snapshot, all there is, and no event.
bool packed_begins(const packed *log);

#endif
