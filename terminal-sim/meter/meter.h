#pragma once
#include <functional>
#include <string>
#include <vector>

#include "protocol/dlms/object.h"
#include "terminal-sim/meter/ledger.h"
#include "terminal-sim/meter/meter_clock.h"
#include "terminal-sim/meter/profile.h"
#include "terminal-sim/meter/truth.h"

namespace wattmesh::sim {

struct MeterSettings {
    DeviceNumber number;
    LoadKind kind = LoadKind::household;  ///< households have one phase and a breaker, the others three
                                          ///< phases; a summary meter no breaker
    std::uint64_t seed = 0;
    Instant installed_at{};  ///< registers, history and drift start here
    Duration clock_offset{};
    std::int32_t drift_ppm = 0;
    bool over_radio = false;  ///< reading client ciphered and pre-established; short rows
    /// The last invocation counter accepted from this client (shown at 0-0:43.1.x).
    std::function<std::uint32_t(Sap)> accepted_counter = [](Sap) { return 0U; };
};

/// What people did to a meter. Replayed in order it brings a meter back to where it was.
struct Deed {
    enum class Kind : std::uint8_t { clock_set, disconnected, reconnected };
    Kind kind{};
    Instant at{};     ///< true time
    Instant shown{};  ///< clock_set: the new time
    friend bool operator==(const Deed&, const Deed&) = default;
};

/// One simulated meter: a COSEM logical device over a load. Not copyable; one thread.
class Meter final : public dlms::ObjectModel {
public:
    /// `load` (and `supply`, the breaker's; nullptr when there is none) and `truth` (may be nullptr) outlive
    /// the meter.
    Meter(MeterSettings settings, const Load& load, Supply* supply, Truth* truth);
    Meter(const Meter&) = delete;
    Meter& operator=(const Meter&) = delete;

    /// Captures every row due by `now`; true time never goes back.
    void advance(Instant now);
    Instant next_capture() const;

    void get(const dlms::AttributeId& id, const dlms::Selection& selection, Sap client, Instant now,
             std::function<void(dlms::ReadOutcome)> done) override;
    void set(const dlms::AttributeId& id, const dlms::Data& value, Sap client, Instant now,
             std::function<void(dlms::AccessResult)> done) override;
    void act(const dlms::MethodId& id, const std::optional<dlms::Data>& argument, Sap client, Instant now,
             std::function<void(dlms::ActionOutcome)> done) override;

    const MeterSettings& settings() const { return settings_; }
    /// Register contents at a true instant, start values included.
    Registers registers(Instant at) const;
    Instant shown_time(Instant now) const { return clock_.shown(now); }
    const Profile& load_profile() const { return load_profile_; }
    /// Everything done so far, and bringing it back into a new meter (before the first `advance`).
    const std::vector<Deed>& deeds() const { return deeds_; }
    void replay(const std::vector<Deed>& deeds);

private:
    using Clients = unsigned;  ///< set of audience bits
    struct Attribute {
        std::int8_t id;
        Clients readers;
        bool writable = false;
    };
    struct Object {
        std::uint16_t class_id;
        std::uint8_t version;
        ObisCode name;
        Clients audience;
        std::vector<Attribute> attributes;
        std::vector<std::int8_t> methods;  ///< management client only
        std::function<dlms::ReadOutcome(std::int8_t, const dlms::Selection&, Sap, Instant)> read;
    };
    struct Electrical {
        std::int64_t decivolts, centiamperes, watts;
    };

    // objects.cpp: what the meter shows
    void add_identity();
    void add_clock();
    void add_energy();
    void add_electrical();
    void add_profiles();
    void add_breaker();
    void add(std::uint16_t class_id, std::uint8_t version, ObisCode name, Clients audience,
             const std::vector<std::int8_t>& attributes, decltype(Object::read) read);
    void add_data(ObisCode name, Clients audience, std::function<dlms::Data(Instant)> value);
    void add_register(ObisCode name, std::int8_t scaler, std::uint8_t unit,
                      std::function<dlms::Data(Instant)> value);
    dlms::Data object_list(Sap client) const;
    dlms::ReadOutcome association(std::int8_t attribute, Sap client) const;

    const Object* find(const ObisCode& name) const;
    void capture(Instant true_time, Instant stamp);
    void log(Instant stamp, std::uint8_t event);
    void perform(const Deed& deed);
    int phases() const { return settings_.kind == LoadKind::household ? 1 : 3; }
    Electrical electrical(int phase, Instant now) const;

    MeterSettings settings_;
    const Load& load_;
    Supply* supply_;
    Truth* truth_;
    Registers start_;
    Ledger ledger_;
    MeterClock clock_;
    Profile load_profile_, daily_, events_;
    std::vector<Object> objects_;
    std::vector<Deed> deeds_;
    Instant last_stamp_{};
    Registers last_registers_;
    std::uint8_t status_ = 0;  ///< of the row that is being gathered
    std::uint8_t last_event_ = 0;
};

/// Bits of the profile status, 0-0:96.10.1.
namespace profile_status_bit {
inline constexpr std::uint8_t clock_was_set = 0x20, disconnected = 0x40;
}

}  // namespace wattmesh::sim
