#pragma once
#include <deque>
#include <map>
#include <set>

#include "protocol/collector/attached_table.h"
#include "protocol/collector/bus_master.h"

namespace wattmesh::collector {

struct CollectorCounters {
    std::uint64_t malformed = 0;  ///< requests that do not decode, or too many at once
    std::uint64_t no_place = 0;   ///< a meter more than there are places was found
    std::uint64_t twins = 0;      ///< a number that another address of this bus has, and answers
    std::uint64_t anonymous = 0;  ///< somebody on the bus whose number cannot be read
    std::uint64_t removed = 0;    ///< silent for too long
    std::uint64_t late = 0;       ///< answers that came when nobody wanted them any more
};

/// Application of a mesh node with wired meters: finds them, keeps the table, passes ciphered APDUs on, many
/// meters in one exchange. Holds no DLMS key. Sans-IO: the owner moves requests, answers and notices between
/// this and its mesh::Node, octets between this and its bus, calls tick() at next_deadline(), and stores
/// state() whenever state_dirty().
class Collector {
public:
    struct Answer {
        std::uint16_t ticket = 0;
        Buffer payload;
    };
    /// `state` from state(), empty: new. `ciphers` and `random` outlive it.
    Collector(const BusSettings& settings, Bytes state, Ciphers& ciphers, Random& random);

    void start(Instant now);
    void tick(Instant now);
    Instant next_deadline() const;

    void bus_received(Bytes octets, Instant now);
    std::optional<Buffer> take_bus_output();

    /// A request that the mesh brought; the answer comes with the same ticket, or never when it is not ours.
    void request(std::uint16_t ticket, Bytes payload, Instant now);
    std::optional<Answer> take_answer();
    std::optional<Buffer> take_notice();

    const AttachedTable& table() const { return table_; }
    std::size_t refused() const { return refused_.size(); }
    const CollectorCounters& counters() const { return counters_; }
    const BusCounters& bus_counters() const { return bus_.counters(); }
    Buffer state() const { return encode(table_); }
    bool state_dirty() const { return saved_ != table_.generation(); }
    void state_saved() { saved_ = table_.generation(); }

private:
    /// An APDU on its way to a meter.
    struct Job {
        std::uint8_t sub = 0;
        DeviceNumber meter;
        Buffer payload;
    };
    /// What became of it, until somebody asks or it is too old.
    struct Kept {
        ItemStatus status{};
        Buffer payload;
        Instant until{};
    };
    struct Open {
        std::uint16_t ticket = 0;
        Instant answer_by{};
        std::vector<GroupAnswer::Item> items;
        std::vector<bool> settled;
    };
    enum class Work : std::uint8_t { none, job, check, call };

    void on(const TableRequest& request, std::uint16_t ticket, Instant now);
    void on(const GroupRequest& request, std::uint16_t ticket, Instant now);
    void work(Instant now);
    void bus_done(const BusOutcome& outcome, Instant now);
    void relayed(const BusOutcome& outcome, Instant now);
    void found(std::uint16_t address, const BusOutcome& outcome, Instant now);
    void missed(Attached& meter, Instant now);
    void heard(Attached& meter, Instant now);
    void settle(Instant now);
    bool pending(std::uint8_t sub) const;
    Buffer answer_of(Open& open);
    void notify(Instant now);
    std::optional<std::uint16_t> next_address(Instant now);

    BusSettings settings_;
    AttachedTable table_;
    BusMaster bus_;
    Work work_ = Work::none;
    Job job_;                    ///< while work_ is job
    std::uint16_t address_ = 0;  ///< that is being checked or called
    std::deque<Job> jobs_;
    std::map<std::uint8_t, Kept> kept_;
    std::deque<Open> open_;
    std::deque<Answer> answers_;
    std::optional<Buffer> notice_;
    Instant notice_at_ = never;
    Duration notice_gap_{};
    std::uint16_t told_ = 0;  ///< generation that a concentrator has fetched to its end
    bool told_any_ = false;
    std::uint16_t calling_ = 0;  ///< last address called
    bool swept_ = false;         ///< every address was called once
    Instant call_at_{};
    std::set<DeviceNumber> refused_;
    std::uint16_t saved_ = 0;
    CollectorCounters counters_;
};

}  // namespace wattmesh::collector
