#include "terminal-sim/tool/machine_till.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <array>
#include <cassert>
#include <sstream>

#include "security/private_file.h"

namespace wattmesh::sim {
namespace {

Poco::JSON::Object::Ptr json_of(const std::string& text) {
    try {
        return Poco::JSON::Parser{}.parse(text).extract<Poco::JSON::Object::Ptr>();
    } catch (const Poco::Exception&) {
        return new Poco::JSON::Object;
    }
}

std::string stringified(const Poco::JSON::Object& object) {
    std::ostringstream text;
    object.stringify(text);
    return text.str();
}

MachineOrder order_in(const std::filesystem::path& file) {
    const auto held = security::read_private_file(file);
    const auto json = json_of({held.reveal().begin(), held.reveal().end()});
    MachineOrder order{json->optValue<std::string>("key", ""), json->optValue<std::string>("terminal", ""),
                       json->optValue<std::string>("meter", ""), json->optValue<std::int64_t>("tender", 0)};
    if (order.key.empty() || order.tender <= 0)
        throw security::FileError(file.string() + ": holds no order of a machine; it is not touched");
    return order;
}

}  // namespace

std::string MachineOrder::body() const {
    Poco::JSON::Object json{Poco::JSON_PRESERVE_KEY_ORDER};
    json.set("terminal", terminal);
    json.set("meter", meter);
    json.set("tender", tender);
    return stringified(json);
}

MachineTill::MachineTill(MachineTalk& talk, Random& random, std::string terminal, std::filesystem::path state)
    : talk_(talk), random_(random), terminal_(std::move(terminal)), state_(std::move(state)) {
    if (std::filesystem::exists(state_)) pending_ = order_in(state_);
}

/// What vending itself refuses it calls by a reason; a status alone may be a passing trouble of its own.
MachineOutcome MachineTill::ask(const std::string& path, const std::string& body, const std::string& key) {
    using State = MachineOutcome::State;
    try {
        auto answer = talk_.ask(path, body, key);
        if (answer.status >= 200 && answer.status < 300)
            return {.state = State::sold, .receipt = std::move(answer.body)};
        const auto problem = json_of(answer.body);
        auto reason = problem->optValue<std::string>("reason", "");
        const bool refused = !reason.empty() && answer.status < 500;
        if (reason.empty()) reason = "status_" + std::to_string(answer.status);
        return {.state = refused ? State::refused : State::not_known,
                .reason = std::move(reason),
                .text = problem->optValue<std::string>("detail", "")};
    } catch (const NoAnswer& none) {
        return {.state = State::not_known, .reason = none.reason, .text = none.what()};
    }
}

MachineOutcome MachineTill::quote(const std::string& meter, std::int64_t tender) {
    return ask("/api/vend/quotes", MachineOrder{{}, terminal_, meter, tender}.body(), "");
}

void MachineTill::keep(const std::string& meter, std::int64_t tender) {
    assert(!pending_);
    std::array<std::uint8_t, 16> chance{};
    random_.fill(chance);
    MachineOrder order{"m-" + to_hex(chance), terminal_, meter, tender};
    Poco::JSON::Object json;
    json.set("key", order.key);
    json.set("terminal", order.terminal);
    json.set("meter", order.meter);
    json.set("tender", order.tender);
    security::create_private_file(state_, as_bytes(stringified(json)));
    pending_ = std::move(order);
}

MachineOutcome MachineTill::sell() {
    assert(pending_);
    return ask("/api/vend/sales", pending_->body(), pending_->key);
}

void MachineTill::forget() {
    std::filesystem::remove(state_);
    pending_.reset();
}

MachineOutcome MachineTill::confirm(std::int64_t sale) {
    return ask("/api/vend/sales/" + std::to_string(sale) + "/confirm", "{}", "");
}

}  // namespace wattmesh::sim
