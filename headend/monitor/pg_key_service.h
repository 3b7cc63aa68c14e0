#pragma once
#include "headend/database/counter_blocks.h"
#include "headend/database/disconnect_grants.h"
#include "headend/database/query_queue.h"
#include "headend/monitor/key_service.h"
#include "headend/monitor/meter_security.h"
#include "protocol/base/cipher.h"

namespace wattmesh::headend::monitor {

struct KeyServiceSettings {
    SystemTitle own_title;
    database::DisconnectCaps caps{};
};

/// Key service on the database: keys are unwrapped on the queue's thread, for one protection, disconnects are
/// granted and enough invocation counters reserved there.
class PgKeyService : public KeyService {
public:
    PgKeyService(const KeyServiceSettings& settings, database::QueryQueue& queue,
                 const MeterSecurity& security, database::CounterBlocks& counters, Ciphers& ciphers,
                 std::function<Instant()> now)
        : settings_(settings),
          queue_(queue),
          security_(security),
          counters_(counters),
          ciphers_(ciphers),
          now_(std::move(now)) {}
    void access(KeyRequest request, std::function<void(KeyAnswer)> done) override;
    void raise(DeviceNumber meter, const dlms::CounterRaised& counter, const std::string& actor) override;

private:
    KeyAnswer look_up(database::Connection& connection, const KeyRequest& request, Instant now);
    /// Loop thread.
    void note(const std::string& actor, const std::string& action, DeviceNumber meter,
              const std::string& detail);

    KeyServiceSettings settings_;
    database::QueryQueue& queue_;
    const MeterSecurity& security_;
    database::CounterBlocks& counters_;
    Ciphers& ciphers_;
    std::function<Instant()> now_;
};

}  // namespace wattmesh::headend::monitor
