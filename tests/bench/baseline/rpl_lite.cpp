#include <algorithm>

#include "protocol/mesh/trickle.h"
#include "tests/bench/baseline/mrhof.h"
#include "tests/bench/baseline/tree.h"

/// RPL, non-storing, with the parameters of Contiki-NG's RPL-Lite; which, README.md says.
namespace wattmesh::bench {
namespace {

using namespace std::chrono_literals;
using namespace mesh;
constexpr Duration dio_min = 4'096ms, probe_every = 90s, dis_every = 30s, dao_delay = 4s,
                   route_lifetime = 1'800s;
constexpr int dio_doublings = 8, never_suppressed = 1 << 20;
constexpr std::size_t dio_size = 24;

class Meter final : public TreeMeter {
public:
    using TreeMeter::TreeMeter;

private:
    void begin() override {
        trickle_ =
            Trickle{{book_.scaled(dio_min), book_.scaled(dio_min) * (1 << dio_doublings), never_suppressed}};
        after(within(book_.scaled(dis_every) / 4), [this] { solicit(); });
        after(probe_every / 2 + within(probe_every), [this] { probe(); });
    }
    void solicit() {
        if (parent_ != nobody) return;
        broadcast(FrameType::solicit, words({0}));
        after(dis_every, [this] { solicit(); });
    }
    void beat() {
        if (!trickle_.running()) return;
        if (now_ >= trickle_.next_deadline() && trickle_.tick(now_, chance()))
            broadcast(FrameType::beacon, words({rank_}, dio_size));
        after(trickle_.next_deadline() - now_, [this, turn = ++beats_] {
            if (turn == beats_) beat();
        });
    }
    void reset_beacons() {
        trickle_.running() ? trickle_.reset(now_, chance()) : trickle_.start(now_, chance());
        beat();
    }
    void control(const Heard& heard, Bytes body) override {
        if (heard.type == FrameType::solicit) {
            if (rank_ != Mrhof::infinite) reset_beacons();
            return;
        }
        mrhof_.heard(heard.from, word(body, 0), now_);
        choose();
    }
    /// A DIO to one neighbour: what is fresh is the link, whatever it says.
    void probe() {
        if (const auto whom = mrhof_.stalest())
            unicast(*whom, FrameType::beacon, words({rank_}, dio_size), 4);
        after(probe_every / 2 + within(probe_every), [this] { probe(); });
    }
    void choose() {
        const auto best =
            mrhof_.choose(parent_ == nobody ? std::nullopt : std::optional{parent_}, rank_, now_);
        if (!best) {
            if (parent_ == nobody) return;
            let_go();
            rank_ = Mrhof::infinite;
            mrhof_.clear();
            broadcast(FrameType::beacon, words({rank_}, dio_size));  // poison
            trickle_.stop();
            after(dis_every, [this] { solicit(); });
            return;
        }
        const auto rank = mrhof_.rank_through(*best);
        const bool news = parent_ == nobody;
        rank_ = rank;
        if (*best == parent_) return;
        hang_on(*best);
        register_after(2 * dao_delay);
        if (!refreshing_) {
            refreshing_ = true;
            refresh();
        }
        if (news) reset_beacons();
    }
    /// Before the root forgets the route.
    void refresh() {
        after(route_lifetime / 2 + within(route_lifetime / 4), [this] {
            if (parent_ != nobody)
                send_up(FrameType::join_request, to_root(words({parent_}, registration_size)));
            refresh();
        });
    }
    void exchanged(std::uint16_t neighbour, bool acknowledged, int tries) override {
        mrhof_.exchanged(neighbour, acknowledged, tries, now_);
        choose();
    }
    std::uint16_t rank() const override { return rank_; }
    void went_in_a_circle() override {
        if (rank_ != Mrhof::infinite) reset_beacons();
    }

    Mrhof mrhof_;
    std::uint16_t rank_ = Mrhof::infinite;
    std::uint64_t beats_ = 0;
    bool refreshing_ = false;
    Trickle trickle_;
};

class Root final : public TreeRoot {
public:
    Root(Book& book, Transceiver& radio, Random& random) : TreeRoot(book, root_address, radio, random) {}

private:
    void begin() override {
        trickle_ =
            Trickle{{book_.scaled(dio_min), book_.scaled(dio_min) * (1 << dio_doublings), never_suppressed}};
        trickle_.start(now_, chance());
        beat();
    }
    void beat() {
        if (now_ >= trickle_.next_deadline() && trickle_.tick(now_, chance()))
            broadcast(FrameType::beacon, words({Mrhof::rank_root}, dio_size));
        after(trickle_.next_deadline() - now_, [this, turn = ++beats_] {
            if (turn == beats_) beat();
        });
    }
    void control(const Heard& heard, Bytes) override {
        if (heard.type != FrameType::solicit) return;
        trickle_.reset(now_, chance());
        beat();
    }
    Duration lifetime() const override { return route_lifetime; }
    std::uint64_t beats_ = 0;
    Trickle trickle_;
};

}  // namespace

std::unique_ptr<RivalStation> rpl_meter(Book& book, std::uint16_t address, Transceiver& radio,
                                        Random& random) {
    return std::make_unique<Meter>(book, address, radio, random);
}
std::unique_ptr<RivalRoot> rpl_root(Book& book, Transceiver& radio, Random& random) {
    return std::make_unique<Root>(book, radio, random);
}

}  // namespace wattmesh::bench
