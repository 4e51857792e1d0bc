#include "pieces.h"

#include <stdlib.h>
#include <string.h>

static bool same(const port_moment *a, const port_moment *b) {
    return a->seq == b->seq && a->oldest == b->oldest && a->mirror == b->mirror;
}

port_pieces *port_pieces_find(port_pieces *list, uint64_t number, uint64_t version, const port_moment *moment) {
    while (list && (list->number != number || list->version != version || !same(&list->saves.moment, moment)))
        list = list->next;
    return list;
}

port_pieces *port_pieces_begin(port_pieces **list, uint64_t number, uint64_t version, const port_moment *moment) {
    port_pieces *pieces = calloc(1, sizeof *pieces);
    if (!pieces) return NULL;
    *pieces = (port_pieces){.number = number, .version = version, .saves.moment = *moment, .next = *list};
    *list = pieces;
    return pieces;
}

rf_status port_pieces_add(port_pieces *pieces, const port_reader *piece) {
    size_t len = (size_t)piece->end;
    port_piece *added = malloc(sizeof *added + len);
    if (!added) return RF_NO_MEMORY;
    memcpy(added->bytes, piece->bytes, len);
    added->before = pieces->last;
    pieces->last = added;
    pieces->count++;
    if (len > pieces->longest) pieces->longest = len;
    return port_saves_read(&pieces->saves, (port_reader){added->bytes, piece->at, piece->end});
}

static void free_pieces(port_pieces *pieces) {
    for (port_piece *piece = pieces->last, *before; piece; piece = before) {
        before = piece->before;
        free(piece);
    }
    port_saves_free(&pieces->saves);
    free(pieces);
}

void port_pieces_remove(port_pieces **list, uint64_t number, uint64_t version) {
    while (*list) {
        port_pieces *pieces = *list;
        if (pieces->number != number || pieces->version > version) {
            list = &pieces->next;
            continue;
        }
        *list = pieces->next;
        free_pieces(pieces);
    }
}

void port_pieces_free(port_pieces **list) {
    while (*list) port_pieces_remove(list, (*list)->number, UINT64_MAX);
}
