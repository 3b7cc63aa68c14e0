#include "protocol/mesh/trickle.h"
#include "tests/bench/baseline/tree.h"

/// The tree of those who were heard first: the fewest hops, and of those the first heard. One route.
namespace wattmesh::bench {
namespace {

using namespace std::chrono_literals;
using namespace mesh;
constexpr Duration beacon_first = 1s, beacon_last = 512s;
constexpr int redundancy = 3, silent_max = 3;
constexpr std::uint16_t far_away = 63;
constexpr std::size_t beacon_size = 13;
constexpr std::int32_t link_q10_min = 256;

/// The oracle's rule for a usable link, as far as one strength can tell: a quarter of the frames with their
/// ACK.
bool usable(std::int8_t rssi_dbm) { return LinkEstimator::prior_q10(rssi_dbm) >= link_q10_min; }

class Meter final : public TreeMeter {
public:
    using TreeMeter::TreeMeter;

private:
    struct Row {
        std::uint16_t hops = far_away;
        std::uint64_t order = 0;  // of having been heard
        int silent = 0;
    };
    void begin() override {
        trickle_ = Trickle{{book_.scaled(beacon_first), beacon_last, redundancy}};
        solicit();
    }
    void solicit() {
        if (parent_ == nobody) {
            broadcast(FrameType::solicit, words({0}));
            after(book_.scaled(10s) + within(book_.scaled(20s)), [this] { solicit(); });
        }
    }
    void beat() {
        if (now_ >= trickle_.next_deadline() && trickle_.tick(now_, chance()) && parent_ != nobody)
            broadcast(FrameType::beacon, words({hops_}, beacon_size));
        after(trickle_.next_deadline() - now_, [this, turn = ++beats_] {
            if (turn == beats_) beat();
        });
    }
    void restart_beacons() {
        trickle_.running() ? trickle_.reset(now_, chance()) : trickle_.start(now_, chance());
        beat();
    }
    void control(const Heard& heard, Bytes body) override {
        if (heard.type == FrameType::solicit) {
            if (parent_ != nobody) restart_beacons();  // Trickle: not oftener than its shortest interval
            return;
        }
        if (!usable(heard.rssi_dbm)) return;
        Row& row = rows_[heard.from];
        if (row.order == 0) row.order = ++orders_;
        row.hops = word(body, 0);
        if (heard.from == parent_ && row.hops + 1 != hops_) return follow(row.hops);
        if (row.hops >= far_away) return;
        if (row.hops + 1 >= hops_ && parent_ != nobody) {
            trickle_.heard_consistent();
            return;
        }
        choose();
    }
    void choose() {
        const Row* best = nullptr;
        std::uint16_t whom = nobody;
        for (const auto& [address, row] : rows_) {
            if (row.hops >= far_away) continue;
            if (best != nullptr && std::pair{row.hops, row.order} >= std::pair{best->hops, best->order})
                continue;
            best = &row;
            whom = address;
        }
        if (best == nullptr) return;
        const auto hops = static_cast<std::uint16_t>(best->hops + 1);
        if (whom == parent_ || (parent_ != nobody && hops >= hops_ && rows_[parent_].hops < far_away)) return;
        hops_ = hops;
        hang_on(whom);
        register_after(book_.scaled(5s));
        restart_beacons();
    }
    void exchanged(std::uint16_t neighbour, bool acknowledged, int) override {
        const auto found = rows_.find(neighbour);
        if (found == rows_.end()) return;
        found->second.silent = acknowledged ? 0 : found->second.silent + 1;
        if (found->second.silent < silent_max || neighbour != parent_) return;
        rows_.erase(found);
        lose_parent();
    }
    /// The parent has come nearer or farther.
    void follow(std::uint16_t hops) {
        if (hops >= hops_) {
            lose_parent();
        } else {
            hops_ = static_cast<std::uint16_t>(hops + 1);
            restart_beacons();
        }
    }
    /// Who is as near as we were does not hang on us. Without one: everybody below lets go too, and it begins
    /// anew.
    void lose_parent() {
        parent_ = nobody;
        std::erase_if(rows_, [&](const auto& row) { return row.second.hops > hops_; });
        choose();
        if (parent_ != nobody) return;
        let_go();
        hops_ = far_away;
        rows_.clear();
        broadcast(FrameType::beacon, words({far_away}, beacon_size));
        after(book_.scaled(5s), [this] { solicit(); });
    }
    std::uint16_t rank() const override { return hops_; }
    void went_in_a_circle() override { restart_beacons(); }

    std::map<std::uint16_t, Row> rows_;
    std::uint16_t hops_ = far_away;
    std::uint64_t orders_ = 0, beats_ = 0;
    Trickle trickle_;
};

class Root final : public TreeRoot {
public:
    Root(Book& book, Transceiver& radio, Random& random) : TreeRoot(book, root_address, radio, random) {}

private:
    void begin() override { beacon(book_.scaled(1s)); }
    void beacon(Duration pause) {
        broadcast(FrameType::beacon, words({0}, beacon_size));
        after(pause / 2 + within(pause), [this, pause, turn = ++turn_] {
            if (turn == turn_) beacon(std::min<Duration>(2 * pause, beacon_last));
        });
    }
    void control(const Heard& heard, Bytes) override {
        if (heard.type == FrameType::solicit) beacon(book_.scaled(1s));
    }
    std::uint64_t turn_ = 0;
};

}  // namespace

std::unique_ptr<RivalStation> minhop_meter(Book& book, std::uint16_t address, Transceiver& radio,
                                           Random& random) {
    return std::make_unique<Meter>(book, address, radio, random);
}
std::unique_ptr<RivalRoot> minhop_root(Book& book, Transceiver& radio, Random& random) {
    return std::make_unique<Root>(book, radio, random);
}

}  // namespace wattmesh::bench
