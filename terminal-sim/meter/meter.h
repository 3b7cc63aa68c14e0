#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "protocol/cosem/models/models.h"
#include "protocol/cosem/monitors.h"
#include "protocol/cosem/schedule.h"
#include "protocol/cosem/script_table.h"
#include "protocol/cosem/security_setup.h"
#include "protocol/dlms/object.h"
#include "security/certificate_folder.h"
#include "terminal-sim/meter/deed.h"
#include "terminal-sim/meter/image_memory.h"
#include "terminal-sim/meter/key_owner.h"
#include "terminal-sim/meter/ledger.h"
#include "terminal-sim/meter/meter_clock.h"
#include "terminal-sim/meter/objects/object.h"
#include "terminal-sim/meter/objects/rare.h"
#include "terminal-sim/meter/prepaid_side.h"
#include "terminal-sim/meter/profile.h"
#include "terminal-sim/meter/push_order.h"
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
    /// Which kind of meter is played: names of objects, clients, columns.
    const cosem::MeterModel* model = &cosem::models::generic;
    /// Security setup, key_transfer, with its argument: false when the keys cannot be taken. Absent: this
    /// meter takes none.
    std::function<bool(KeyOwner owner, const dlms::Data& argument)> replace_keys{};
    /// Security setup, key_agreement: what the meter answers; nothing when no key was agreed. Absent: it has
    /// none.
    std::function<std::optional<dlms::Data>(KeyOwner owner, const dlms::Data& argument)> agree_keys{};
    int security_suite = 0;
    /// Security setup, methods 4 to 8; outlives the meter. Absent: this meter has no certificates.
    security::CertificateFolder* certificates = nullptr;
    /// Push setup: sends this. Absent: this meter has nowhere to send.
    std::function<void(PushOrder)> send_push{};
    /// Where it pushes to before somebody writes send_destination_and_method.
    cosem::push_setup::Destination push_destination{};
    /// Deviations from the standard that it shows in its values and pushes.
    dlms::Quirks quirks{};
    /// Where images live over a restart; outlives the meter. Absent: nowhere.
    ImageMemory* image_memory = nullptr;
    /// security_policy from the factory: every APDU authenticated and encrypted, both ways.
    std::uint8_t security_policy = 0x6C;
    /// Sells by token. Absent: in credit mode. Only for meters with a breaker.
    std::optional<PrepaidSettings> prepaid{};
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
    /// When `advance` next has something to do: a capture, or a schedule.
    Instant next_event() const;

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
    /// Somebody presses the button; true when that closed the breaker (disconnect control, modes 1, 3, 5, 6).
    bool reconnect_by_hand(Instant now);

    /// Twenty digits from the keypad or through the token gateway, of a prepayment meter.
    TokenEntry enter_token(const std::string& digits, cosem::token_gateway::DeliveryMethod from, Instant now);
    /// The customer asks for emergency credit.
    bool take_emergency(Instant now);
    /// Null in credit mode. Its balance is that of the last quarter hour or deed.
    const PrepaidSide* prepaid() const { return prepaid_.get(); }
    /// The customer's own generator feeds what hangs behind the breaker, or stops. Over a restart it stops.
    void feed_from_behind(bool feeds) { rare().fed_from_behind = feeds; }
    /// Behind the breaker.
    std::int64_t load_side_decivolts(Instant now) const;
    /// Balance and relay of this instant, of a prepayment meter.
    PrepaidMeter prepaid_at(Instant now) const;

    /// What the meter says it is, and what image files for it name as their model.
    static constexpr std::string_view type = "WMT-SIM";
    std::string logical_device_name() const;
    /// From the factory.
    std::string firmware() const;
    /// As it shows it.
    std::string running_firmware() const;
    /// An image that came by another way than the image transfer object, and was verified there: it may be
    /// activated now, unless the meter runs this version.
    void hold_image(const std::string& version, Bytes identifier, std::uint32_t size);
    /// The name that the model has for something; the generic one when it has none.
    ObisCode object_named(cosem::Quantity quantity) const;
    /// An attribute that was written.
    std::optional<dlms::Data> attribute(const ObisCode& object, std::int8_t id) const;
    /// Keeps a value as if it had been written.
    void store(const ObisCode& object, std::int8_t id, dlms::Data value);
    /// What a client reads.
    dlms::ReadOutcome value_of(const dlms::AttributeId& id, const dlms::Selection& selection, Sap client,
                               Instant now) const;
    /// Body of a push: the values that push_object_list names; null-data for what is not there.
    dlms::Data push_body(Instant now) const;
    /// The present security_policy (class 64), a set of cosem::security_setup::policy_bit.
    std::uint8_t security_policy() const;

    struct Electrical {
        std::int64_t decivolts, centiamperes, watts;
    };
    Electrical electrical(int phase, Instant now) const;
    /// Of all phases; below 0 when the customer feeds in.
    std::int64_t watts(Instant now) const;
    bool closed(Instant now) const { return supply_ == nullptr || supply_->closed_at(now); }
    cosem::disconnect_control::ControlState control_state(Instant now) const;
    /// Imported since the last row of the load profile.
    std::int64_t watt_hours_since_capture(Instant now) const;
    std::uint32_t last_average_watts() const;
    struct Demand {
        std::uint32_t watts = 0;
        Instant at{};  ///< the meter's time; epoch: no row this month
    };
    /// The greatest average of a row in the month that the meter's clock shows.
    Demand maximum_demand(Instant now) const;

