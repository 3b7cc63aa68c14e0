#include <algorithm>
#include <set>

#include "tests/bench/baseline/station.h"

/// Routes when somebody wants one: a request floods the town, the answer comes back the way it was heard
/// first (LOADng and G3-PLC's kind).
namespace wattmesh::bench {
namespace {

using namespace std::chrono_literals;
using namespace mesh;
constexpr Duration jitter = 100ms, traversal = 2s, hold = 1'800s;
constexpr int requests_max = 2;  // RREQ_RETRIES 1
constexpr std::size_t request_size = 18;
constexpr std::int32_t link_q10_min = 256;  // weaker ones are not taken: G3's weak-link rule

class Meter final : public RivalStation {
public:
    using RivalStation::RivalStation;

private:
    void begin() override {}
    void control(const Heard& heard, Bytes body) override {
        if (heard.type != FrameType::beacon || LinkEstimator::prior_q10(heard.rssi_dbm) < link_q10_min)
            return;
        const auto id = word(body, 0), target = word(body, 1), hops = word(body, 2);
        if (!fresh(id)) return;
        up_ = heard.from;
        book_.attached[address_] = true;
        if (target == address_) {
            send_up(FrameType::join_request, to_root(words({id}, registration_size)));
            return;
        }
        if (hops >= relays_max) return;
        after(within(book_.scaled(jitter)), [this, id, target, hops] {
            broadcast(FrameType::beacon,
                      words({id, target, static_cast<std::uint16_t>(hops + 1)}, request_size));
        });
    }
    /// Numbers go round: later is what lies in the half ahead.
    bool fresh(std::uint16_t id) {
        if (seen_ && static_cast<std::int16_t>(id - *seen_) <= 0) return false;
        seen_ = id;
        return true;
    }
    void passed_up(const UpPacket& packet, std::uint16_t from) override {
        forward_[packet.header.source] = from;
        note(packet.header.source, from);
    }
    void note(std::uint16_t target, std::uint16_t next) { book_.forward[address_][target] = next; }
    std::optional<std::uint16_t> next_up(const UpPacket&) override { return up_; }
    std::optional<std::uint16_t> next_down(DownPacket& packet) override {
        const auto next = forward_.find(packet.header.destination);
        return next == forward_.end() ? std::nullopt : std::optional{next->second};
    }
    void stuck_down(const DownPacket& packet) override {
        forward_.erase(packet.header.destination);
        send_up(FrameType::route_error, to_root(words({packet.header.destination})));
    }
    std::optional<std::uint16_t> seen_;
    std::optional<std::uint16_t> up_;
    std::map<std::uint16_t, std::uint16_t> forward_;
};

class Root final : public RivalRoot {
public:
    Root(Book& book, Transceiver& radio, Random& random) : RivalRoot(book, root_address, radio, random) {
        for (std::size_t i = 0; i < book.meters; ++i) missing_.push_back(address_of(i));
        // Who was on before us has seen numbers: begin ahead of them.
        id_ = static_cast<std::uint16_t>(book.boots[root_address] * 8'192);
    }
    std::optional<std::vector<std::uint16_t>> route(std::uint16_t meter) const override {
        const auto row = rows_.find(meter);
        if (row == rows_.end() || now_ - row->second.used > hold) return std::nullopt;
        std::vector<std::uint16_t> relays;
        for (auto at = row->second.next; at != meter && relays.size() < relays_max;) {
            relays.push_back(at);
            const auto& table = book_.forward[at];
            const auto next = table.find(meter);
            if (next == table.end()) break;
            at = next->second;
        }
        return relays;
    }

private:
    struct Row {
        std::uint16_t next = 0;
        Instant used{};
    };
    void begin() override {
        after(book_.scaled(4s), [this] { discover(); });
    }
    void control(const Heard&, Bytes) override {}
    /// Hop by hop: nothing of the way is in the packet.
    std::optional<std::vector<std::uint16_t>> route_for(std::uint16_t meter, int) override {
        return route(meter) ? std::optional<std::vector<std::uint16_t>>{std::in_place} : std::nullopt;
    }
    std::optional<std::uint16_t> next_down(DownPacket& packet) override {
        const auto row = rows_.find(packet.header.destination);
        if (row == rows_.end()) return std::nullopt;
        row->second.used = now_;
        return row->second.next;
    }
    void wanted(std::uint16_t meter) override {
        if (std::find(missing_.begin(), missing_.end(), meter) == missing_.end() && sought_ != meter)
            missing_.push_front(meter);
        discover();
    }
    void unanswered(std::uint16_t meter) override { rows_.erase(meter); }
    void discover() {
        if (sought_ != root_address || missing_.empty()) return;
        sought_ = missing_.front();
        missing_.pop_front();
        requests_ = 0;
        flood();
    }
    void flood() {
        const auto id = ++id_;
        ++requests_;
        broadcast(FrameType::beacon, words({id, sought_, 0}, request_size));
        after(book_.scaled(traversal), [this, id] {
            if (id != id_ || sought_ == root_address) return;
            if (requests_ < requests_max) return flood();
            missing_.push_back(std::exchange(sought_, root_address));
            after(book_.scaled(traversal), [this] { discover(); });
        });
    }
    void registered(FrameType type, const UpPacket& packet, const Heard& heard) override {
        const auto meter = packet.header.source;
        if (type == FrameType::route_error) {
            rows_.erase(word(packet.body, 0));
            return;
        }
        if (type != FrameType::join_request) return;
        rows_[meter] = {heard.from, now_};
        joined(meter);
        if (sought_ == meter) sought_ = root_address;
        pump();
        discover();
    }

    std::map<std::uint16_t, Row> rows_;
    std::deque<std::uint16_t> missing_;
    std::uint16_t sought_ = root_address, id_ = 0;
    int requests_ = 0;
};

}  // namespace

std::unique_ptr<RivalStation> reactive_meter(Book& book, std::uint16_t address, Transceiver& radio,
                                             Random& random) {
    return std::make_unique<Meter>(book, address, radio, random);
}
std::unique_ptr<RivalRoot> reactive_root(Book& book, Transceiver& radio, Random& random) {
    return std::make_unique<Root>(book, radio, random);
}

}  // namespace wattmesh::bench
