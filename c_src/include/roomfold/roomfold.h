// roomfold.h: everything a program needs to fold events into a world.
#ifndef ROOMFOLD_ROOMFOLD_H
#define ROOMFOLD_ROOMFOLD_H

#include <roomfold/alloc.h>
#include <roomfold/diff.h>
#include <roomfold/encode.h>
#include <roomfold/event.h>
#include <roomfold/fold.h>
#include <roomfold/json.h>
#include <roomfold/report.h>
#include <roomfold/rules.h>
#include <roomfold/schema.h>
#include <roomfold/status.h>
#include <roomfold/term.h>
#include <roomfold/world.h>

#endif