private:
    friend struct ObjectMaker;

    const SimObject* find(const ObisCode& name) const;
    dlms::ReadOutcome association(std::int8_t attribute, Sap client) const;
    void capture(Instant true_time, Instant stamp);
    std::uint32_t cell(const ProfileColumn& column, const Energies& row, const Registers& present,
                       bool snapshot, Instant true_time) const;
    void log(Instant stamp, std::uint8_t event);
    /// Does it at its time, and remembers it unless it follows from what is remembered already.
    void perform(const Deed& deed);
    void apply(const Deed& deed);
    void set_clock(const Deed& deed);
    void remember(Deed deed);
    void remember_call(std::uint16_t class_id, const ObisCode& object, std::int8_t method,
                       const dlms::Data& argument, Instant now);
    int phases() const { return settings_.kind == LoadKind::household ? 1 : 3; }
    RareState& rare();

    // objects/supply.cpp
    cosem::disconnect_control::ControlMode control_mode() const;
    dlms::AccessResult switch_supply(bool close, Instant now);
    dlms::AccessResult execute(const cosem::ActionItem& script, Instant now);
    dlms::AccessResult perform_action(const cosem::script_table::Action& action, Instant now);
    void watch_limit(Instant now);
    void trip(Instant at);
    // objects/push.cpp
    template <class T>
    T push_attribute(const cosem::Attribute<T>& which, Instant now) const;
    PushOrder push_order(Buffer apdu, Instant now) const;
    dlms::AccessResult push(Instant now);
    void push_alarm(Instant now);
    // objects/calendar.cpp, objects/image.cpp
    void activate_calendar(Instant now);
    dlms::AccessResult transfer_image(const SimObject::Call& what);
    dlms::AccessResult activate_image(Instant now);
    // due.cpp: what happens by itself at a time
    struct Due {
        Instant at{};     ///< true time
        Instant shown{};  ///< as scheduled
        const SimObject* object = nullptr;
        bool credit = false;  ///< it may run out, or a quarter hour ends
    };
    std::optional<Due> next_due() const;
    void carry_out(const Due& due);
    void skip_past_times(const ObisCode& schedule, Instant now);
    // objects/schedule.cpp
    std::vector<cosem::schedule::Entry> schedule_entries() const;
    std::vector<cosem::special_days::Entry> special_days() const;
    std::optional<Due> next_scheduled() const;
    void run_schedule(const Due& due);
    void catch_up_schedule(Instant from, Instant to, Instant now);
    // prepaid_side.cpp
    void install_prepaid();
    void settle_credit(Instant now);
    void follow_credit(Instant now);
    void switch_prepaid(bool close, Instant now);
    // objects/arbitrator.cpp
    dlms::AccessResult arbitrate(const SimObject::Call& what);

    MeterSettings settings_;
    const Load& load_;
    Supply* supply_;
    Truth* truth_;
    Registers start_;
    Ledger ledger_;
    MeterClock clock_;
    Profile load_profile_, daily_, events_;
    const SimObjects* objects_;
    std::vector<Deed> deeds_;
    std::unique_ptr<RareState> rare_;
    std::unique_ptr<PrepaidSide> prepaid_;
    Instant last_stamp_{};
    Instant latest_{};  ///< true time of the last thing that happened
    Registers last_registers_;
    std::uint32_t last_import_ = 0;  ///< Wh of the last row
    bool applying_ = false;          ///< what happens now follows from a deed that is remembered
    std::uint8_t status_ = 0;        ///< of the row that is being gathered
    std::uint8_t last_event_ = 0;
    std::uint32_t push_last_ = 0;  ///< invoke-id of the last DataNotification
};

/// What an energy or apparent energy register (group C of its code) counts.
std::int64_t counted(const Energies& energies, std::uint8_t group_c);
/// Content of a deed of kind written or called.
Buffer deed_content(std::uint16_t class_id, const ObisCode& object, std::int8_t member,
                    const dlms::Data& value);

/// Codes in the event log.
namespace event {
inline constexpr std::uint8_t power_up = 2, clock_before = 4, clock_after = 5, firmware_activated = 18,
                              breaker_opened = 62, breaker_closed = 63, limit_exceeded = 65, voltage_sag = 76;
}
/// Bits of the profile status, 0-0:96.10.1.
namespace profile_status_bit {
inline constexpr std::uint8_t clock_was_set = 0x20, disconnected = 0x40;
}

}  // namespace wattmesh::sim
