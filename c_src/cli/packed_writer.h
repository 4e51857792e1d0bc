// packed_writer.h: writes events as a file of packed frames (packed.h).
#ifndef RF_CLI_PACKED_WRITER_H
#define RF_CLI_PACKED_WRITER_H

#include "offence.h"
#include "output.h"

typedef struct packed_writer {
    output *out;
    rf_schema *schema;
    rf_packer *packer;
} packed_writer;

// Begins with a snapshot: of the state in the line `begin`, or of an empty world if the line is empty. why->what is not
// NULL if the schema does not take what the line says: then nothing can hold it.
rf_status packed_writer_open(packed_writer *writer, output *out, rf_schema *schema, rf_str begin, offence *why);
// Adds an event, given as JSON text. An error leaves out this event only.
rf_status packed_writer_add(packed_writer *writer, rf_str event, rf_error *error);
// Writes the remaining events.
rf_status packed_writer_end(packed_writer *writer);
void packed_writer_close(packed_writer *writer);

#endif
