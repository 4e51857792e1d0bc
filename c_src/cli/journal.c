#include "journal.h"
#include "command.h"
#include "database.h"

#include <errno.h>
#include <string.h>

// A line feed between } and { certainly ends a value. Text without objects has none; from this size on, any line feed
// will do.
#define ENOUGH ((size_t)1 << 24)

static bool is_space(char byte) {
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static size_t skip_space(rf_str text, size_t at) {
    while (at < text.len && is_space(text.data[at])) at++;
    return at;
}

// The last position up to which all values are complete: a line feed between } and { is never inside a value. `text`
// may end inside a value.
static size_t last_break(rf_str text) {
    size_t any = 0;
    for (size_t at = text.len; at > 0; at--) {
        size_t before = at - 1, behind;
        if (text.data[at - 1] != '\n') continue;
        if (any == 0) any = at;
        behind = skip_space(text, at);
        while (before > 0 && is_space(text.data[before - 1])) before--;
        if (behind < text.len && text.data[behind] == '{' && before > 0 && text.data[before - 1] == '}') return at;
        at = before + 1;
    }
    return text.len >= ENOUGH ? any : 0;
}

// The position after the last line feed.
static size_t whole_lines(rf_str text) {
    size_t len = text.len;
    while (len > 0 && text.data[len - 1] != '\n') len--;
    return len;
}

static uint64_t count_feeds(const char *text, size_t len) {
    uint64_t count = 0;
    for (size_t at = 0; at < len; at += 255) { // so that the count fits a byte and the loop is vectorised
        size_t end = len - at < 255 ? len : at + 255;
        unsigned char some = 0;
        for (size_t i = at; i < end; i++) some = (unsigned char)(some + (text[i] == '\n'));
        count += some;
    }
    return count;
}

// Counts line feeds up to an offset in the text.
static void count_to(journal *log, size_t to) {
    const char *text = log->batch.text.data;
    uint64_t more = to > log->counted ? count_feeds(text + log->counted, to - log->counted) : 0;
    if (more > 0) {
        size_t start = to;
        while (text[start - 1] != '\n') start--;
        log->line_start = log->base + start;
        log->lines += more;
    }
    if (to > log->counted) log->counted = to;
}

// Drops the text that has been folded, and reads more.
static void refill(journal *log) {
    size_t done = log->batch.at, len;
    count_to(log, done);
    input_take(log->from, done);
    log->base += done;
    log->counted = 0;
    log->over = !input_more(log->from);
    log->batch.text.data = input_data(log->from, &len);
    log->batch.text.len = len;
    log->batch.at = 0;
    // After a reading error, the complete lines before it are still used.
    if (log->over && input_error(log->from) && !log->array) log->batch.text.len = whole_lines(log->batch.text);
    log->whole = log->over ? log->batch.text.len : log->array ? 0 : last_break(log->batch.text);
}

static bool is_database(const char *data, size_t len) {
    static const char sqlite[] = "SQLite format 3";
    return len >= sizeof sqlite && memcmp(data, sqlite, sizeof sqlite) == 0;
}

static int open_database(journal *log, const char *who, const log_place *where) {
    bool plain = input_plain(log->from);
    input_close(log->from);
    log->from = NULL;
    if (!plain)
        return complain(who, FAILED, "%s: a database can't be read from a pipe or a .gz, as others may write it",
                        where->path);
    log->database = true;
    return database_open(who, where->path, where->room, &log->from, &log->begins);
}

static int open_packed(journal *log, const char *who, const log_place *where) {
    log->packed = packed_new(log->from, where->schema);
    log->from = log->packed ? packed_input(log->packed) : NULL;
    return log->from ? DONE : complain(who, FAILED, "there is not enough memory");
}

// Recognises the form of the log by its first bytes.
static int find_form(journal *log, const char *who, const log_place *where) {
    size_t len;
    const char *data;
    input_more(log->from);
    data = input_data(log->from, &len);
    if (is_database(data, len)) return open_database(log, who, where);
    if (where->room) return complain(who, MISUSED, "%s: this is no database, and only those have rooms", where->path);
    return packed_starts(data, len) ? open_packed(log, who, where) : DONE;
}

int journal_open(journal *log, const char *who, const log_place *where) {
    static const char mark[] = "\xef\xbb\xbf";
    int code;
    *log = (journal){.from = input_open(where->path)};
    if (!log->from) return complain(who, FAILED, "%s: %s", where->path, strerror(errno));
    code = find_form(log, who, where);
    if (code != DONE) return code;
    refill(log);
    if (log->packed) log->begins = packed_begins(log->packed);
    if (log->batch.text.len >= 3 && memcmp(log->batch.text.data, mark, 3) == 0) {
        log->batch.at = log->counted = 3;
        log->line_start = 3;
    }
    return DONE;
}

rf_schema *journal_schema(const journal *log) {
    return log->packed ? packed_schema(log->packed) : NULL;
}

void journal_close(journal *log) {
    input_close(log->from);
    log->from = NULL;
}

// In an array, the next element comes after a comma, and the closing bracket is not an event.
static bool element(journal *log, size_t at) {
    rf_str text = log->batch.text;
    bool comma = at < text.len && text.data[at] == ',';
    if (comma || (!log->inside && text.data[at] == '[')) at = skip_space(text, at + 1);
    log->inside = true;
    log->event = at;
    if (comma || at >= text.len || text.data[at] != ']') return true;
    // Something behind it is an error, which the next fold reports.
    return skip_space(text, at + 1) < text.len;
}

bool journal_next(journal *log) {
    for (;;) {
        size_t at = skip_space(log->batch.text, log->batch.at);
        if (log->batch.done) return false;
        if (log->batch.mode == 0 && at < log->batch.text.len && log->batch.text.data[at] == '[' && !log->array) {
            log->array = true;
            if (!log->over) log->whole = 0;
        }
        // An array without an end is reported by the next fold.
        if (at < log->whole || (log->over && log->inside)) {
            log->event = at;
            return !log->array || element(log, at);
        }
        if (log->over) return false;
        // White space at the end of the piece is not needed any more.
        if (at == log->batch.text.len) log->batch.at = at;
        refill(log);
    }
}

rf_str journal_text(const journal *log) {
    return (rf_str){log->batch.text.data + log->event, log->batch.text.len - log->event};
}

rf_status journal_fold(journal *log, rf_fold *fold) {
    return rf_fold_json(fold, &log->batch, 1);
}

place journal_place(journal *log, size_t offset) {
    const char *text = log->batch.text.data;
    size_t at = log->event + offset;
    uint64_t more, start;
    count_to(log, log->event);
    more = count_feeds(text + log->counted, at - log->counted);
    start = log->line_start;
    if (more > 0) {
        size_t back = at;
        while (text[back - 1] != '\n') back--;
        start = log->base + back;
    }
    return (place){.line = log->lines + more + 1, .column = log->base + at - start + 1};
}

const char *journal_error(const journal *log) {
    return input_error(log->from);
}
