#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>
#include <csignal>

#include "protocol/base/result.h"

/// style.md: "we are wrong -> assert, on in release too". CMake adds -DNDEBUG to its release builds unless
/// told otherwise.
TEST_CASE("build: an assert fires in every preset", "[architecture]") {
    const pid_t child = fork();
    if (child == 0) {
        std::signal(SIGABRT, SIG_DFL);  // Catch2's own handler would report a failed test
        close(STDERR_FILENO);
        const wattmesh::Result<int> refused{wattmesh::Error{wattmesh::Fault::truncated, 3}};
        _exit(refused.value());
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGABRT);
}
