// gunzip.h: the bytes of a file, plain or .gz. What starts as a .gz has to be one to its end: members, and behind the
// last of them at most zero bytes, which fill a tape's or a disk's blocks.
#ifndef RF_CLI_GUNZIP_H
#define RF_CLI_GUNZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct gunzip gunzip;

// Takes over the descriptor, which is closed also where this fails. NULL: no memory.
gunzip *gunzip_open(int descriptor);
void gunzip_close(gunzip *from);
// So many bytes; fewer at the end and on errors.
size_t gunzip_read(gunzip *from, char *into, size_t size);
// What went wrong; NULL if nothing did.
const char *gunzip_error(const gunzip *from);
// Of what has been read: whether it is no .gz.
bool gunzip_plain(const gunzip *from);
// How many bytes of the file have been used.
uint64_t gunzip_at(const gunzip *from);

#endif
