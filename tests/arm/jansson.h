// jansson.h: only the names in tests/c/support.h; nothing of it is called (see check.h).
#ifndef TESTS_ARM_JANSSON_H
#define TESTS_ARM_JANSSON_H

typedef struct json_t json_t;

#endif
