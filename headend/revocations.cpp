#include "headend/revocations.h"

#include "headend/database/concentrators.h"

namespace wattmesh::headend {
namespace {

constexpr Duration every_real = std::chrono::seconds{2};
constexpr Duration overlap = std::chrono::minutes{10};  ///< another process' clock may lag a little

}  // namespace

Revocations::Revocations(platform::Loop& loop, database::QueryQueue& queue,
                         std::function<void(DeviceNumber)> revoked)
    : loop_(loop), queue_(queue), revoked_(std::move(revoked)), timer_(loop) {}

void Revocations::start() { look(); }

void Revocations::stop() {
    alive_.reset();
    timer_.cancel();
}

void Revocations::look() {
    const Instant asked = loop_.now();
    queue_.run(
        [since = looked_](database::Connection& connection) {
            return database::Concentrators{connection}.revoked_since(since);
        },
        [this, asked, alive = std::weak_ptr{alive_}](std::optional<std::vector<DeviceNumber>> numbers) {
            if (!alive.lock()) return;
            timer_.after_real(every_real, [this] { look(); });
            if (!numbers) return;
            looked_ = asked - overlap;
            for (const DeviceNumber& number : *numbers) {
                {
                    const std::lock_guard lock{mutex_};
                    if (!numbers_.insert(to_string(number)).second) continue;
                }
                revoked_(number);
            }
        });
}

bool Revocations::refuses(const security::CertificateFacts& certificate) const {
    const std::lock_guard lock{mutex_};
    return numbers_.contains(certificate.common_name);
}

}  // namespace wattmesh::headend
