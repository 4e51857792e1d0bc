// packed_writer.h: events as a file of packed frames (packed.h).
#ifndef RF_CLI_PACKED_WRITER_H
#define RF_CLI_PACKED_WRITER_H

#include "output.h"

typedef struct packed_writer {
    output *out;
    rf_schema *schema;
    rf_packer *packer;
} packed_writer;

// Begins with a snapshot: of nothing, or of what this line says, all there is (empty: no line).
rf_status packed_writer_open(packed_writer *writer, output *out, rf_schema *schema, rf_str begin);
// One event, as JSON text. On an error it is left out, and nothing else.
rf_status packed_writer_add(packed_writer *writer, rf_str event, rf_error *error);
// Writes what is left.
rf_status packed_writer_end(packed_writer *writer);
void packed_writer_close(packed_writer *writer);

#endif
