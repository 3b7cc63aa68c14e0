#include <iostream>

#include "headend/command_line.h"
#include "headend/database/audit_log.h"
#include "headend/database/key_rotations.h"
#include "headend/database/meters.h"
#include "headend/monitor/rotation_order.h"
#include "platform/loop.h"

namespace wattmesh::headend {
namespace {

constexpr const char* every_kind = "authentication,encryption,master";
constexpr std::size_t reason_size_max = 200;

struct Ordered {
    DeviceNumber meter;
    database::KeyRotationId id;
};

/// All meters or none: a wrong number among them orders nothing.
std::vector<Ordered> place_orders(Desk& desk, const Words& meters, const std::string& kinds,
                                  const std::string& reason) {
    const auto now = desk.clock->now();
    std::vector<Ordered> orders;
    database::Transaction transaction{desk.connection};
    for (const auto& word : meters) {
        const auto number = number_from(word);
        const auto meter = database::Meters{desk.connection}.find(number);
        if (!meter) throw std::runtime_error("meter " + to_string(number) + " is not registered here");
        const auto id = database::KeyRotations{desk.connection}.order(meter->id, kinds, actor(), reason, now);
        if (!id)
            throw std::runtime_error("meter " + to_string(number) +
                                     " has an order that is not finished; it goes on by itself");
        database::AuditLog{desk.connection}.append(
            {now, actor(), "rotate keys", to_string(number), kinds + ": " + reason});
        orders.push_back({number, *id});
    }
    transaction.commit();
    return orders;
}

/// One line a kind, then how the order stands. True when every key was replaced.
bool print(const Ordered& ordered, const database::KeyRotationOrder& order) {
    const auto number = to_string(ordered.meter);
    bool refused = false;
    for (std::string_view rest = order.report; !rest.empty();) {
        const auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        refused = refused || line.find(" refused ") != std::string_view::npos;
        std::cout << number << " " << line << "\n";
    }
    if (order.finished && order.trouble.empty()) return !refused;
    std::cout << number << (order.finished ? " gave up " : " waits ") << order.kinds
              << (order.trouble.empty() ? "" : ": " + order.trouble) << "\n";
    return false;
}

}  // namespace

int run_rotate_keys(const Words& words) {
    const auto arguments = parse_words(words, {"kinds", "reason", "wait"});
    if (arguments.words().empty())
        throw platform::UsageError("say: headend rotate-keys METER... --reason WHY (see --help)");
    Desk desk{arguments};
    const auto reason = desk.raw.required<std::string>("reason");
    if (reason.empty() || reason.size() > reason_size_max)
        throw platform::UsageError("--reason takes 1 to 200 characters");
    const auto kinds = monitor::key_kinds(desk.raw.optional<std::string>("kinds", every_kind));
    if (!kinds)
        throw platform::UsageError("--kinds takes some of encryption,authentication,broadcast,master");
    const auto orders = place_orders(desk, arguments.words(), monitor::to_string(*kinds), reason);

    platform::Loop loop{desk.clock};
    platform::Timer look{loop}, end{loop};
    bool open = true;
    const std::function<void()> again = [&] {
        open = false;
        for (const auto& ordered : orders) {
            const auto order = database::KeyRotations{desk.connection}.find(ordered.id);
            open = open || (order && !order->finished);
        }
        open ? look.after_real(std::chrono::milliseconds{500}, again) : loop.stop();
    };
    look.after_real(std::chrono::milliseconds{500}, again);
    end.after_real(std::chrono::seconds{desk.raw.optional_in<int>("wait", 300, 0, 86'400)},
                   [&] { loop.stop(); });
    loop.run();

    bool all = true;
    for (const auto& ordered : orders) {
        const auto order = database::KeyRotations{desk.connection}.find(ordered.id);
        all = order && print(ordered, *order) && all;
    }
    if (open)
        std::cerr << "What waits goes on in `headend serve`, which needs its monitor and frontend roles.\n";
    return all ? 0 : 1;
}

}  // namespace wattmesh::headend
