// Faults on purpose, one a function: the sanitizers must report each, or their silence says nothing.

#include <cstdlib>
#include <limits>
#include <thread>

#include <node_api.h>

namespace {

volatile int sink;

napi_value useAfterFree(napi_env, napi_callback_info) {
    auto *value = new volatile int(1);
    delete value;
    sink = *value;
    return nullptr;
}

napi_value signedOverflow(napi_env, napi_callback_info) {
    volatile int value = std::numeric_limits<int>::max();
    sink = value + 1;
    return nullptr;
}

napi_value leak(napi_env, napi_callback_info) {
    // A register or the stack may still hold the last address, which is then no leak yet.
    for (int i = 0; i < 100; i++) {
        int *volatile lost = new int[100];
        sink = *lost = i;
    }
    return nullptr;
}

napi_value race(napi_env, napi_callback_info) {
    int shared = 0;
    const auto increment = [&shared] {
        for (int i = 0; i < 1000; i++)
            const_cast<volatile int &>(shared) = shared + 1;
    };
    std::thread other(increment);
    increment();
    other.join();
    sink = shared;
    return nullptr;
}

void add(napi_env env, napi_value exports, const char *name, napi_callback callback) {
    napi_value function;
    if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function) != napi_ok ||
        napi_set_named_property(env, exports, name, function) != napi_ok)
        std::abort();
}

} // namespace

NAPI_MODULE_INIT() {
    add(env, exports, "useAfterFree", useAfterFree);
    add(env, exports, "signedOverflow", signedOverflow);
    add(env, exports, "leak", leak);
    add(env, exports, "race", race);
    return exports;
}
