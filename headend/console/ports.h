#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/cipher.h"
#include "protocol/base/id.h"
#include "protocol/base/time.h"
#include "protocol/dcu/objects.h"
#include "protocol/dcu/uplink_state.h"
#include "protocol/dlms/object.h"

/// What the console asks of the rest of the head-end; main.cpp connects it.
namespace wattmesh::headend::console {

/// A live read's answer.
struct LiveValue {
    bool ok = false;
    std::string fault;  ///< stable lower-case word when not ok: "unreachable", "no_answer", "offline", ...
    dlms::Data value;   ///< raw, as the meter gave it
    std::optional<int> scaler, unit;  ///< of registers
    Duration took{};                  ///< simulated time
};

/// Reads through the mesh. Implemented by headend/monitor; `done` comes once, on any thread.
class LiveReads {
public:
    virtual ~LiveReads() = default;
    virtual void read(DeviceNumber meter, const dlms::AttributeId& attribute,
                      std::function<void(LiveValue)> done) = 0;
    /// The mesh as its concentrator sees it now; nothing when it is not connected or does not answer.
    virtual void topology(DeviceNumber concentrator,
                          std::function<void(std::optional<std::vector<dcu::TopologyNode>>)> done) = 0;
    /// Its reads and frames since its program started; nothing likewise.
    virtual void statistics(DeviceNumber concentrator,
                            std::function<void(std::optional<dcu::Statistics>)> done) = 0;
    /// How it is connected: bearers, addresses, the modem; nothing likewise, or of an older concentrator.
    virtual void uplink(DeviceNumber concentrator,
                        std::function<void(std::optional<dcu::UplinkState>)> done) = 0;
};

/// True when the password belongs to the stored hash (security/password). Takes its time: scrypt.
using VerifyPassword = std::function<bool(std::string_view password, const std::string& hash)>;

/// What is stored for a new password (security/password). Takes its time likewise.
using HashPassword = std::function<std::string(std::string_view password)>;

/// Log lines: "warning" or "information", and a sentence. Never a secret.
using Log = std::function<void(std::string_view level, const std::string& line)>;

}  // namespace wattmesh::headend::console
