#include "harness.h"

#include <cstring>

int main(int argc, char **argv) {
    const char *filter = argc > 1 ? argv[1] : "";
    int run = 0;
    for (const harness::Test &test : harness::tests()) {
        if (!std::strstr(test.name, filter)) continue;
        run++;
        const int before = harness::failures();
        std::printf("%s\n", test.name);
        std::fflush(stdout);
        test.body();
        if (harness::failures() > before) std::printf("  %d failures\n", harness::failures() - before);
    }
    std::printf("%d tests, %d failures\n", run, harness::failures());
    return run > 0 && harness::failures() == 0 ? 0 : 1;
}
