#include "crc32c.h"

#include <string.h>

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define HAS_INSTRUCTION 1
#endif

// 0x1EDC6F41 with its bits reversed.
#define POLYNOMIAL UINT32_C(0x82F63B78)

// tables[k][b]: the effect of byte b if k more bytes follow it.
static uint32_t tables[8][256];

uint32_t log_crc32c_by_tables(uint32_t sum, const void *bytes, size_t len) {
    const unsigned char *at = bytes;
    uint32_t crc = ~sum;
    for (; len >= 8; len -= 8, at += 8) {
        uint32_t low = crc ^ ((uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24);
        crc = tables[7][low & 0xFF] ^ tables[6][low >> 8 & 0xFF] ^ tables[5][low >> 16 & 0xFF] ^ tables[4][low >> 24] ^
              tables[3][at[4]] ^ tables[2][at[5]] ^ tables[1][at[6]] ^ tables[0][at[7]];
    }
    for (; len > 0; len--, at++) {
        crc = crc >> 8 ^ tables[0][(crc ^ *at) & 0xFF];
    }
    return ~crc;
}

#ifdef HAS_INSTRUCTION
static int has_instruction;

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const unsigned char *at, size_t len) {
    uint64_t wide = crc;
    for (; len >= 8; len -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    for (; len > 0; len--, at++) {
        crc = __builtin_ia32_crc32qi(crc, *at);
    }
    return crc;
}
#endif

void log_crc32c_init(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
        }
        tables[0][byte] = crc;
    }
    for (int more = 1; more < 8; more++) {
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t crc = tables[more - 1][byte];
            tables[more][byte] = crc >> 8 ^ tables[0][crc & 0xFF];
        }
    }
#ifdef HAS_INSTRUCTION
    __builtin_cpu_init();
    has_instruction = __builtin_cpu_supports("sse4.2");
#endif
}

uint32_t log_crc32c(uint32_t sum, const void *bytes, size_t len) {
    if (len == 0) return sum;
#ifdef HAS_INSTRUCTION
    if (has_instruction) return ~by_instruction(~sum, bytes, len);
#endif
    return log_crc32c_by_tables(sum, bytes, len);
}

uint32_t log_crc32c_number(uint32_t sum, uint64_t number) {
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)(number >> (8 * i));
    }
    return log_crc32c(sum, bytes, sizeof bytes);
}
