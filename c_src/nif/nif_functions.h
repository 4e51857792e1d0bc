// nif_functions.h: the NIFs of Roomfold.Native.
#ifndef ROOMFOLD_NIF_FUNCTIONS_H
#define ROOMFOLD_NIF_FUNCTIONS_H

#include "common.h"

nif_function nif_json_decode, nif_json_encode;
nif_function nif_world_new, nif_world_copy, nif_world_info;
nif_function nif_world_fold, nif_world_apply_diff, nif_world_load;
nif_function nif_world_admit, nif_world_input, nif_world_events_text;
nif_function nif_world_get, nif_world_query, nif_world_snapshot, nif_world_diff, nif_world_encode;
nif_function nif_world_encode_packed, nif_world_load_packed, nif_world_apply_packed;

nif_function nif_hits_open, nif_hits_mark, nif_hits_cast, nif_hits_overlap;

#endif
