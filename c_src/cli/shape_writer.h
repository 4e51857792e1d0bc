// shape_writer.h: writes changes as lines of the wanted shape.
#ifndef RF_CLI_SHAPE_WRITER_H
#define RF_CLI_SHAPE_WRITER_H

#include "changes.h"
#include "output.h"

typedef enum shape { SHAPE_EVENTS, SHAPE_COMPONENT, SHAPE_KIND } shape;

typedef struct shape_writer {
    shape to;
    bool create;   // changes from other shapes become creates, not updates
    bool lossless; // also write seq, at, by, and updates without components
} shape_writer;

// Writes domain events unchanged, and events as events, but without white space. Where a component's or a kind's name
// is one of the line's other keys, the line becomes events. Sorts the changes. Fails with RF_NO_MEMORY only.
rf_status shape_write(const shape_writer *writer, output *out, changes *of);
// Writes the line as it is, without white space between its tokens.
void shape_copy(output *out, const changes *of);

#endif
