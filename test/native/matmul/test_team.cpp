// The team's threads: every unit is done once, whoever comes, and nobody is waited for who hasn't come.

#include "team.h"

#include <chrono>
#include <cstdio>
#include <vector>

using sluice::matmul::Team;

int main() {
    int failures = 0;
    for (const int32_t threads : {1, 2, 5}) {
        Team team(threads);
        std::vector<std::atomic<int32_t>> done(1000);
        for (int32_t call = 0; call < 20000; call++) {
            const int32_t count = call % 7 == 0 ? call % 1000 : call % 9;
            for (int32_t i = 0; i < count; i++)
                done[i].store(0, std::memory_order_relaxed);
            std::atomic<int32_t> strangers{0};
            team.run(count, [&](int32_t unit, int32_t thread) {
                done[unit].fetch_add(1, std::memory_order_relaxed);
                if (thread < 0 || thread >= threads) strangers++;
            });
            if (strangers != 0) failures++;
            for (int32_t i = 0; i < count; i++) {
                if (done[i].load(std::memory_order_relaxed) != 1) failures++;
            }
            if (call % 5000 == 0)
                std::this_thread::sleep_for(std::chrono::milliseconds(2)); // helpers fall asleep
        }
    }
    std::printf("team: %s\n", failures ? "FAILED" : "ok");
    return failures ? 1 : 0;
}
