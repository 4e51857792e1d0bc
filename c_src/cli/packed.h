// packed.h: reads a log of packed frames (docs/wire-format.md) as JSON Lines.
//
// In a file of frames, each frame comes after its length: four bytes, highest first. The first frame may be a snapshot,
// with the schema and the state from which the log starts. All others are events. A file may also be a single frame
// without a length.
#ifndef RF_CLI_PACKED_H
#define RF_CLI_PACKED_H

#include "input.h"
#include <roomfold/roomfold.h>

#define PACKED_FRAME_MAX ((uint32_t)1 << 27) // so the first byte of a file is at most 8, which no text starts with

typedef struct packed packed;

// Whether a file that starts with these bytes is such a log.
bool packed_starts(const char *data, size_t len);
// Takes ownership of the file. schema: for frames without a snapshot; retained. NULL: no memory.
packed *packed_new(input *file, rf_schema *schema);
// Its frames as text. The input takes ownership of the log.
input *packed_input(packed *log);
// The snapshot's schema; NULL if none has been read.
rf_schema *packed_schema(const packed *log);
// Whether the first line is a snapshot and not an event.
bool packed_begins(const packed *log);

#endif
