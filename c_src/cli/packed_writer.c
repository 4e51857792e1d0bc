#include "packed_writer.h"

#include "packed.h"
#include "random_seed.h"
#include <stdlib.h>

// Events per frame. A frame is read as a whole, so this lets a log be larger than memory.
#define EVENTS 1000
#define BYTES ((size_t)1 << 20)

// RF_TOO_LARGE: longer than the reader accepts.
static rf_status write_frame(output *out, rf_str frame) {
    if (frame.len > PACKED_FRAME_MAX) return RF_TOO_LARGE;
    const char length[] = {(char)(frame.len >> 24), (char)(frame.len >> 16), (char)(frame.len >> 8), (char)frame.len};
    output_bytes(out, (rf_str){length, sizeof length});
    output_bytes(out, frame);
    return RF_OK;
}

static rf_status fold_line(rf_world *world, rf_str line, rf_schema *schema, offence *why) {
    rf_json_batch batch = {.text = line};
    rf_report report;
    rf_fold *fold;
    rf_status status;
    rf_report_init(&report, rf_allocator_default());
    status = rf_fold_new(world, &report, &fold);
    while (status == RF_OK && !batch.done) status = rf_fold_json(fold, &batch, 1);
    if (status == RF_OK && report.rejected_len > 0) {
        status = report.rejected[0].status;
        offence_of(&report.rejected[0], line, 0, schema, why);
    }
    rf_fold_free(fold);
    rf_report_free(&report);
    return status;
}

static rf_status write_snapshot(packed_writer *writer, rf_str begin, offence *why) {
    rf_world_def def = rf_world_def_default();
    rf_world *world;
    uint8_t *frame = NULL;
    size_t len;
    rf_status status;
    def.schema = writer->schema;
    def.hash_seed = random_seed();
    def.history = 1;
    status = rf_world_new(&def, &world);
    if (status == RF_OK && begin.len > 0) status = fold_line(world, begin, writer->schema, why);
    if (status == RF_OK) status = rf_encode_packed(world, false, 0, 0, rf_allocator_default(), &frame, &len);
    if (status == RF_OK) status = write_frame(writer->out, (rf_str){(const char *)frame, len});
    free(frame);
    rf_world_free(world);
    return status;
}

rf_status packed_writer_open(packed_writer *writer, output *out, rf_schema *schema, rf_str begin, offence *why) {
    rf_status status = rf_packer_new(rf_allocator_default(), schema, random_seed(), &writer->packer);
    writer->out = out;
    writer->schema = rf_schema_retain(schema);
    *why = (offence){0};
    return status == RF_OK ? write_snapshot(writer, begin, why) : status;
}

rf_status packed_writer_add(packed_writer *writer, rf_str event, rf_error *error) {
    rf_status status = rf_packer_add(writer->packer, event, error);
    if (status != RF_OK) return status;
    if (rf_packer_count(writer->packer) < EVENTS && rf_packer_bytes(writer->packer) < BYTES) return RF_OK;
    status = packed_writer_end(writer);
    error->status = status;
    error->offset = RF_NOWHERE;
    error->about[0] = '\0';
    return status;
}

rf_status packed_writer_end(packed_writer *writer) {
    rf_str frame;
    rf_status status;
    if (rf_packer_count(writer->packer) == 0) return RF_OK;
    status = rf_packer_frame(writer->packer, &frame);
    return status == RF_OK ? write_frame(writer->out, frame) : status;
}

void packed_writer_close(packed_writer *writer) {
    rf_packer_free(writer->packer);
    rf_schema_release(writer->schema);
    *writer = (packed_writer){0};
}
