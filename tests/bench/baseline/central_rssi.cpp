#include <algorithm>

#include "tests/bench/baseline/station.h"
#include "tests/bench/baseline/strength_routes.h"

/// Slotted beacon rounds, field strengths collected page by page, ways computed in the centre: as the
/// micropower radio meters of SGCC do it.
namespace wattmesh::bench {
namespace {

using namespace std::chrono_literals;
using namespace mesh;
constexpr Duration slot = 20ms;  // a beacon, its guard and a turn-around
constexpr std::size_t beacon_size = 13, table_size_max = 24;
constexpr int frames_before_collecting = 7, levels_max = 15, asked_max = 3;
constexpr Duration round_again = 60s;

class Meter final : public RivalStation {
public:
    using RivalStation::RivalStation;

private:
    void begin() override {}
    void control(const Heard& heard, Bytes body) override {
        if (heard.type != FrameType::beacon) return;
        table_[heard.from] = heard.rssi_dbm;
        const auto round = word(body, 0), level = word(body, 1), slots = word(body, 2);
        if (round == round_ || level + 1 > levels_max) return;
        round_ = round;
        // Frame number `level + 1` of this round, and in it the slot of our address.
        const auto own =
            static_cast<std::int64_t>(level + 1) * static_cast<std::int64_t>(book_.meters + 1) + address_;
        const auto wait = book_.scaled(slot) * (own - slots);
        after(std::max(wait, Duration{0}), [this, round, level, own] {
            broadcast(FrameType::beacon,
                      words({round, static_cast<std::uint16_t>(level + 1), static_cast<std::uint16_t>(own)},
                            beacon_size));
        });
    }
    void passed_down(const DownPacket&, std::uint16_t from) override { up_ = from; }
    std::optional<std::uint16_t> next_up(const UpPacket& packet) override {
        const auto way = ways_.find(packet.header.source);
        if (packet.header.source != address_ && way != ways_.end()) return way->second;
        return up_;
    }
    std::optional<std::uint16_t> next_down(DownPacket& packet) override {
        if (up_) ways_[packet.header.destination] = *up_;  // its answer goes back where the request came from
        return RivalStation::next_down(packet);
    }
    /// Asked for its table; from now on it belongs to the network.
    void arrived_down(FrameType, const DownPacket&) override {
        std::vector<std::pair<int, std::uint16_t>> order;
        for (const auto& [address, rssi] : table_) order.emplace_back(-rssi, address);
        std::sort(order.begin(), order.end());
        order.resize(std::min(order.size(), table_size_max));
        std::vector<std::uint16_t> told;
        for (const auto& [rssi, address] : order) {
            told.push_back(address);
            told.push_back(static_cast<std::uint16_t>(rssi));
        }
        book_.attached[address_] = true;
        send_up(FrameType::link_report, to_root(words(told)));
    }
    std::map<std::uint16_t, int> table_;
    std::map<std::uint16_t, std::uint16_t> ways_;
    std::optional<std::uint16_t> up_;
    std::uint16_t round_ = 0;
};

class Root final : public RivalRoot {
public:
    Root(Book& book, Transceiver& radio, Random& random) : RivalRoot(book, root_address, radio, random) {}
    std::optional<std::vector<std::uint16_t>> route(std::uint16_t meter) const override {
        if (!book_.joined[meter]) return std::nullopt;
        const auto known = ways_.find(meter);
        if (known != ways_.end()) return known->second;
        const auto way = strengths_.way(meter, willing_);
        if (way) ways_[meter] = *way;
        return way;
    }

private:
    void begin() override { beacon_round(); }
    void beacon_round() {
        asked_.clear();
        broadcast(FrameType::beacon, words({++round_, 0, 0}, beacon_size));
        const auto frame = book_.scaled(slot) * static_cast<std::int64_t>(book_.meters + 1);
        after(frame * frames_before_collecting, [this] { collect(); });
    }
    void control(const Heard& heard, Bytes) override {
        if (heard.type != FrameType::beacon) return;
        strengths_.told(root_address, heard.from, heard.rssi_dbm);
        ways_.clear();
    }
    /// The next one that somebody has heard of: nearest first. Nobody left: again in a while, for those
    /// missing.
    void collect() {
        const auto turn = ++turn_;
        std::optional<std::vector<std::uint16_t>> best;
        std::uint16_t whom = root_address;
        for (const auto& [address, links] : strengths_.all()) {
            if (address == root_address || willing_.contains(address) || asked_[address] >= asked_max)
                continue;
            const auto way = strengths_.way(address, willing_);
            if (!way) continue;
            const auto key = [&](const auto& w, std::uint16_t a) { return std::pair{asked_[a], w.size()}; };
            if (best && key(*best, whom) <= key(*way, address)) continue;
            best = way;
            whom = address;
            if (asked_[address] == 0 && way->empty()) break;
        }
        if (!best) {
            if (willing_.size() < book_.meters)
                after(book_.scaled(round_again), [this, turn] {
                    if (turn == turn_) beacon_round();
                });
            return;
        }
        ++asked_[whom];
        send_down(FrameType::join_accept, to_meter(whom, *best, words({round_}, acceptance_size)));
        after(book_.scaled(900ms + 250ms * static_cast<std::int64_t>(best->size() + 1)), [this, turn] {
            if (turn == turn_) collect();
        });
    }
    void registered(FrameType type, const UpPacket& packet, const Heard&) override {
        if (type != FrameType::link_report) return;
        const auto meter = packet.header.source;
        for (std::size_t i = 0; 4 * i + 3 < packet.body.size(); ++i)
            strengths_.told(meter, word(packet.body, 2 * i), -static_cast<int>(word(packet.body, 2 * i + 1)));
        willing_.insert(meter);
        failures_[meter] = 0;
        ways_.clear();
        joined(meter);
        collect();
    }
    std::optional<std::vector<std::uint16_t>> route_for(std::uint16_t meter, int attempt) override {
        const auto first = route(meter);
        if (!first || attempt % 2 == 0 || first->empty()) return first;
        const auto other = strengths_.way(meter, willing_, {first->begin(), first->end()});
        return other ? other : first;
    }
    /// Six in a row: it has to be found again.
    void unanswered(std::uint16_t meter) override {
        if (++failures_[meter] < 6) return;
        failures_[meter] = 0;
        strengths_.forget(meter);
        willing_.erase(meter);
        ways_.clear();
        ++book_.parent_changes;
        book_.joined[meter] = false;
        const auto turn = ++turn_;
        after(book_.scaled(round_again), [this, turn] {
            if (turn == turn_) beacon_round();
        });
    }

    StrengthRoutes strengths_;
    std::set<std::uint16_t> willing_;
    mutable std::map<std::uint16_t, std::vector<std::uint16_t>> ways_;
    std::map<std::uint16_t, int> asked_, failures_;
    std::uint16_t round_ = 0;
    std::uint64_t turn_ = 0;
};

}  // namespace

std::unique_ptr<RivalStation> central_meter(Book& book, std::uint16_t address, Transceiver& radio,
                                            Random& random) {
    return std::make_unique<Meter>(book, address, radio, random);
}
std::unique_ptr<RivalRoot> central_root(Book& book, Transceiver& radio, Random& random) {
    return std::make_unique<Root>(book, radio, random);
}

}  // namespace wattmesh::bench
