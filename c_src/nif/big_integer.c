// big_integer.c: exchanges such integers with the VM in its External Term Format: version, tag, count of bytes, sign,
// bytes from the least significant on.
#include "big_integer.h"

#include <string.h>

#define VERSION 131
#define SMALL_BIG 110 // count in one byte
#define LARGE_BIG 111 // count in four bytes, big-endian
#define HEADER 7      // bytes of a large one before its bytes

#define CHUNK 1000000000u // nine digits at a time, which fit in 32 bits
#define CHUNK_DIGITS 9
#define LIMBS_MAX (NIF_BIG_DIGITS / CHUNK_DIGITS + 1) // of 32 bits; nine digits take less than one

typedef struct limbs {
    uint32_t *at; // from the least significant
    size_t len;
} limbs;

static void multiply_add(limbs *number, uint32_t factor, uint32_t term) {
    uint64_t carry = term;
    for (size_t i = 0; i < number->len; i++) {
        carry += (uint64_t)number->at[i] * factor;
        number->at[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry > 0) number->at[number->len++] = (uint32_t)carry;
}

// Divides by CHUNK; returns the remainder.
static uint32_t divide(limbs *number) {
    uint64_t rest = 0;
    for (size_t i = number->len; i-- > 0;) {
        rest = rest << 32 | number->at[i];
        number->at[i] = (uint32_t)(rest / CHUNK);
        rest %= CHUNK;
    }
    while (number->len > 0 && number->at[number->len - 1] == 0) number->len--;
    return (uint32_t)rest;
}

static void parse(limbs *number, rf_str digits) {
    for (size_t i = 0; i < digits.len;) {
        uint32_t factor = 1, term = 0;
        do {
            factor *= 10;
            term = term * 10 + (uint32_t)(digits.data[i++] - '0');
        } while ((digits.len - i) % CHUNK_DIGITS != 0);
        multiply_add(number, factor, term);
    }
}

static ERL_NIF_TERM to_term(ErlNifEnv *env, const limbs *number, bool negative, bool *ok) {
    unsigned char bytes[HEADER + LIMBS_MAX * 4] = {VERSION, LARGE_BIG};
    size_t count = number->len * 4;
    ERL_NIF_TERM term = 0;
    for (size_t i = 0; i < count; i++) bytes[HEADER + i] = (unsigned char)(number->at[i / 4] >> (i % 4 * 8));
    while (count > 0 && bytes[HEADER + count - 1] == 0) count--;
    for (size_t i = 0; i < 4; i++) bytes[2 + i] = (unsigned char)(count >> (24 - 8 * i));
    bytes[6] = negative;
    *ok = enif_binary_to_term(env, bytes, HEADER + count, &term, 0) != 0;
    return term;
}

rf_status nif_big_read(ErlNifEnv *env, rf_str text, ERL_NIF_TERM *out) {
    uint32_t room[LIMBS_MAX];
    limbs number = {.at = room};
    bool negative = text.len > 0 && text.data[0] == '-', ok;
    rf_str digits = {text.data + negative, text.len - negative};
    if (digits.len > NIF_BIG_DIGITS) return RF_NUMBER_OUT_OF_RANGE;
    parse(&number, digits);
    *out = to_term(env, &number, negative, &ok);
    return ok ? RF_OK : RF_NO_MEMORY;
}

// The bytes and the sign of an integer in External Term Format. Small integers have tags of their own.
static rf_status from_external(rf_str external, limbs *number, bool *negative) {
    const unsigned char *bytes = (const unsigned char *)external.data;
    size_t header, count;
    if (external.len > 3 && bytes[0] == VERSION && bytes[1] == SMALL_BIG) {
        header = 4;
        *negative = bytes[3];
    } else if (external.len > HEADER && bytes[0] == VERSION && bytes[1] == LARGE_BIG) {
        header = HEADER;
        *negative = bytes[6];
    } else {
        return RF_UNSUPPORTED_VALUE;
    }
    count = external.len - header;
    if (count > LIMBS_MAX * sizeof(uint32_t)) return RF_NUMBER_OUT_OF_RANGE;
    number->len = (count + 3) / 4;
    memset(number->at, 0, number->len * sizeof(uint32_t));
    for (size_t i = 0; i < count; i++) number->at[i / 4] |= (uint32_t)bytes[header + i] << (i % 4 * 8);
    return RF_OK;
}

// Writes the digits so that they end at `end`; returns where they start. Consumes the number.
static char *print(limbs *number, char *end) {
    char *at = end;
    while (number->len > 0) {
        uint32_t chunk = divide(number);
        for (int i = 0; i < CHUNK_DIGITS; i++, chunk /= 10) *--at = (char)('0' + chunk % 10);
    }
    while (at < end && *at == '0') at++;
    return at;
}

rf_status nif_big_write(ErlNifEnv *env, ERL_NIF_TERM integer, char **text, size_t *len) {
    uint32_t limbs_room[LIMBS_MAX];
    limbs number = {.at = limbs_room};
    char room[1 + (LIMBS_MAX + LIMBS_MAX / 8) * CHUNK_DIGITS + 2 * CHUNK_DIGITS]; // 32 bits are 9.64 digits
    char *end = room + sizeof room, *start;
    ErlNifBinary external;
    bool negative = false;
    rf_status status;
    if (!enif_term_to_binary(env, integer, &external)) return RF_NO_MEMORY;
    status = from_external((rf_str){(const char *)external.data, external.size}, &number, &negative);
    enif_release_binary(&external);
    if (status != RF_OK) return status;
    start = print(&number, end);
    if (end - start > NIF_BIG_DIGITS) return RF_NUMBER_OUT_OF_RANGE;
    if (negative) *--start = '-';
    *len = (size_t)(end - start);
    *text = enif_alloc(*len);
    if (!*text) return RF_NO_MEMORY;
    memcpy(*text, start, *len);
    return RF_OK;
}
