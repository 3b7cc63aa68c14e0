#pragma once
#include <map>
#include <set>

#include "headend/frontend/ports.h"
#include "protocol/dcu/firmware.h"
#include "terminal-sim/field/shipment.h"
#include "tests/fleet/head_model.h"
#include "tests/fleet/timeline.h"

namespace wattmesh::fleet {

/// What every concentrator of the town should hold; both front-ends share it.
class Wanted final : public headend::frontend::DesiredState {
public:
    /// `keks`: key-encryption key of each concentrator, as enrolment gave it.
    Wanted(Timeline& timeline, HeadModel& model, const sim::Town& town, const sim::Shipment& shipment,
           const std::map<DeviceNumber, Key128>& keks, Ciphers& ciphers);

    void wanted(
        DeviceNumber concentrator, Instant now,
        std::function<void(std::optional<std::vector<headend::frontend::WantedObject>>)> done) override;
    void confirm(DeviceNumber concentrator, ObisCode object, std::uint32_t version, Instant now) override;
    /// A concentrator that was put back to an old disk may hold no version above ours: nothing was restored
    /// here.
    void overtaken(DeviceNumber, ObisCode, std::uint32_t, Instant) override { ++overtaken_; }

    /// It shall distribute an image.
    void order(DeviceNumber concentrator, const dcu::FirmwareOrder& order);

    std::uint64_t confirmed() const { return confirmed_; }
    std::uint64_t overtaken() const { return overtaken_; }

private:
    void want(DeviceNumber concentrator, const ObisCode& object, Buffer content);
    void refresh(DeviceNumber concentrator);

    Timeline& timeline_;
    HeadModel& model_;
    const sim::Town& town_;
    const sim::Shipment& shipment_;
    const std::map<DeviceNumber, Key128>& keks_;
    Ciphers& ciphers_;
    std::map<DeviceNumber, std::vector<headend::frontend::WantedObject>> objects_;
    std::uint64_t confirmed_ = 0, overtaken_ = 0;
};

/// Nobody's certificate runs out within a run.
class NoRenewals final : public headend::frontend::Renewals {
public:
    void renew(DeviceNumber, Buffer, Instant, std::function<void(std::optional<Buffer>)> done) override {
        done(std::nullopt);
    }
};

}  // namespace wattmesh::fleet
