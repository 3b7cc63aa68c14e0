#include "headend/monitor/audit_sealer.h"

namespace wattmesh::headend::monitor {
namespace {

constexpr Duration every_real = std::chrono::milliseconds{500}, retry_real = std::chrono::seconds{10};
constexpr int at_once = 2'000;

struct Sealed {
    int records = 0;
    std::string trouble;
};

Sealed work(database::Connection& connection, const database::AuditMark& mark, bool told, Instant now) {
    database::AuditLog log{connection};
    const auto trouble = differs_from(log, mark);
    if (trouble && !told) log.append({now, "head-end", "alarm", "audit log", *trouble});
    const auto sealed = log.seal(at_once);
    if (!trouble && sealed.records > 0) mark.write(sealed.head);
    return {sealed.records, trouble.value_or("")};
}

}  // namespace

AuditSealer::AuditSealer(platform::Loop& loop, database::QueryQueue& queue, database::AuditMark mark)
    : loop_(loop), queue_(queue), mark_(std::move(mark)), log_("audit"), timer_(loop) {}

void AuditSealer::stop() {
    alive_.reset();
    timer_.cancel();
}

void AuditSealer::seal() {
    timer_.after_real(retry_real, [this] { seal(); });  // even when the completion never comes
    queue_.run([mark = mark_, told = told_, now = loop_.now()](
                   database::Connection& connection) { return work(connection, mark, told, now); },
               [this, alive = std::weak_ptr{alive_}](std::optional<Sealed> sealed) {
                   if (!alive.lock()) return;
                   if (sealed && !sealed->trouble.empty() && !told_) log_.error("found {}", sealed->trouble);
                   if (sealed) told_ = !sealed->trouble.empty();
                   const bool more = sealed && sealed->records == at_once;
                   timer_.after_real(more ? Duration{0} : every_real, [this] { seal(); });
               });
}

}  // namespace wattmesh::headend::monitor
