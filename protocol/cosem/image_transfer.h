#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocol/base/time.h"
#include "protocol/cosem/image_file.h"
#include "protocol/cosem/image_transfer_class.h"
#include "protocol/cosem/models/meter_model.h"

namespace wattmesh::cosem {

/// How an image gets into a meter. Names are those of the meter's model.
struct ImagePlan {
    ObisCode image_transfer{{0, 0, 44, 0, 0, 255}};
    /// Where the meter shows its type: a Data object whose text must equal the image's model.
    ObisCode meter_type{{0, 0, 96, 1, 1, 255}};
    /// Absent: activated at once. Else the schedule below gets this time (the meter's own, date and time of
    /// day).
    std::optional<dlms::RawDateTime> activate_at;
    ObisCode activation_schedule{{0, 0, 15, 0, 2, 255}};
    /// The meter got this very image initiated in an earlier life of ours: go on, do not start over.
    bool resume = false;
    unsigned tries_max = 5;                     ///< of one request that fails
    unsigned rounds_max = 8;                    ///< of sending what is still missing
    unsigned polls_max = 120;                   ///< of verification or activation that goes on
    unsigned interruptions_max = 50;            ///< links that broke
    Duration pause = std::chrono::seconds{10};  ///< between polls and after a temporary failure
};

/// What the owner is to ask the meter.
struct ReadStep {
    dlms::AttributeId id;
};
struct WriteStep {
    dlms::AttributeId id;
    dlms::Data value;
};
using ImageStep = std::variant<ReadStep, WriteStep, MethodCall>;

/// What happened, in order.
struct ImageEvent {
    enum class Kind : std::uint8_t {
        model_agreed,  ///< the meter is of the image's model
        initiated,
        resumed,      ///< `blocks_done` were there already
        progressed,   ///< another block is there
        transferred,  ///< all blocks are there
        verified,
        activated,
        scheduled,
        failed,  ///< `reason` says why; nothing more will happen
    };
    Kind kind{};
    std::uint32_t blocks_done = 0, blocks = 0;
    std::string reason{};
};
std::string_view to_string(ImageEvent::Kind kind);

/// Brings a signed image into a meter (Blue Book ed. 14, 4.4.6, image transfer process), sans-IO: the owner
/// asks `next`, sends it over an association, gives the outcome to `answer`, waits `pause` when told to, and
/// says `interrupted` when the link broke; then the transfer goes on where the meter is, with a new
/// association.
///
///   model --agrees--> state --initiate--> blocks --all there--> verify --> info --> activate | schedule -->
///   done
///                       ^____________________|__________________|__________________|      interrupted
///                     missing blocks are sent again; everything is bounded; what cannot go on --> failed
class ImageTransfer {
public:
    ImageTransfer(const SignedImage& image, ImagePlan plan);
    /// To a concentrator, which keeps it for its meters: `octets`, which outlive the transfer, under this
    /// identifier. No model is asked for, what is there already is not sent again, and the end is that it is
    /// verified.
    ImageTransfer(Bytes octets, Buffer identifier, ImagePlan plan);

    /// The next request; nothing while one is open, during a pause, and at the end.
    std::optional<ImageStep> next();
    void answer(const dlms::ReadOutcome& outcome);
    void answer(dlms::AccessResult result);
    void answer(const dlms::ActionOutcome& outcome);
    /// The association or the link is gone; an open request stays unanswered.
    void interrupted();
    /// How long to wait before `resume_after_pause`; nothing when there is no pause.
    std::optional<Duration> pause() const;
    void resume_after_pause() { pausing_ = false; }

    std::optional<ImageEvent> take_event();
    bool finished() const { return phase_ == Phase::done || phase_ == Phase::failed; }
    bool succeeded() const { return phase_ == Phase::done; }
    /// True from the first initiation on: what `ImagePlan::resume` of a later transfer should be.
    bool initiated() const { return initiated_; }

private:
    using Block = image_transfer::Block;
    enum class Phase : std::uint8_t {
        model,    ///< reads the meter's type
        held,     ///< a concentrator: is it there already?
        enabled,  ///< reads image_transfer_enabled
        enable,   ///< writes it
        status,   ///< where is the meter?
        initiate,
        block_size,
        blocks_status,  ///< which blocks are missing?
        blocks,
        first_missing,
        verify,
        verify_status,
        info,  ///< image_to_activate_info
        activate,
        activate_status,
        schedule,
        schedule_check,
        done,
        failed,
    };
    ImageStep step() const;
    void take_model(const dlms::Data& data);
    void take_status(const dlms::Data& data);
    void take_block_size(const dlms::Data& data);
    void take_blocks_status(const dlms::Data& data);
    void take_first_missing(const dlms::Data& data);
    void take_verify_status(const dlms::Data& data);
    void take_info(const dlms::Data& data);
    void take_activate_status(const dlms::Data& data);
    void take_schedule(const dlms::Data& data);
    void take_value(const dlms::Data& data);
    void refused(dlms::AccessResult result);  ///< of what was read or written
    void called();
    void call_refused(dlms::AccessResult result);
    void go(Phase phase);
    /// Again after a pause, unless the result is final or was met too often.
    void retry(dlms::AccessResult result);
    /// `phase` after a pause, unless that went on for too long.
    void poll(Phase phase);
    void start_over(std::string_view why);
    void fail(std::string reason);
    void tell(ImageEvent::Kind kind);
    std::uint32_t blocks() const;
    std::uint32_t blocks_done() const;
    std::uint32_t size() const { return static_cast<std::uint32_t>(octets_.size()); }
    void verified();
    Block block(std::uint32_t number) const;

    Bytes octets_;
    Buffer identifier_;
    std::string model_;  ///< empty: for a concentrator
    ImagePlan plan_;
    Phase phase_ = Phase::model;
    bool open_ = false, pausing_ = false;
    bool initiated_ = false;  ///< the image that the meter holds is ours
    bool resuming_ = false;   ///< blocks may be there already
    unsigned tries_ = 0, rounds_ = 0, polls_ = 0, interruptions_ = 0, starts_ = 0;
    std::uint32_t block_size_ = 0;
    std::vector<std::uint32_t> missing_;  ///< blocks still to be sent, the next one last
    std::deque<ImageEvent> events_;
};

}  // namespace wattmesh::cosem
