// roomfold.h: includes all headers except log.h, whose library needs SQLite. docs/c-api.md is the introduction.
#ifndef ROOMFOLD_ROOMFOLD_H
#define ROOMFOLD_ROOMFOLD_H

#include <roomfold/admit.h>
#include <roomfold/alloc.h>
#include <roomfold/checkpoint.h>
#include <roomfold/collider.h>
#include <roomfold/definitions.h>
#include <roomfold/diff.h>
#include <roomfold/encode.h>
#include <roomfold/event.h>
#include <roomfold/fold.h>
#include <roomfold/hit.h>
#include <roomfold/json.h>
#include <roomfold/level.h>
#include <roomfold/packed_hits.h>
#include <roomfold/report.h>
#include <roomfold/rules.h>
#include <roomfold/scene.h>
#include <roomfold/schema.h>
#include <roomfold/simd.h>
#include <roomfold/space.h>
#include <roomfold/status.h>
#include <roomfold/term.h>
#include <roomfold/wire.h>
#include <roomfold/world.h>

#endif
