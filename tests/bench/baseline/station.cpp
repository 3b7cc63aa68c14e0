#include "tests/bench/baseline/station.h"

#include <algorithm>

#include "tests/concentrator/mesh/town.h"

namespace wattmesh::bench {
namespace {

using namespace std::chrono_literals;
using namespace mesh;
constexpr std::uint16_t pan = 77;
constexpr std::uint32_t counters_per_boot = 1U << 22;
constexpr std::size_t queue_max = 16, queue_root_max = 48, senders_max = 2'048;

Key128 net_key() {
    std::array<std::uint8_t, 16> octets{};
    octets.fill(0x5A);
    return Key128{octets};
}

}  // namespace

Buffer words(const std::vector<std::uint16_t>& words, std::size_t size) {
    Buffer body;
    for (const auto one : words) {
        body.push_back(static_cast<std::uint8_t>(one >> 8));
        body.push_back(static_cast<std::uint8_t>(one));
    }
    if (body.size() < size) body.resize(size, 0);
    return body;
}
std::uint16_t word(Bytes body, std::size_t index) {
    if (body.size() < 2 * index + 2) return 0;
    return static_cast<std::uint16_t>(body[2 * index] << 8 | body[2 * index + 1]);
}

RivalStation::RivalStation(Book& book, std::uint16_t address, Transceiver& radio, Random& random)
    : book_(book),
      address_(address),
      mac_({.rate = book.rate,
            .queue_max = address == root_address ? queue_root_max : queue_max,
            .senders_max = address == root_address ? senders_max : 256},
           *book.ciphers, random, radio, *this) {
    mac_.security().set_key(net_key(), 1 + book.boots[address]++ * counters_per_boot);
    mac_.set_address(pan, address);
    book.attached[address] = address == root_address;
}

void RivalStation::start(Instant now) {
    now_ = now;
    begin();
}

bool RivalStation::received(Bytes psdu, std::int8_t rssi_dbm, Instant now) {
    now_ = now;
    if (!mac_.concerns(psdu)) {
        mac_.overheard();
        return false;
    }
    mac_.received(psdu, rssi_dbm, now);
    mac_.tick(now);
    return true;
}

void RivalStation::transmitted(Instant now) {
    now_ = now;
    mac_.transmitted(now);
    mac_.tick(now);
}

void RivalStation::tick(Instant now) {
    now_ = now;
    while (!timers_.empty() && timers_.begin()->first <= now) {
        const auto node = timers_.extract(timers_.begin());
        node.mapped()();
    }
    mac_.tick(now);
}

Instant RivalStation::next_deadline() const {
    return timers_.empty() ? mac_.next_deadline() : std::min(mac_.next_deadline(), timers_.begin()->first);
}

void RivalStation::after(Duration delay, std::function<void()> what) {
    timers_.emplace(now_ + delay, std::move(what));
}

Duration RivalStation::within(Duration span) {
    return Duration{static_cast<std::int64_t>(chance()) * span.count() / 0x1'0000'0000};
}

void RivalStation::broadcast(FrameType type, Buffer body) {
    mac_.send({.destination = broadcast_address, .type = type, .priority = 4, .body = std::move(body)}, now_);
}

void RivalStation::unicast(std::uint16_t to, FrameType type, Buffer body, int priority, Done done) {
    const auto tag = ++tags_;
    pending_[tag] = std::move(done);
    const bool taken = mac_.send({.destination = to,
                                  .type = type,
                                  .priority = static_cast<std::uint8_t>(priority),
                                  .tag = tag,
                                  .body = std::move(body)},
                                 now_);
    if (taken) return;
    const auto refused = pending_.extract(tag);
    if (refused.mapped()) after(Duration{1}, [done = refused.mapped()] { done(false, 0); });
}

void RivalStation::sent(const Departure& departure, Instant now) {
    now_ = now;
    const auto pending = pending_.extract(departure.tag);
    if (!pending) return;
    const bool acknowledged = departure.outcome == TxOutcome::acknowledged;
    if (departure.tries > 0) exchanged(departure.destination, acknowledged, departure.tries);
    if (pending.mapped()) pending.mapped()(acknowledged, departure.tries);
}

Acceptance RivalStation::received(const Arrival& arrival, Instant now) {
    now_ = now;
    const MacFrame& frame = arrival.frame;
    if (!arrival.verified) return Acceptance::taken;
    const Heard heard{frame.source, arrival.rssi_dbm, frame.type};
    switch (frame.type) {
        case FrameType::beacon:
        case FrameType::solicit:
            control(heard, frame.body);
            break;
        case FrameType::join_accept:
        case FrameType::data_down:
            if (mac_.full()) return Acceptance::busy;
            if (auto packet = decode_down(frame.body)) down_heard(std::move(*packet), heard);
            break;
        case FrameType::join_request:
        case FrameType::link_report:
        case FrameType::route_error:
        case FrameType::data_up:
            if (address_ != root_address && mac_.full()) return Acceptance::busy;
            if (auto packet = decode_up(frame.body)) up_heard(std::move(*packet), heard);
            break;
        default:
            break;
    }
    return Acceptance::taken;
}

UpPacket RivalStation::to_root(Buffer body) {
    UpPacket packet;
    packet.header = {.destination = root_address, .source = address_, .sequence = ++sequence_};
    packet.rank = rank();
    packet.body = std::move(body);
    return packet;
}

DownPacket RivalStation::to_meter(std::uint16_t target, const std::vector<std::uint16_t>& relays,
                                  Buffer body) {
    DownPacket packet;
    packet.header = {.destination = target, .source = root_address, .sequence = ++sequence_};
    packet.relays = relays;
    packet.body = std::move(body);
    return packet;
}

bool RivalStation::send_up(FrameType type, UpPacket packet) {
    const auto next = next_up(packet);
    if (!next || packet.header.time_to_live <= 1) return false;
    --packet.header.time_to_live;
    packet.rank = rank();
    unicast(*next, type, encode(packet), packet.header.priority);
    return true;
}

void RivalStation::send_down(FrameType type, DownPacket packet, const Done& done) {
    const auto next = next_down(packet);
    if (!next || packet.relays.size() > relays_max) {
        if (done) after(Duration{1}, [done] { done(false, 0); });
        return;
    }
    Buffer body = encode(packet);
    if (body.size() > frame_body_size_max) return;
    unicast(*next, type, std::move(body), packet.header.priority,
            [this, packet = std::move(packet), done](bool acknowledged, int tries) {
                if (!acknowledged) stuck_down(packet);
                if (done) done(acknowledged, tries);
            });
}

std::optional<std::uint16_t> RivalStation::next_down(DownPacket& packet) {
    return packet.index < packet.relays.size() ? packet.relays[packet.index] : packet.header.destination;
}

void RivalStation::down_heard(DownPacket packet, const Heard& heard) {
    passed_down(packet, heard.from);
    if (packet.header.destination != address_) {
        if (packet.header.time_to_live <= 1) return;
        --packet.header.time_to_live;
        if (packet.index < packet.relays.size()) ++packet.index;
        return send_down(heard.type, std::move(packet));
    }
    if (heard.type != FrameType::data_down) return arrived_down(heard.type, packet);
    UpPacket answer;
    answer.header = packet.header;
    answer.header.destination = root_address;
    answer.header.source = address_;
    answer.header.time_to_live = 20;
    answer.body = encode(Answer{.links = {}, .payload = Buffer(book_.answer_size, 7)});
    send_up(FrameType::data_up, std::move(answer));
}

void RivalStation::up_heard(UpPacket packet, const Heard& heard) {
    passed_up(packet, heard.from);
    if (packet.header.destination == address_) return arrived_up(heard.type, packet, heard);
    if (may_pass_up(packet)) send_up(heard.type, std::move(packet));
}

void RivalRoot::ask(std::uint32_t handle, std::uint16_t meter, std::size_t request_size, Duration deadline) {
    Read read;
    read.handle = handle;
    read.meter = meter;
    read.size = request_size;
    read.deadline = now_ + deadline;
    waiting_.push_back(read);
    after(Duration{1}, [this] { pump(); });
    after(deadline, [this] { pump(); });
}

void RivalRoot::pump() {
    for (std::size_t i = 0; i < waiting_.size();) {
        if (now_ < waiting_[i].deadline) {
            ++i;
            continue;
        }
        event(concentrator::MeshFailure{waiting_[i].handle, dcu::ReadFault::no_answer});
        waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (flying_) return;
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
        if (!route_for(waiting_[i].meter, 0)) {
            wanted(waiting_[i].meter);
            continue;
        }
        flying_ = waiting_[i];
        flying_->sequence = ++reads_;
        waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
        return attempt();
    }
}

void RivalRoot::attempt() {
    const auto relays = route_for(flying_->meter, flying_->attempts);
    const auto turn = flying_->turn = ++turns_;
    Duration patience = book_.scaled(500ms);
    if (relays) {
        auto packet = to_meter(flying_->meter, *relays, Buffer(flying_->size, 7));
        packet.header.sequence = flying_->sequence;
        packet.header.attempt = static_cast<std::uint8_t>(flying_->attempts++ % 8);
        patience = book_.scaled(900ms + 250ms * static_cast<std::int64_t>(relays->size() + 1));
        send_down(FrameType::data_down, std::move(packet), [this, turn](bool acknowledged, int) {
            if (!acknowledged && flying_ && flying_->turn == turn) first_hop_failed();
        });
    } else {
        wanted(flying_->meter);
    }
    after(patience, [this, turn] {
        if (!flying_ || flying_->turn != turn) return;
        unanswered(flying_->meter);
        if (now_ >= flying_->deadline) return finish(false);
        attempt();
    });
}

void RivalRoot::first_hop_failed() {
    const auto turn = flying_->turn;
    after(book_.scaled(200ms), [this, turn] {
        if (!flying_ || flying_->turn != turn) return;
        unanswered(flying_->meter);
        if (now_ >= flying_->deadline) return finish(false);
        attempt();
    });
}

void RivalRoot::finish(bool answered) {
    const auto read = *std::exchange(flying_, std::nullopt);
    if (answered)
        event(concentrator::MeshAnswer{read.handle, {}, read.attempts == 1, false});
    else
        event(concentrator::MeshFailure{read.handle, dcu::ReadFault::no_answer});
    pump();
}

void RivalRoot::joined(std::uint16_t meter) {
    if (book_.joined[meter]) return;
    book_.joined[meter] = true;
    event(concentrator::MeshJoined{test::meter_number(meter_at(meter)), {}});
}

void RivalRoot::arrived_up(FrameType type, const UpPacket& packet, const Heard& heard) {
    const auto source = packet.header.source;
    if (source == root_address || source > book_.meters) return;
    if (type != FrameType::data_up) return registered(type, packet, heard);
    if (flying_ && flying_->meter == source && flying_->sequence == packet.header.sequence) finish(true);
}

}  // namespace wattmesh::bench
