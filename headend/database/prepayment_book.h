#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/connection.h"
#include "headend/database/vend_ids.h"
#include "headend/prepayment/decision.h"

namespace wattmesh::headend::database {

/// How taking an account into the mode went.
enum class Enrolled : std::uint8_t {
    done,
    unknown_meter,
    no_account,  ///< the books name no account for the meter (`headend vend set`)
    already,     ///< this account or this meter is in the mode
    unit         ///< its load profile does not count whole Wh
};

/// What a person decided of an account.
struct PrepaymentFlags {
    std::optional<std::string> held, disputed;  ///< why
    friend bool operator==(const PrepaymentFlags&, const PrepaymentFlags&) = default;
};

/// A value beside a reading.
struct IntervalVersion {
    Instant at{};  ///< end of the interval
    Instant made{};
    std::int64_t wh = 0;
    bool estimated = false;
    std::string by, reason;
};

struct PrepaymentLine {
    std::string account, customer, meter_number;
    DeviceNumber meter;
    bool enrolled = false;
    pricing::Money balance;
    std::string supply, said;
    std::optional<Instant> actual_to, first_notice, second_notice, supply_since;
    std::optional<std::int64_t> job;
    PrepaymentFlags flags;
};
struct PrepaymentEnrolment {
    DeviceNumber meter;
    Instant from{};
    std::optional<Instant> to;
    std::string by, why, left_by, left_why;
};
struct PrepaymentNotice {
    int number = 1;
    Instant at{};
    pricing::Money balance;
    std::string words, channel;
    std::optional<Instant> over;
};
struct PrepaymentDayLine {
    std::chrono::sys_days day{};
    std::string tariff;
    std::int64_t wh = 0;
    int intervals = 0, doubtful = 0, changes = 0;
    pricing::Money amount;
};
struct PrepaymentHoliday {
    std::chrono::sys_days day{};
    std::string name;
};
/// What a utility goes by; hours and holidays of the whole utility.
struct PrepaymentPolicy {
    prepayment::Rules rules;
    std::vector<prepayment::Hours> hours;
    std::vector<PrepaymentHoliday> holidays;
};

prepayment::Rules prepayment_rules(Connection& connection, TenantId tenant);

/// What people do with accounts in the mode, and see of them. The connection shows what its user may see; the
/// caller owns the transaction and writes the audit record.
class PrepaymentBook {
public:
    explicit PrepaymentBook(Connection& connection) : connection_(connection) {}

    /// From the next quarter hour on.
    Enrolled enrol(DeviceNumber meter, Instant now, const std::string& by, const std::string& why);
    /// Until the next quarter hour. What is left stays on the account. False when it is not in the mode.
    bool leave(DeviceNumber meter, Instant now, const std::string& by, const std::string& why);
    std::optional<PrepaymentFlags> flags(DeviceNumber meter);
    /// False when it is not in the mode.
    bool set_flags(DeviceNumber meter, const PrepaymentFlags& flags);
    /// A value that counts instead of the reading; its number. Nothing when the meter has no such interval.
    std::optional<int> correct(DeviceNumber meter, const IntervalVersion& version);

    /// Enrolled ones first, the lowest balance first.
    std::vector<PrepaymentLine> list(int most);
    std::optional<PrepaymentLine> find(DeviceNumber meter);
    std::vector<PrepaymentEnrolment> enrolments(DeviceNumber meter);
    std::vector<PrepaymentNotice> notices(DeviceNumber meter, int most);
    std::vector<PrepaymentDayLine> days(DeviceNumber meter, int most);

    PrepaymentPolicy policy(TenantId tenant);
    void set_policy(TenantId tenant, const PrepaymentPolicy& policy);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
