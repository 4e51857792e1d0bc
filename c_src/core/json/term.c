// term.c: reads terms.
#include <roomfold/term.h>

#include "base/varint.h"

void rf_term_read(rf_term_reader *reader, rf_str term) {
    reader->at = (const uint8_t *)(term.len > 0 ? term.data : "");
    reader->end = reader->at + term.len;
}

static rf_str read_bytes(rf_term_reader *reader) {
    uint64_t len = rf_varint_read(&reader->at, reader->end);
    rf_str out = {.data = (const char *)reader->at, .len = (size_t)len};
    if (len > (uint64_t)(reader->end - reader->at)) out.len = (size_t)(reader->end - reader->at);
    reader->at += out.len;
    return out;
}

static double read_f64(rf_term_reader *reader) {
    double out = 0;
    if (reader->end - reader->at >= 8) {
        uint64_t bits = rf_load64(reader->at);
        memcpy(&out, &bits, sizeof out);
        reader->at += 8;
    }
    return out;
}

static double read_f32(rf_term_reader *reader) {
    float out = 0;
    if (reader->end - reader->at >= 4) {
        uint32_t bits = rf_load32(reader->at);
        memcpy(&out, &bits, sizeof out);
        reader->at += 4;
    }
    return (double)out;
}

rf_str rf_term_key(rf_term_reader *reader) {
    return read_bytes(reader);
}

rf_term rf_term_next(rf_term_reader *reader) {
    rf_term out = {.kind = RF_TERM_END};
    if (reader->at >= reader->end) return out;
    switch (*reader->at++) {
    case RF_TAG_NULL:
        out.kind = RF_TERM_NULL;
        break;
    case RF_TAG_FALSE:
        out.kind = RF_TERM_FALSE;
        break;
    case RF_TAG_TRUE:
        out.kind = RF_TERM_TRUE;
        break;
    case RF_TAG_INT:
        out.kind = RF_TERM_INT;
        out.as.integer = rf_zigzag_decode(rf_varint_read(&reader->at, reader->end));
        break;
    case RF_TAG_F64:
        out.kind = RF_TERM_FLOAT;
        out.as.number = read_f64(reader);
        break;
    case RF_TAG_F32:
        out.kind = RF_TERM_FLOAT;
        out.as.number = read_f32(reader);
        break;
    case RF_TAG_STRING:
        out.kind = RF_TERM_STRING;
        out.as.string = read_bytes(reader);
        break;
    case RF_TAG_LIST:
        out.kind = RF_TERM_LIST;
        out.as.count = rf_varint_read(&reader->at, reader->end);
        break;
    case RF_TAG_MAP:
        out.kind = RF_TERM_MAP;
        out.as.count = rf_varint_read(&reader->at, reader->end);
        break;
    default:
        reader->at = reader->end;
        break;
    }
    return out;
}
