#pragma once
#include <map>
#include <vector>

#include "headend/frontend/association.h"
#include "headend/frontend/guard.h"
#include "headend/frontend/ports.h"

namespace wattmesh::headend::frontend {

struct ConfiguratorSettings {
    Duration clock_every =
        std::chrono::hours{1};  ///< the concentrator's clock is set at log-in and this often
    Duration clock_error_max =
        std::chrono::seconds{10};  ///< beyond it, read back, the clock counts as not set
    Duration check_every =
        std::chrono::seconds{60};  ///< looks for changed desired state even when nobody said so
    Duration answer_timeout = std::chrono::seconds{120};
    Duration renewal_retry = std::chrono::hours{1};
};

struct ConfiguratorCounters {
    std::uint64_t written = 0, confirmed = 0, refused = 0, mismatched = 0, overtaken = 0, clock_set = 0,
                  clock_wrong = 0, renewed = 0, renewals_failed = 0, unavailable = 0;
};

/// Makes a concentrator's versioned objects what the head-end wants (design 2.4): reads each back, writes
/// what differs, reads it back again. Sets its clock first, because until then its readings carry a doubt.
/// Renews its certificate.
class Configurator {
public:
    /// `renew_at`: when the certificate it logged in with should be replaced.
    Configurator(DeviceNumber concentrator, Association& association, DesiredState& desired,
                 Renewals& renewals, const ConfiguratorSettings& settings, const Instant& now,
                 std::optional<Instant> renew_at);

    void tick();
    /// The link ended: no completion is listened to any more.
    void cancel() { guard_.cancel(); }
    /// The desired state changed: look soon.
    void check() { check_at_ = now_; }
    bool idle() const { return !busy_; }
    /// Every object that has a version was read back and is as wanted.
    bool settled() const { return settled_; }
    const ConfiguratorCounters& counters() const { return counters_; }

private:
    void set_clock();
    void read_clock();
    void ask_wanted();
    void on_wanted(std::optional<std::vector<WantedObject>> wanted);
    void next_object();
    void read_back(bool after_write);
    void compare(const dlms::Data& held, bool after_write);
    void write();
    void confirm_and_go_on();
    void object_failed();
    void read_request();
    void write_certificate(std::optional<Buffer> certificate);
    void renewal_failed();
    void finish();

    DeviceNumber concentrator_;
    Association& association_;
    DesiredState& desired_;
    Renewals& renewals_;
    const ConfiguratorSettings& settings_;
    const Instant& now_;
    std::optional<Instant> renew_at_;

    bool busy_ = false, settled_ = false, failed_ = false;
    Instant busy_since_, clock_at_, check_at_;
    std::vector<WantedObject> wanted_;  ///< still to be looked at
    std::map<ObisCode, std::uint32_t> verified_;
    Guard guard_;
    ConfiguratorCounters counters_;
};

}  // namespace wattmesh::headend::frontend
