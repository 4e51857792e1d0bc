// In the place of the VM's own erl_child_setup, under a sanitizer's preload: with it that program can miss that a child
// has ended. This one is linked statically, so nothing is preloaded into it, and starts the real one without.
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
    (void)argc;
    unsetenv("LD_PRELOAD");
    execv(CHILD_SETUP, argv);
    return 127;
}
