#include "platform/main_guard.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <stdexcept>

#include "platform/arguments.h"

namespace wattmesh::platform {

namespace {
/// Runs `body` in a child, where limits and masks may be changed.
int status_of(const std::function<int()>& body) {
    const pid_t child = fork();
    if (child == 0) _exit(body());
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
}  // namespace

TEST_CASE("main guard: an exception is an exit status", "[platform]") {
    const auto quiet = [](const std::function<int()>& body) {
        return status_of([&] {
            (void)!freopen("/dev/null", "w", stderr);
            return guarded_main("test", body);
        });
    };
    CHECK(quiet([] { return 5; }) == 5);
    CHECK(quiet([]() -> int { throw std::runtime_error("x"); }) == 1);
    CHECK(quiet([]() -> int { throw UsageError("x"); }) == 2);
}

TEST_CASE("main guard: no core dumps", "[platform]") {
    CHECK(status_of([] {
              forbid_memory_dumps();
              rlimit limit{};
              getrlimit(RLIMIT_CORE, &limit);
              return limit.rlim_cur == 0 && limit.rlim_max == 0 ? 0 : 1;
          }) == 0);
}

TEST_CASE("stop signals: SIGTERM and SIGINT reach the loop", "[platform]") {
    Loop loop{std::make_shared<ScaledClock>()};
    int stops = 0;
    StopSignals signals{loop, [&] {
                            if (++stops == 2)
                                loop.stop();
                            else
                                std::raise(SIGINT);
                        }};
    std::raise(SIGTERM);
    loop.run();
    CHECK(stops == 2);
}

}  // namespace wattmesh::platform
