// crc32c.h: CRC-32C (Castagnoli), the checksum of everything the log keeps.
#ifndef ROOMFOLD_LOG_CRC32C_H
#define ROOMFOLD_LOG_CRC32C_H

#include <stddef.h>
#include <stdint.h>

// Makes the tables. To be called once, before all else.
void log_crc32c_init(void);

// Goes on with a checksum; the first is 0. crc32c(crc32c(0, a), b) is that of a followed by b.
uint32_t log_crc32c(uint32_t sum, const void *bytes, size_t len);
// The same over a number as eight bytes, the lowest first.
uint32_t log_crc32c_number(uint32_t sum, uint64_t number);

#endif
