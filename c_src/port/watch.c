#include "watch.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/poll.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#define GRACE_SECONDS 2
#define LOOK_MS 1000 // where poll does not report the end of input

// Reads nothing (that is for the main thread): only polls for the end of input.
static void *watch(void *argument) {
    pid_t parent = *(pid_t *)argument;
    struct pollfd input = {.fd = STDIN_FILENO};
    while (poll(&input, 1, LOOK_MS) <= 0 || !(input.revents & (POLLHUP | POLLERR | POLLNVAL)))
        if (getppid() != parent) break;
    sleep(GRACE_SECONDS);
    _exit(EXIT_SUCCESS);
}

bool port_watch_start(void) {
    static pid_t parent;
    pthread_attr_t attributes;
    pthread_t thread;
    bool ok;
    parent = getppid();
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // The parent may have ended before the call.
    if (getppid() != parent) return false;
#endif
    if (pthread_attr_init(&attributes) != 0) return false;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    ok = pthread_create(&thread, &attributes, watch, &parent) == 0;
    pthread_attr_destroy(&attributes);
    return ok;
}
