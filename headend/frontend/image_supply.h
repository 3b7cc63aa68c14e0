#pragma once
#include <memory>
#include <optional>

#include "headend/frontend/association.h"
#include "headend/frontend/guard.h"
#include "headend/frontend/ports.h"
#include "protocol/cosem/image_transfer.h"

namespace wattmesh::headend::frontend {

struct ImageSupplySettings {
    Duration check_every = std::chrono::seconds{60};  ///< looks for a wanted image even when nobody said so
    Duration retry = std::chrono::minutes{10};        ///< after a transfer that failed
    Duration tell_every = std::chrono::seconds{5};    ///< progress goes to the port in this rhythm
};

/// Brings the firmware image that its meters should get into one concentrator, once, by image transfer (class
/// 18) beside the configuration; what a broken session left there is not sent again.
class ImageSupply {
public:
    ImageSupply(DeviceNumber concentrator, Association& association, Images& images,
                const ImageSupplySettings& settings, const Instant& now);

    void tick();
    /// The link ended: no completion is listened to any more.
    void cancel() { guard_.cancel(); }
    /// Another image may be wanted: look soon.
    void check() { check_at_ = now_; }

private:
    void ask();
    void begin(WantedImage wanted);
    void go_on();
    void send(const cosem::ImageStep& step);
    void take_events();
    void tell(ImageSupplied::State state, const cosem::ImageEvent& event);

    DeviceNumber concentrator_;
    Association& association_;
    Images& images_;
    ImageSupplySettings settings_;
    const Instant& now_;
    Instant check_at_, told_at_{};
    std::optional<Instant> resume_at_;
    bool asking_ = false;
    WantedImage wanted_;
    std::optional<cosem::ImageTransfer> transfer_;
    Buffer settled_;  ///< identifier of what this session saw there, verified
    Guard guard_;
};

}  // namespace wattmesh::headend::frontend
