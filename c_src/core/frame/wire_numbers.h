// wire_numbers.h: the numbers of the packed format, from its table.
#ifndef RF_CORE_WIRE_NUMBERS_H
#define RF_CORE_WIRE_NUMBERS_H

#include <roomfold/wire.h>

enum {
#define RF_WIRE_NUMBER(name, number, text) RF_WIRE_##name = (number),
#include <roomfold/wire.inl>
};

enum {
#define RF_WIRE_OP(name, number, text) RF_WIRE_OP_##name = (number),
#include <roomfold/wire.inl>
};

enum {
#define RF_WIRE_SEQ(name, number, text) RF_WIRE_SEQ_##name = (number),
#include <roomfold/wire.inl>
};

// What the frames call a type is what C calls it.
#define RF_WIRE_TYPE(name, number, text) _Static_assert((int)RF_TYPE_##name == (number), "types are numbered alike");
#define RF_WIRE_QUANTISE(name, number, text)                                                                           \
    _Static_assert((int)RF_QUANTISE_##name == (number), "kinds of quantisation are numbered alike");
#include <roomfold/wire.inl>

#define RF_WIRE_HEAD(kind) ((uint8_t)(RF_WIRE_VERSION * 16 + (kind)))

#endif
