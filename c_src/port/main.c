// main.c: roomfold_port, the program that holds worlds for Roomfold.Port in a process of its own. It reads calls from
// its standard input, writes the answers to its standard output in the same order, and ends at the end of its input.
//
//     roomfold_port [LIMIT]     LIMIT: bytes of a frame, in both directions
//
// Exit codes: 0 end of input, or the output was closed; 1 reading or writing failed, or out of memory; 2 a frame is
// longer than the limit or too short for a call's number, or the limit is invalid.
#include "call.h"
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DONE, FAILED, REFUSED };

#define GATHERED ((size_t)256 << 10) // bytes; answers are written when they reach this size,
#define TOGETHER 4                   // or belong to this many calls, so that the other side can already continue
#define KEPT ((size_t)1 << 20)       // of memory, between answers
#define PIPE_BYTES (1 << 20)
#define SPIN_NS 50000

typedef struct conversation {
    port_input input;
    port_answer output;
    port_worlds worlds;
} conversation;

static int complain(int code, const char *what) {
    fprintf(stderr, "roomfold_port: %s\n", what);
    return code;
}

// Larger pipes mean fewer context switches.
static void widen_pipes(void) {
#ifdef F_SETPIPE_SZ
    fcntl(STDIN_FILENO, F_SETPIPE_SZ, PIPE_BYTES);
    fcntl(STDOUT_FILENO, F_SETPIPE_SZ, PIPE_BYTES);
#endif
}

// False: the output was closed (EPIPE), or writing failed.
static bool write_answers(port_answer *output) {
    size_t done = 0;
    while (done < output->len) {
        ssize_t count = write(STDOUT_FILENO, output->bytes + done, output->len - done);
        if (count < 0 && errno != EINTR) return false;
        if (count > 0) done += (size_t)count;
    }
    output->len = 0;
    if (output->capacity > KEPT) port_answer_free(output);
    return true;
}

// Answers all complete calls, and then writes the remaining answers. Returns an exit code, or -1 to continue.
static int answer_all(conversation *it) {
    port_frame frame;
    port_next next;
    int count = 0;
    while ((next = port_input_next(&it->input, &frame)) == PORT_FRAME) {
        port_run(&it->worlds, frame.term, frame.call, it->input.limit, &it->output);
        if (it->output.status != RF_OK) return complain(FAILED, "there is no memory");
        if (++count < TOGETHER && it->output.len < GATHERED) continue;
        if (!write_answers(&it->output)) return errno == EPIPE ? DONE : complain(FAILED, strerror(errno));
        count = 0;
    }
    if (!write_answers(&it->output)) return errno == EPIPE ? DONE : complain(FAILED, strerror(errno));
    if (next == PORT_MORE) return -1;
    return complain(REFUSED, next == PORT_TOO_SHORT ? "a frame is too short for the number of a call"
                                                    : "a frame is longer than the limit");
}

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// Where the last call came soon, looks for the next one for a moment before the read that sleeps, and lets others have
// the processor meanwhile. To sleep and be woken takes longer, for the writer too, which has to do the waking.
static ssize_t read_input(char *at, size_t room, bool *soon) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    int64_t start = now_ns();
    ssize_t count;
    if (*soon)
        while (poll(&input, 1, 0) == 0 && now_ns() - start < SPIN_NS) sched_yield();
    count = read(STDIN_FILENO, at, room);
    *soon = now_ns() - start < 2 * SPIN_NS;
    return count;
}

static int converse(conversation *it) {
    bool soon = false;
    for (;;) {
        size_t room;
        char *at = port_input_room(&it->input, &room);
        ssize_t count;
        int code;
        if (!at) return complain(FAILED, "there is no memory");
        count = read_input(at, room, &soon);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return complain(FAILED, strerror(errno));
        if (count == 0) return DONE;
        port_input_came(&it->input, (size_t)count);
        code = answer_all(it);
        if (code >= 0) return code;
    }
}

static bool read_limit(const char *text, size_t *out) {
    char *end;
    unsigned long long limit;
    errno = 0;
    limit = strtoull(text, &end, 10);
    *out = (size_t)limit;
    return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' && limit >= 1024 && limit <= PORT_LIMIT_MAX;
}

int main(int argc, char **argv) {
    conversation it = {.input.limit = PORT_LIMIT_DEFAULT};
    int code;
    if (argc == 2 && strcmp(argv[1], "--version") == 0) return puts(RF_VERSION) < 0 ? FAILED : DONE;
    if (argc > 2 || (argc == 2 && !read_limit(argv[1], &it.input.limit)))
        return complain(REFUSED, "usage: roomfold_port [LIMIT], 1024 to 1073741824 bytes of a frame");
    signal(SIGPIPE, SIG_IGN);
    if (!port_watch_start()) return complain(FAILED, "there is no thread to watch for the end");
    widen_pipes();
    code = converse(&it);
    port_worlds_free(&it.worlds);
    port_answer_free(&it.output);
    port_input_free(&it.input);
    return code;
}
