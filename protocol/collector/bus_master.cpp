#include "protocol/collector/bus_master.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "protocol/base/obis.h"
#include "protocol/dlms/client.h"

namespace wattmesh::collector {
namespace {
using namespace std::chrono_literals;
using link::HdlcLink;
constexpr Duration errand_max = 6s;  // a link that is polled for ever is not answered either
constexpr unsigned repeats_known = 2;
constexpr std::size_t apdu_size_max = 1'024;
constexpr std::int64_t bits_per_octet = 10;
constexpr std::uint16_t data_class = 1;

HdlcLink::Config primary(std::uint16_t address, Sap client, bool known) {
    HdlcLink::Config config;
    config.role = HdlcLink::Role::client;
    config.own.upper = client.value;
    config.peer = {.upper = management_logical_device.value, .lower = address};
    config.apdu_size_max = apdu_size_max;
    config.repeats_max = known ? repeats_known : 1;
    return config;
}

/// The public client has no keys, so nobody counts.
class NoCounters final : public CounterStore {
public:
    std::optional<std::uint32_t> next() override { return std::nullopt; }
    bool accept(std::uint32_t) override { return false; }
    void raise(std::uint32_t) override {}
};
}  // namespace

struct BusMaster::Errand {
    std::uint16_t address = 0;
    Sap client;
    bool known = false;
    bool closing_other = false;  ///< the client before us is shown out first
    bool reused = false;         ///< over a link that was open before; the meter may have forgotten it
    bool leaving = false;        ///< all is said; the link is closed behind us
    Instant give_up{}, answer_by = never;
    Buffer apdu;  ///< to be passed on
    NoCounters counters;
    std::unique_ptr<dlms::Client> identity;  ///< the number is asked for
    BusOutcome result{};
};

std::optional<DeviceNumber> number_in_name(Bytes name) {
    if (name.size() < 12) return std::nullopt;
    const auto digits = name.last(12);
    return DeviceNumber::parse({reinterpret_cast<const char*>(digits.data()), digits.size()});
}

BusMaster::BusMaster(const BusSettings& settings, Ciphers& ciphers, Random& random)
    : settings_(settings), ciphers_(ciphers), random_(random) {}
BusMaster::~BusMaster() = default;

BusMaster::Session& BusMaster::session(std::uint16_t address, Sap client, bool known) {
    sessions_.erase(address);
    return sessions_.emplace(address, Session{client, HdlcLink{primary(address, client, known)}})
        .first->second;
}

void BusMaster::identify(std::uint16_t address, bool known, Instant now) {
    assert(!busy());
    errand_ = std::make_unique<Errand>();
    errand_->address = address;
    errand_->client = public_client;
    errand_->known = known;
    errand_->identity = std::make_unique<dlms::Client>(dlms::ClientConfig{}, ciphers_, random_,
                                                       errand_->counters, errand_->counters);
    errand_->identity->associate();
    errand_->identity->get({data_class, obis::logical_device_name, 2});
    ++counters_.calls;
    open(now);
}

void BusMaster::relay(std::uint16_t address, Sap client, Buffer apdu, Instant now) {
    assert(!busy());
    errand_ = std::make_unique<Errand>();
    errand_->address = address;
    errand_->client = client;
    errand_->known = true;
    errand_->apdu = std::move(apdu);
    ++counters_.apdus;
    open(now);
}

void BusMaster::open(Instant now) {
    errand_->give_up = now + errand_max;
    const auto found = sessions_.find(errand_->address);
    const bool is_open = found != sessions_.end() && found->second.link.state() == HdlcLink::State::open;
    const bool same = is_open && found->second.client == errand_->client && !errand_->identity;
    if (is_open && !same) {
        errand_->closing_other = true;
        found->second.link.close();
        return pump(now);
    }
    errand_->reused = same;
    if (same)
        found->second.link.send_apdu(errand_->apdu);
    else
        begin_link();
    pump(now);
}

void BusMaster::begin_link() {
    auto& link = session(errand_->address, errand_->client, errand_->known).link;
    link.open();
    if (!errand_->apdu.empty()) link.send_apdu(errand_->apdu);
}

void BusMaster::await(Duration answer_max, Instant now) {
    const auto on_the_wire =
        static_cast<std::int64_t>(output_.size()) * bits_per_octet * 1'000'000 / settings_.baud;
    errand_->answer_by = now + Duration{on_the_wire} + answer_max;
}

/// Moves what the link and the client above it have for each other.
void BusMaster::pump(Instant now) {
    Session* session = &sessions_.at(errand_->address);
    if ((errand_->closing_other || errand_->reused) && session->link.state() == HdlcLink::State::closed) {
        errand_->closing_other = errand_->reused = false;
        begin_link();
        session = &sessions_.at(errand_->address);
    }
    const bool was_closed = session->link.state() == HdlcLink::State::closed;
    if (errand_->leaving && was_closed) return finish(errand_->result);
    if (was_closed && !errand_->closing_other)
        return finish({.kind = BusOutcome::Kind::silent});  // refused (DM), or given up
    if (!errand_->closing_other && !errand_->leaving) {
        if (auto apdu = session->link.take_apdu()) {
            if (!errand_->identity)
                return finish({.kind = BusOutcome::Kind::answered, .apdu = std::move(*apdu)});
            errand_->identity->receive(*apdu);
        }
        if (errand_->identity) identity_pump();
    }
    while (const auto frame = session->link.take_output())
        output_.insert(output_.end(), frame->begin(), frame->end());
    const bool calling = !errand_->known && session->link.state() == HdlcLink::State::opening;
    if (!output_.empty()) await(calling ? settings_.call_answer_max : settings_.answer_max, now);
}

void BusMaster::identity_pump() {
    auto& client = *errand_->identity;
    auto& link = sessions_.at(errand_->address).link;
    const auto leave = [&](BusOutcome outcome) {
        errand_->result = std::move(outcome);
        errand_->leaving = true;
        link.close();
    };
    while (auto event = client.take_event()) {
        if (errand_->leaving) continue;
        if (const auto* read = std::get_if<dlms::ReadCompleted>(&*event)) {
            const auto* value = std::get_if<dlms::Data>(&read->outcome);
            const bool name = value != nullptr && value->as<dlms::OctetString>() != nullptr;
            const auto meter = name ? number_in_name(value->octets()) : std::nullopt;
            leave(meter ? BusOutcome{.kind = BusOutcome::Kind::identified, .apdu = {}, .meter = *meter}
                        : BusOutcome{.kind = BusOutcome::Kind::anonymous});
        } else if (!std::holds_alternative<dlms::Associated>(*event)) {
            leave({.kind = BusOutcome::Kind::anonymous});
        }
    }
    if (errand_->leaving) return;
    if (link.state() != HdlcLink::State::open) return;
    while (auto apdu = client.take_output()) link.send_apdu(*apdu);
}

void BusMaster::received(Bytes octets, Instant now) {
    if (!errand_) return;  // nobody was asked
    auto& link = sessions_.at(errand_->address).link;
    const auto established = link.established();
    link.feed(octets);
    if (link.established() != established) ++counters_.links;
    if (errand_->answer_by != never) errand_->answer_by = now + settings_.answer_max;
    pump(now);
}

void BusMaster::tick(Instant now) {
    if (!errand_ || (now < errand_->answer_by && now < errand_->give_up)) return;
    auto& link = sessions_.at(errand_->address).link;
    link.drop_partial();
    const bool calling = !errand_->known && link.state() == HdlcLink::State::opening;
    if (errand_->leaving) {
        sessions_.erase(errand_->address);
        return finish(errand_->result);
    }
    if (now < errand_->give_up && !calling && link.repeat()) {
        ++counters_.repeats;
        return pump(now);
    }
    if ((errand_->closing_other || errand_->reused) && now < errand_->give_up) {
        link.reset();  // it has forgotten the old link, or does not say good-bye: a call ends that as well
        return pump(now);
    }
    sessions_.erase(errand_->address);
    finish({.kind = BusOutcome::Kind::silent});
}

Instant BusMaster::next_deadline() const {
    return errand_ ? std::min(errand_->answer_by, errand_->give_up) : never;
}

void BusMaster::finish(BusOutcome outcome) {
    if (outcome.kind == BusOutcome::Kind::silent) ++counters_.silent;
    if (errand_->identity || outcome.kind == BusOutcome::Kind::silent) sessions_.erase(errand_->address);
    errand_.reset();
    outcome_ = std::move(outcome);
}

std::optional<Buffer> BusMaster::take_output() {
    if (output_.empty()) return std::nullopt;
    return std::exchange(output_, {});
}

std::optional<BusOutcome> BusMaster::take_outcome() { return std::exchange(outcome_, std::nullopt); }

}  // namespace wattmesh::collector
