#include <algorithm>

#include "concentrator/mesh/membership.h"
#include "protocol/mesh/hop_security.h"
#include "protocol/mesh/join.h"
#include "tests/bench/faults/fault_case.h"
#include "tests/bench/faults/places.h"
#include "tests/bench/faults/scene.h"

/// A15, A16: where numbers end, and frames that are no frames.
namespace wattmesh::bench {
namespace {

using namespace std::chrono_literals;
using namespace mesh;
constexpr Duration patience = 1'800s;
enum Stream : std::uint64_t { broken = 1'500 };

Verdict counter_end() {
    security::OpensslCiphers ciphers;
    HopSecurity security{ciphers, 4};
    security.set_key(test::join_key(1, 1), 0xFFFFFFFD);
    std::size_t sealed = 0;
    for (int i = 0; i < 8; ++i) {
        MacFrame frame;
        frame.type = FrameType::beacon;
        frame.secured = true;
        frame.destination = broadcast_address;
        frame.source = 1;
        Mic mic{};
        sealed += security.seal(frame, mic).empty() ? 0 : 1;
    }
    Verdict verdict;
    verdict.variant = "frame counter at 2^32";
    verdict.add("sealed_before_the_end", sealed);
    verdict.must(sealed == 2, "a counter was used that must not be, or one was wasted");
    // Two networks whose root comes back with so many numbers left: time to give everybody another key, and
    // none left to say so. There everybody finds by himself that nothing comes from the root any more: in 23
    // minutes.
    for (const auto& [name, used, patience_after] :
         {std::tuple{"near", std::uint32_t{0xFFF00000}, Duration{600s}},
          std::tuple{"past", std::uint32_t{0xFFFFFFFF}, Duration{1'800s}}}) {
        Scene scene{town_of(sim::LayoutKind::suburban, 30, 1), 1};
        scene.form(patience);
        const auto joins = scene.town.field->node_counters().joins;
        Buffer state = scene.town.roots[0]->save_state();
        for (std::size_t i = 0; i < 4; ++i)  // the limit of counters used, see mesh_state.cpp
            state[5 + i] = static_cast<std::uint8_t>(used >> (24 - 8 * i));
        scene.town.roots[0].reset();
        scene.town.field->kill(test::concentrator_number(0));
        scene.run_for(5s);
        scene.town.start_root(0, PhyRate::kbit50, state);
        scene.town.field->revive(test::concentrator_number(0));
        scene.run_for(patience_after);
        const auto reads = scene.read(scene.reachable(), 300s);
        const auto again = scene.town.field->node_counters().joins - joins;
        std::size_t renewed = 0;
        for (std::size_t i = 0; i < scene.size(); ++i)
            renewed += scene.town.field->node(i)->state().key_number == 2 ? 1 : 0;
        verdict.add(std::string{"readable_after_"} + name, reads.share_within(300));
        verdict.add(std::string{"renewed_"} + name, renewed).add(std::string{"joins_"} + name, again);
        verdict.must(reads.unanswered() == 0 && renewed == scene.size(), "the network did not go on");
        verdict.must(used == 0xFFFFFFFF || again == 0, "with time to spare meters had to join again");
    }
    return verdict;
}

Verdict sequence_wraps(std::uint64_t seed) {
    Scene scene{town_of(sim::LayoutKind::suburban, 2, seed, 0), seed};
    scene.form(patience);
    std::size_t failed = 0;
    constexpr std::size_t reads = 65'536 + 200;
    for (std::size_t i = 0; i < reads; ++i) failed += scene.read_once({0}).share_first() < 1 ? 1 : 0;
    Verdict verdict;
    verdict.variant = "sequence of 16 bits wraps";
    verdict.add("reads", reads).add("failed", failed).add("executed_twice", scene.executed_twice);
    verdict.add("wrong_answers", scene.wrong_answers);
    verdict.must(failed <= reads / 1'000, "more than one in a thousand failed");
    verdict.must(scene.executed_twice == 0 && scene.wrong_answers == 0,
                 "an old answer was taken for a new one");
    return verdict;
}

Verdict clock_steps(std::uint64_t seed) {
    Scene scene{town_of(sim::LayoutKind::suburban, 60, seed), seed};
    scene.form(patience);
    Verdict verdict;
    verdict.variant = "the concentrator's clock steps";
    bool good = true;
    for (const auto& [name, step] :
         {std::pair{"forward_1h", Duration{3'600s}}, std::pair{"forward_30d", Duration{30 * 86'400s}},
          std::pair{"back_1h", Duration{-3'600s}}, std::pair{"back_30d", Duration{-30 * 86'400s}}}) {
        scene.town.root_clock += step;
        const auto reads = scene.read(scene.reachable(), 120s);
        verdict.add(name, reads.share_within(120));
        good = good && reads.unanswered() == 0;
    }
    verdict.add("lost_events", scene.lost_events)
        .add("deletions", scene.deleted().size())
        .add("ghosts", scene.ghosts());
    verdict.must(good, "not everybody was read within two minutes of a step");
    verdict.must(scene.deleted().empty(), "meters were deleted");
    verdict.must(scene.lost_events == 0, "a step forward by a month made meters look lost");
    return verdict;
}

Verdict addresses_full() {
    security::OpensslCiphers ciphers;
    concentrator::Membership members;
    std::vector<std::pair<DeviceNumber, Key128>> list;
    const auto key = test::join_key(1, 0);
    constexpr std::size_t one_too_many = short_address_max + 1;
    for (std::size_t i = 0; i < one_too_many; ++i) list.emplace_back(test::meter_number(i), key);
    members.set_listed(list);
    std::size_t accepted = 0, full = 0;
    std::set<std::uint16_t> addresses;
    for (std::size_t i = 0; i < one_too_many; ++i) {
        JoinRequest request;
        request.meter = test::meter_number(i);
        request.counter = 1;
        sign(request, 7, key, ciphers);
        const auto decision = members.decide(request, 7, ciphers);
        accepted += decision.verdict == concentrator::Membership::Verdict::accepted ? 1 : 0;
        full += decision.verdict == concentrator::Membership::Verdict::full ? 1 : 0;
        if (decision.member != nullptr && decision.member->address != 0)
            addresses.insert(decision.member->address);
    }
    Verdict verdict;
    verdict.variant = "more meters than short addresses";
    verdict.add("asked", one_too_many).add("accepted", accepted).add("refused_as_full", full);
    verdict.add("different_addresses", addresses.size());
    verdict.must(accepted == short_address_max && full == 1 && addresses.size() == accepted,
                 "the last one was not refused, or an address was given out twice");
    return verdict;
}

Verdict sixteenth_hop(std::uint64_t seed) {
    Scene scene{chain(20, seed), seed};
    scene.form(patience);
    const auto list = scene.reachable();
    std::vector<std::size_t> near, beyond;
    std::vector<bool> alive(scene.size() + 1, true);
    const auto far = scene.oracle().tree(alive, 31);
    for (std::size_t i = 0; i < scene.size(); ++i) {
        if (scene.tree().reaches(i))
            near.push_back(i);
        else if (far.reaches(i))
            beyond.push_back(i);
    }
    const auto reads = scene.read(near, 600s);
    scene.run_for(600s);
    std::size_t joined = 0;
    for (const auto& node : scene.town.roots[0]->topology())
        if (const auto meter = meter_of(node.number, scene.size());
            meter && node.state == dcu::NodeState::joined &&
            std::find(beyond.begin(), beyond.end(), *meter) != beyond.end())
            ++joined;
    Verdict verdict;
    verdict.variant = "a chain longer than 15 hops";
    verdict.add("within_15", near.size())
        .add("beyond", beyond.size())
        .add("read", near.size() - reads.unanswered());
    verdict.add("joined_beyond", joined).add("ghosts", scene.ghosts());
    verdict.must(!beyond.empty(), "the chain is too short: the case shows nothing");
    verdict.must(joined == 0, "a meter behind the 15th hop stands as joined");
    verdict.must(reads.unanswered() == 0, "a meter within 15 hops was not read");
    return verdict;
}

void fix_sum(Buffer& psdu) {
    const auto sum = crc16(Bytes{psdu}.first(psdu.size() - 2));
    psdu[psdu.size() - 2] = static_cast<std::uint8_t>(sum >> 8);
    psdu[psdu.size() - 1] = static_cast<std::uint8_t>(sum);
}

}  // namespace

std::vector<Verdict> edges_of_counters(std::uint64_t seed) {
    return {counter_end(), sequence_wraps(seed), clock_steps(seed), addresses_full(), sixteenth_hop(seed)};
}

std::vector<Verdict> broken_frames(std::uint64_t seed) {
    Scene scene{town_of(sim::LayoutKind::rural, 60, seed), seed};
    std::vector<Buffer> heard;
    scene.on_frame = [&](std::size_t, Bytes psdu, Instant) { heard.push_back(to_buffer(psdu)); };
    scene.form(patience);
    scene.read_once(scene.reachable());
    const auto key = scene.town.field->node(scene.reachable().front())->state().net_key;
    HopSecurity security{scene.town.ciphers, 8};
    security.set_key(key.value(), 1);
    std::array<std::size_t, 16> types{};
    std::size_t flips = 0, accepted = 0, unsecured = 0, prefixes = 0, prefixes_taken = 0, tried = 0;
    for (const auto& psdu : heard) {
        const auto decoded =
            is_ack(psdu) ? Result<ReceivedFrame>{Error{Fault::bad_tag, 0}} : decode_mac(psdu);
        if (!decoded || !decoded->frame.secured ||
            ++types[static_cast<std::size_t>(decoded->frame.type)] > 40)
            continue;
        if (security.verify(*decoded, {}) == HopSecurity::Verdict::not_authentic)
            continue;  // a key of before
        ++tried;
        for (std::size_t bit = 0; bit < 8 * (psdu.size() - 2); ++bit) {
            Buffer bad = psdu;
            bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ (1U << bit % 8));
            fix_sum(bad);
            ++flips;
            const auto again =
                is_ack(bad) ? Result<ReceivedFrame>{Error{Fault::bad_tag, 0}} : decode_mac(bad);
            if (!again) continue;
            if (!again->frame.secured)
                ++unsecured;  // says of itself that nobody vouches for it
            else if (security.verify(*again, {}) != HopSecurity::Verdict::not_authentic)
                ++accepted;
        }
        for (std::size_t size = 0; size < psdu.size(); ++size) {
            Buffer part{psdu.begin(), psdu.begin() + static_cast<std::ptrdiff_t>(size)};
            if (size >= 3) fix_sum(part);
            ++prefixes;
            const auto again =
                is_ack(part) ? Result<ReceivedFrame>{Error{Fault::bad_tag, 0}} : decode_mac(part);
            if (again && again->frame.secured &&
                security.verify(*again, {}) != HopSecurity::Verdict::not_authentic)
                ++prefixes_taken;
        }
    }
    std::size_t kinds = 0;
    for (const auto count : types) kinds += count > 0 ? 1 : 0;
    Verdict verdict;
    verdict.add("frames", tried).add("frame_types", kinds).add("bit_flips", flips).add("accepted", accepted);
    verdict.add("became_unsecured", unsecured)
        .add("prefixes", prefixes)
        .add("prefixes_accepted", prefixes_taken);
    verdict.must(kinds >= 5, "too few types of frames were heard: the case shows little");
    verdict.must(accepted == 0 && prefixes_taken == 0, "a broken frame was authentic");
    return {verdict};
}

}  // namespace wattmesh::bench
