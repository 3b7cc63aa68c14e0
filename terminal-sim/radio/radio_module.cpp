#include "terminal-sim/radio/radio_module.h"

#include <algorithm>

#include "protocol/mesh/network.h"

namespace wattmesh::sim {
namespace {
using namespace mesh;
constexpr std::size_t to_host_max = 256, queue_max = 48, senders_max = 2'048;
// Frames without MIC (joins) that nobody has checked: so many per second reach the host.
constexpr std::int64_t strangers_per_second = 40, token_q10 = 1'024;

/// A relay command says so in its network header. Of the rest, beacons wait for everything but blocks.
std::uint8_t priority_of(const host::Tx& tx) {
    constexpr std::uint8_t usual = 3, beacon = 4;
    switch (tx.type) {
        case FrameType::data_down: {
            const auto packet = decode_down(tx.body);
            return packet && packet->header.priority == priority_control ? priority_control : usual;
        }
        case FrameType::beacon:
            return beacon;
        case FrameType::image_block:
            return priority_bulk;
        default:
            return usual;
    }
}
}  // namespace

RadioModule::RadioModule(PhyRate rate, Ciphers& ciphers, Random& random, Transceiver& transceiver)
    : mac_({.rate = rate, .queue_max = queue_max, .senders_max = senders_max}, ciphers, random, transceiver,
           *this) {}

void RadioModule::start(Instant now) {
    stranger_tokens_at_ = now;
    report(status());
}

std::optional<Buffer> RadioModule::take() {
    if (to_host_.empty()) return std::nullopt;
    Buffer payload = std::move(to_host_.front());
    to_host_.pop_front();
    return payload;
}

void RadioModule::host_received(Bytes payload, Instant now) {
    auto message = host::decode(payload);
    if (!message) {
        ++malformed_;
        return;
    }
    if (const auto* init = std::get_if<host::Init>(&*message)) initialise(*init);
    if (auto* tx = std::get_if<host::Tx>(&*message)) transmit(std::move(*tx), now);
    if (const auto* key = std::get_if<host::Key>(&*message)) change_key(*key);
    if (std::holds_alternative<host::StatusRequest>(*message)) report(status());
    mac_.tick(now);
}

void RadioModule::note_counter() {
    if (const auto current = mac_.security().current(); current != 0)
        used_[current - 1U].counter = mac_.security().counter_next();
}

/// A host from an older disk may know less than we of the counters used under a key.
std::uint32_t RadioModule::counter_for(std::uint8_t key, const Key128& net_key, std::uint32_t start) {
    note_counter();
    Used& used = used_[key - 1U];
    const bool same = used.net_key && equal_constant_time(used.net_key->reveal(), net_key.reveal());
    if (!same) used = {net_key, 1};
    return std::max(start, used.counter);
}

void RadioModule::initialise(const host::Init& init) {
    const auto counter = counter_for(init.key, init.net_key, init.counter_start);
    mac_.reset();
    mac_.security().set_key(init.net_key, counter, init.key);
    mac_.set_address(init.pan, root_address);
    initialised_ = true;
    report(status());
}

void RadioModule::change_key(const host::Key& key) {
    if (!initialised_) return report(status());
    auto& security = mac_.security();
    switch (key.action) {
        case host::Key::Action::add:
            if (key.key != security.current())
                security.add_key(key.net_key, counter_for(key.key, key.net_key, key.counter_start), key.key);
            break;
        case host::Key::Action::use:
            note_counter();
            security.use(key.key);
            break;
        case host::Key::Action::forget:
            security.forget(key.key);
            break;
    }
    report(status());
}

void RadioModule::transmit(host::Tx tx, Instant now) {
    const auto handle = tx.handle;
    const auto refuse = [&](TxOutcome outcome) {
        report(host::TxResult{.handle = handle, .outcome = outcome});
    };
    if (!initialised_) return refuse(TxOutcome::not_initialised);
    const bool taken = mac_.send({.destination = tx.destination,
                                  .type = tx.type,
                                  .secured = tx.secured,
                                  .priority = priority_of(tx),
                                  .tag = handle,
                                  .body = std::move(tx.body)},
                                 now);
    if (!taken) refuse(TxOutcome::queue_full);
}

bool RadioModule::take_token(Instant now) {
    const auto elapsed_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(now - stranger_tokens_at_).count();
    stranger_tokens_q10_ =
        std::min(stranger_tokens_q10_ + elapsed_ms * strangers_per_second * token_q10 / 1'000,
                 strangers_per_second * token_q10);
    stranger_tokens_at_ = now;
    if (stranger_tokens_q10_ < token_q10) return false;
    stranger_tokens_q10_ -= token_q10;
    return true;
}

/// The host finds out whose it is.
void RadioModule::rival_beacon(const MacFrame& frame, std::int8_t rssi_dbm, Instant now) {
    if (!initialised_ || !take_token(now) || to_host_.size() >= to_host_max) return;
    report(host::Rx{.rssi_dbm = rssi_dbm,
                    .source = frame.source,
                    .destination = frame.destination,
                    .type = frame.type,
                    .secured = false,
                    .body = to_buffer(frame.body)});
}

Acceptance RadioModule::received(const Arrival& arrival, Instant now) {
    const auto& frame = arrival.frame;
    if (!initialised_) return Acceptance::busy;
    if (frame.type == FrameType::beacon && !arrival.verified) return Acceptance::taken;
    const bool secured_type = frame.type != FrameType::solicit && frame.type != FrameType::join_request;
    if (!arrival.verified && secured_type) return Acceptance::taken;
    if (!arrival.verified && !take_token(now)) return Acceptance::busy;
    if (to_host_.size() >= to_host_max) return Acceptance::busy;
    report(host::Rx{.rssi_dbm = arrival.rssi_dbm,
                    .source = frame.source,
                    .destination = frame.destination,
                    .type = frame.type,
                    .secured = arrival.verified,
                    .body = to_buffer(frame.body)});
    return Acceptance::taken;
}

void RadioModule::sent(const Departure& departure, Instant) {
    report(host::TxResult{.handle = static_cast<std::uint16_t>(departure.tag),
                          .outcome = departure.outcome,
                          .tries = departure.tries,
                          .rssi_dbm = departure.rssi_dbm});
}

host::Status RadioModule::status() const {
    const auto& counters = mac_.counters();
    return {.initialised = initialised_,
            .counter_next = mac_.security().counter_next(),
            .frames_sent = counters.sent,
            .frames_received = counters.received,
            .frames_refused = counters.not_authentic + counters.replayed + counters.malformed + malformed_,
            .key = mac_.security().current()};
}

}  // namespace wattmesh::sim
