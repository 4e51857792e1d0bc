#include "text_error.h"
#include "command.h"

int text_error(const char *who, const char *path, rf_str text, const rf_error *error) {
    size_t line = 1, start = 0;
    const char *about = error->about, *open = *about ? " (" : "", *close = *about ? ")" : "";
    const char *message = rf_status_message(error->status);
    if (error->offset == RF_NOWHERE || error->offset > text.len)
        return complain(who, FAILED, "%s: %s%s%s%s", path, message, open, about, close);
    for (size_t i = 0; i < error->offset; i++) {
        if (text.data[i] != '\n') continue;
        line++;
        start = i + 1;
    }
    return complain(who, FAILED, "%s:%zu:%zu: %s%s%s%s", path, line, (size_t)error->offset - start + 1, message, open,
                    about, close);
}
