#pragma once
#include <functional>
#include <memory>
#include <string>

#include "platform/loop.h"

namespace wattmesh::platform {

/// Runs a program's body. An exception becomes one line on stderr, `program: what`, and exit status 1 (2 for
/// a UsageError). Files are created for the owner only (umask 077); a broken pipe is an error code, not a
/// signal.
int guarded_main(const std::string& program, const std::function<int()>& body);

/// For programs that hold keys: no core dumps, and no other process of this user may attach or read the
/// memory. Under a sanitizer only the first, because its leak check attaches.
void forbid_memory_dumps();

/// SIGTERM and SIGINT call `on_stop` on the loop's thread, every time they come. Make it before threads
/// start.
class StopSignals {
public:
    StopSignals(Loop& loop, std::function<void()> on_stop);
    ~StopSignals();
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace wattmesh::platform
