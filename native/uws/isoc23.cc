// uWebSockets.js is built against glibc 2.38, whose headers rename three C functions to their C23 variants.
// Older glibc lacks those names. This addon, loaded first and with RTLD_GLOBAL, supplies them through the C17
// functions; they differ only in accepting a 0b prefix where the base is 0 or 2, which uWebSockets never
// parses.
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include <node_api.h>

extern "C" {

long __isoc23_strtol(const char *text, char **end, int base) {
    return strtol(text, end, base);
}

unsigned long __isoc23_strtoul(const char *text, char **end, int base) {
    return strtoul(text, end, base);
}

int __isoc23_sscanf(const char *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int converted = vsscanf(text, format, arguments);
    va_end(arguments);
    return converted;
}
}

// Node unloads a library that registers no module, and the functions would go with it.
NAPI_MODULE_INIT() {
    static_cast<void>(env);
    return exports;
}
