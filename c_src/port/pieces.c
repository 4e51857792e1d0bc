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
    char **items = realloc(pieces->items, (pieces->count + 1) * sizeof *items), *bytes;
    if (!items) return RF_NO_MEMORY;
    pieces->items = items;
    bytes = malloc((size_t)piece->end);
    if (!bytes) return RF_NO_MEMORY;
    memcpy(bytes, piece->bytes, (size_t)piece->end);
    items[pieces->count++] = bytes;
    return port_saves_read(&pieces->saves, (port_reader){bytes, piece->at, piece->end});
}

static void free_pieces(port_pieces *pieces) {
    for (size_t i = 0; i < pieces->count; i++) free(pieces->items[i]);
    free(pieces->items);
    port_saves_free(&pieces->saves);
    free(pieces);
}

void port_pieces_remove(port_pieces **list, uint64_t number) {
    while (*list) {
        port_pieces *pieces = *list;
        if (pieces->number != number) {
            list = &pieces->next;
            continue;
        }
        *list = pieces->next;
        free_pieces(pieces);
    }
}

void port_pieces_free(port_pieces **list) {
    while (*list) port_pieces_remove(list, (*list)->number);
}
