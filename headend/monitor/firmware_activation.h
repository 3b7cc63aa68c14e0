#pragma once
#include "headend/database/firmware.h"
#include "headend/jobs/job_runner.h"
#include "headend/monitor/parameter_desk.h"

namespace wattmesh::headend::monitor {

/// What "firmware_activation" jobs do.
struct ActivationOrder {
    database::FirmwareImageId image{};
    Instant at{};  ///< not before
    std::string to_json() const;
    /// Throws std::runtime_error when the text is not an order of ours.
    static ActivationOrder from_json(const std::string& text);
};

/// Meters that hold a verified image are told to run it (class 18, image_activate), end to end, and are then
/// asked what they run. A meter that runs the version already is told nothing, so doing an item twice is
/// harmless; a lost answer is followed by the question, never by a second command at once.
class FirmwareActivation : public jobs::JobKind {
public:
    struct Ports {
        database::QueryQueue& queue;
        OnDemand& on_demand;
        ParameterDesk& desk;
        std::function<void()> pump;
        std::function<Instant()> now;
    };
    explicit FirmwareActivation(Ports ports) : ports_(std::move(ports)) {}
    std::string name() const override { return "firmware_activation"; }
    int at_once() const override { return 4; }
    void work(const database::Job& job, const database::JobItem& item, Done done) override;

private:
    struct Turn;
    void read(const std::shared_ptr<Turn>& turn, const dlms::AttributeId& id,
              std::function<void(const dlms::Data&)> then);
    void begin(const std::shared_ptr<Turn>& turn);
    void look_at_image(const std::shared_ptr<Turn>& turn);
    void activate(const std::shared_ptr<Turn>& turn);
    void verify(const std::shared_ptr<Turn>& turn);
    void conclude(const std::shared_ptr<Turn>& turn, database::ItemState state, const std::string& detail);

    Ports ports_;
};

}  // namespace wattmesh::headend::monitor
