#include "concentrator/mesh/mesh_core.h"

#include <algorithm>
#include <cassert>

namespace wattmesh::concentrator {
namespace {
using namespace std::chrono_literals;
using namespace mesh;
constexpr Duration init_again = 3s, status_every = 60s, watch_every = 5s, probe_restored = 30s;
// What we told the module of a key may have been lost on the wire.
constexpr Duration key_heard_within = 2s;
constexpr Duration join_time = 85ms;
constexpr std::uint32_t counter_jump = 65'536, counter_reserve = 16'384;
// A quarter of the numbers is left to give everybody another key.
constexpr std::uint32_t counter_renew = 0xC0000000;

Trickle::Settings trickle_settings(PhyRate rate) {
    // Nobody says what the root says: it never keeps silent for others.
    return {.interval_min = rate == PhyRate::kbit10 ? Duration{2s} : Duration{500ms},
            .interval_max = 512s,
            .redundancy = 1'000};
}
}  // namespace

std::uint16_t pan_of(const DeviceNumber& concentrator) {
    const auto pan = crc16(concentrator.bcd);
    return pan == 0xFFFF ? std::uint16_t{0xFFFE} : pan;
}

MeshRoot::Core::Core(RootSettings root, Ciphers& cipher_port, Random& chance_port)
    : settings(root),
      ciphers(cipher_port),
      random(chance_port),
      pan(root.pan),
      trickle(trickle_settings(root.rate)) {}

std::uint32_t MeshRoot::Core::chance() {
    std::array<std::uint8_t, 4> octets{};
    random.fill(octets);
    return static_cast<std::uint32_t>(octets[0]) << 24 | static_cast<std::uint32_t>(octets[1]) << 16 |
           static_cast<std::uint32_t>(octets[2]) << 8 | octets[3];
}

void MeshRoot::Core::generate_key() {
    std::array<std::uint8_t, 16> octets{};
    random.fill(octets);
    net_key = Key128{octets};
    octets.fill(0);
    dirty = true;
    begin_key_anew();
}

void MeshRoot::Core::jump_counter() {
    counter_start = counter_limit;
    counter_limit = counter_start > 0xFFFFFFFF - counter_jump ? 0xFFFFFFFF : counter_start + counter_jump;
    dirty = true;
}

void MeshRoot::Core::connected(Instant now) {
    if (!started) {
        started = true;
        if (!net_key) generate_key();
        if (counter_limit == 0xFFFFFFFF) {
            // Nothing can be sent under it any more: whoever has the next one follows, the others join again.
            if (key_next) {
                use_next_key(now);
            } else {
                ++key_number;
                generate_key();
                counter_limit = 1;
            }
        } else if (key_next) {
            // It may have been used before the state was kept for the last time.
            key_next_counter += counter_jump;
        }
        ++version;
        jump_counter();
        members.start_addresses(chance());
        watch_at = now + watch_every;
        for (auto& member : members.all())
            if (member.address != 0) member.probe_at = now + probe_restored;
    }
    module_ready = false;
    output.clear();
    // What the module had queued is gone; reads notice by their own timers.
    sendings.clear();
    if (image) image->block_handle = 0;
    trickle.stop();
    const host::Init init{.concentrator = settings.concentrator,
                          .pan = pan,
                          .rate = settings.rate,
                          .channels = 1,
                          .net_key = *net_key,
                          .counter_start = counter_start,
                          .key = key_id(key_number)};
    output.push_back(host::encode(init));
    tell_module_keys();
    init_at = now + init_again;
    status_at = never;
}

void MeshRoot::Core::memory_was_lost(std::uint16_t seen, Instant now) {
    // The mesh follows a later state than ours: an old disk was put back. Addresses and counters given since
    // then are unknown, so the network begins anew under another key; the meters leave the old one and join.
    version = static_cast<std::uint16_t>(seen + 1);
    ++key_number;
    generate_key();
    for (auto& member : members.all()) {
        members.release(member);
        member.failed_reads = 0;
    }
    links = {};
    graph = {};
    tree = {};
    tree_revision = links.revision();
    first_hops.clear();
    connected(now);
}

void MeshRoot::Core::tick(Instant now) {
    clock = now;
    if (!started || (!module_ready && now >= init_at)) connected(now);
    if (!module_ready) {
        launch_waiting(now);
        return;
    }
    if (now >= status_at) {
        output.push_back(host::encode(host::StatusRequest{}));
        status_at = now + status_every;
    }
    if (now >= trickle.next_deadline() && trickle.tick(now, chance())) send_beacon();
    if (now >= watch_at) {
        watch_members(now);
        watch_at = now + watch_every;
    }
    work_outage(now);
    work_key(now);
    work_trial(now);
    work_twins(now);
    launch_waiting(now);
    work_wired(now);
    work_image(now);
}

Instant MeshRoot::Core::next_deadline() const {
    if (!started) return clock;
    Instant next = module_ready ? std::min({status_at, trickle.next_deadline(), watch_at}) : init_at;
    if (module_ready)
        next = std::min({next, wired_deadline(), outage_deadline(), key_forget_at, key_work_at,
                         trial_deadline(), twin_deadline(), image ? image->next_at : never});
    for (const auto& [handle, transaction] : transactions)
        next = std::min({next, transaction.deadline, transaction.answer_by,
                         transaction.quiet_at > clock ? transaction.quiet_at : never});
    return next;
}

void MeshRoot::Core::transmit(std::uint16_t destination, FrameType type, bool secured, Buffer body,
                              Sending sending) {
    sending.destination = destination;
    const auto handle = ++sending_last;
    sendings.insert_or_assign(handle, sending);
    ++statistics.frames_sent;
    output.push_back(host::encode(host::Tx{.handle = handle,
                                           .destination = destination,
                                           .type = type,
                                           .secured = secured,
                                           .body = std::move(body)}));
}

/// A join takes two long frames, their ACKs and back-offs at the root's one radio.
std::uint8_t MeshRoot::Core::join_window_half_s() const {
    const auto waiting = std::count_if(members.all().begin(), members.all().end(), [](const Member& member) {
        return member.listed && !member.elsewhere && member.state == dcu::NodeState::unseen;
    });
    const auto need = join_time * waiting * (settings.rate == PhyRate::kbit10 ? 4 : 1);
    return static_cast<std::uint8_t>(std::min<std::int64_t>(need / 500ms, 255));
}

void MeshRoot::Core::send_beacon() {
    const Beacon beacon{.concentrator = settings.concentrator,
                        .version = version,
                        .rank = 0,
                        .hops = 0,
                        .load = static_cast<std::uint8_t>(std::min<std::size_t>(sendings.size(), 255)),
                        .join_window_half_s = join_window_half_s()};
    transmit(broadcast_address, FrameType::beacon, true, encode(beacon), {});
}

void MeshRoot::Core::receive(Bytes payload, Instant now) {
    clock = now;
    const auto message = host::decode(payload);
    if (!message) {
        ++statistics.frames_refused;
        return;
    }
    if (const auto* status = std::get_if<host::Status>(&*message)) return status_received(*status, now);
    if (!module_ready) return;
    if (const auto* result = std::get_if<host::TxResult>(&*message)) return result_received(*result, now);
    if (const auto* rx = std::get_if<host::Rx>(&*message)) return frame_received(*rx, now);
    ++statistics.frames_refused;  // host-to-module message from a module
}

void MeshRoot::Core::status_received(const host::Status& status, Instant now) {
    if (!status.initialised) {  // the module has just started and knows nothing of the counters it used
        if (started) jump_counter();
        return connected(now);
    }
    if (status.frames_refused >= module_refused)
        statistics.frames_refused += status.frames_refused - module_refused;
    module_refused = status.frames_refused;
    // One that was said before we changed the key speaks of the other counter.
    const bool of_key = status.key == key_id(key_number);
    if (!of_key && module_ready && now - key_told_at >= key_heard_within) return connected(now);
    if (of_key && status.counter_next > counter_renew) update_key(now);
    if (of_key &&
        (status.counter_next > counter_limit || counter_limit - status.counter_next < counter_reserve)) {
        counter_limit =
            status.counter_next > 0xFFFFFFFF - counter_jump ? 0xFFFFFFFF : status.counter_next + counter_jump;
        dirty = true;
    }
    if (module_ready || !started) return;
    module_ready = true;
    init_at = never;
    status_at = now + status_every;
    trickle.start(now, chance());
    send_beacon();
}

void MeshRoot::Core::result_received(const host::TxResult& result, Instant now) {
    const auto found = sendings.extract(result.handle);
    if (!found) return;
    const Sending sending = found.mapped();
    const auto to = sending.destination;
    if (sending.purpose == Purpose::image && image && image->block_handle == result.handle)
        image->block_handle = 0;
    if (to <= short_address_max && result.tries > 0) {
        const bool answered = result.outcome != TxOutcome::no_acknowledge;
        auto& estimator = first_hops.try_emplace(to, result.rssi_dbm).first->second;
        estimator.record(result.tries, answered);
        links.report(root_address, {.neighbour = to, .rssi_dbm = -100, .etx_q4 = estimator.etx_q4()}, now);
        if (answered && result.rssi_dbm != 0) links.strength(root_address, to, result.rssi_dbm, now);
        if (answered)
            links.worked(root_address, to, now);
        else
            links.failed(root_address, to, now);
    }
    if (sending.purpose != Purpose::read) return;
    const auto transaction = transactions.find(sending.handle);
    if (transaction == transactions.end() || transaction->second.attempts != sending.attempt + 1) return;
    transaction->second.taken = result.outcome == TxOutcome::acknowledged;
    if (!transaction->second.taken) attempt_failed(transaction->second, Loss::first_hop, now);
}

void MeshRoot::Core::frame_received(const host::Rx& rx, Instant now) {
    ++statistics.frames_received;
    if (rx.type == FrameType::solicit) {
        trickle.reset(now, chance());
        return;
    }
    if (rx.type == FrameType::beacon && !rx.secured) {
        if (const auto beacon = decode_beacon(rx.body)) rival_heard(beacon->concentrator, now);
        return;
    }
    if (rx.type == FrameType::join_request && !rx.secured)
        return join_received(rx.body, root_address, rx.source, rx.rssi_dbm, now);
    if (!rx.secured || rx.source == root_address || rx.source > short_address_max) return;
    links.strength(rx.source, root_address, rx.rssi_dbm, now);
    if (rx.type == FrameType::beacon) {
        if (Member* member = members.find(rx.source)) alive(*member, false, now);
        const auto beacon = decode_beacon(rx.body);
        if (beacon && static_cast<std::int16_t>(beacon->version - version) > 0)
            memory_was_lost(beacon->version, now);
        return;
    }
    if (rx.type == FrameType::last_gasp) {
        const auto list = decode_dark_list(rx.body);
        if (list) return dark_heard(*list, now);
        ++statistics.frames_refused;
        return;
    }
    if (Member* last_hop = members.find(rx.source)) member_heard(*last_hop, now);
    if (rx.type != FrameType::join_request && rx.type != FrameType::link_report &&
        rx.type != FrameType::data_up && rx.type != FrameType::route_error &&
        rx.type != FrameType::outage_report && rx.type != FrameType::notice)
        return;
    const auto packet = decode_up(rx.body);
    if (!packet) {
        ++statistics.frames_refused;
        return;
    }
    if (rx.type == FrameType::join_request) {
        const auto join = decode_forwarded_join(packet->body);
        if (!join)
            ++statistics.frames_refused;
        else
            join_received(join->request, packet->header.source, join->temporary_address, join->rssi_dbm, now);
    } else if (rx.type == FrameType::link_report) {
        report_received(*packet, now);
    } else if (rx.type == FrameType::data_up) {
        answer_received(*packet, now);
        work_wired(now);
    } else if (rx.type == FrameType::notice) {
        notice_received(*packet, now);
    } else if (rx.type == FrameType::outage_report) {
        const auto list = decode_dark_list(packet->body);
        list ? dark_heard(*list, now) : void(++statistics.frames_refused);
    } else {
        error_received(*packet, now);
    }
}

}  // namespace wattmesh::concentrator
