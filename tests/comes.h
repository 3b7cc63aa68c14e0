#pragma once
#include <chrono>
#include <functional>
#include <thread>

namespace wattmesh::test {

/// Whether it comes true within a minute: long on an idle machine, enough on a busy one.
inline bool comes(const std::function<bool()>& condition,
                  std::chrono::seconds longest = std::chrono::seconds{60}) {
    for (const auto end = std::chrono::steady_clock::now() + longest; !condition();
         std::this_thread::sleep_for(std::chrono::milliseconds{20}))
        if (std::chrono::steady_clock::now() > end) return false;
    return true;
}

}  // namespace wattmesh::test
