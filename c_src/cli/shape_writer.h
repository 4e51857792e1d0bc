// shape_writer.h: changes as lines, in the shape that is wanted.
#ifndef RF_CLI_SHAPE_WRITER_H
#define RF_CLI_SHAPE_WRITER_H

#include "changes.h"
#include "output.h"

typedef enum shape { SHAPE_EVENTS, SHAPE_COMPONENT, SHAPE_KIND } shape;

typedef struct shape_writer {
    shape to;
    bool create;   // what comes in another shape than events: create, not update
    bool lossless; // seq, at and by are written too, and updates without components
} shape_writer;

// Domain events, and events as events, are written as they are, without white space. A line that
// can't be said by component or by kind, as a component or a kind in it is called like another key, becomes events.
// The changes are sorted. RF_NO_MEMORY is the only failure.
rf_status shape_write(const shape_writer *writer, output *out, changes *of);

#endif
