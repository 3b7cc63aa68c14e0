#pragma once
#include <set>

#include "headend/database/query_queue.h"
#include "headend/exchange/point_table.h"
#include "headend/exchange/scada_listener.h"
#include "headend/exchange/scada_order.h"

namespace wattmesh::headend::exchange {

struct ScadaStationSettings {
    std::string link;  ///< name in the database
    ScadaListenerSettings listener;
    std::string certificate, key, ca;  ///< files; all empty: no TLS
    Duration poll_real = std::chrono::seconds{5};
    bool commands_alone = true;  ///< a single switching needs no second person (relay.second_person_above)
};

/// The outstation of one link: its points follow the database, its commands go to the gate. On the loop's
/// thread; SQL runs in the queue.
class ScadaStation {
public:
    ScadaStation(platform::Loop& loop, ScadaStationSettings settings, platform::TlsLink::Context tls,
                 database::QueryQueue& queue);

    void start();
    void stop();
    std::uint16_t port() const { return listener_.port(); }

private:
    struct Board {
        std::optional<database::ScadaLink> link;
        std::optional<std::vector<database::ScadaPoint>> points;  ///< when the version is another one
        std::vector<database::ScadaValue> values;
    };
    struct Switching {
        iec104::CommandId command{};
        database::JobId job{};
        DeviceNumber meter;
    };

    void poll();
    void take(const Board& board);
    void take_table(const database::ScadaLink& link, const std::vector<database::ScadaPoint>& points);
    void show(const database::ScadaValue& value, iec104::Cause cause);
    /// What the link does not show any more is no good value.
    void forget(const std::set<iec104::PointKey>& shown);
    void lose_sight();
    void on_command(const iec104::Command& command, const std::string& peer);
    void follow();
    void end(const Switching& switching, const database::Job& job);

    platform::Loop& loop_;
    ScadaStationSettings settings_;
    database::QueryQueue& queue_;
    iec104::Outstation outstation_;
    ScadaListener listener_;
    platform::Timer poll_timer_, follow_timer_;
    platform::Log log_{"exchange"};
    database::ScadaLink link_;
    std::map<iec104::PointKey, database::ScadaPoint> points_;
    std::map<iec104::PointKey, database::ScadaValue> values_;
    std::vector<Switching> switchings_;
    std::map<DeviceNumber, Instant> switched_;  ///< whose next state, not older, is the answer to a command
    std::shared_ptr<bool> alive_;
};

}  // namespace wattmesh::headend::exchange
