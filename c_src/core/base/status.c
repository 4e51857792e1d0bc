// status.c: the names and messages of statuses.
#include <roomfold/status.h>

static const struct {
    const char *name, *message;
} reasons[] = {
    {"ok", "all is well"},
#define X(name, atom, message) {#atom, message},
#include <roomfold/reasons.inl>
#undef X
};

const char *rf_status_name(rf_status status) {
    return (unsigned)status < RF_STATUS_COUNT ? reasons[status].name : "unknown";
}

const char *rf_status_message(rf_status status) {
    return (unsigned)status < RF_STATUS_COUNT ? reasons[status].message : "unknown status";
}
