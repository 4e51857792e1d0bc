// crc32c.h: CRC-32C (Castagnoli), the checksum of everything in the log.
#ifndef ROOMFOLD_LOG_CRC32C_H
#define ROOMFOLD_LOG_CRC32C_H

#include <stddef.h>
#include <stdint.h>

// Makes the tables. Call it once, before the other functions.
void log_crc32c_init(void);

// Continues a checksum; start with 0. crc32c(crc32c(0, a), b) is the checksum of a followed by b.
uint32_t log_crc32c(uint32_t sum, const void *bytes, size_t len);
// The same without the processor's instruction for it, which not every machine has.
uint32_t log_crc32c_by_tables(uint32_t sum, const void *bytes, size_t len);
// The same for a number, as eight bytes, lowest first.
uint32_t log_crc32c_number(uint32_t sum, uint64_t number);

#endif
