#include "protocol/cosem/image_transfer.h"

#include <algorithm>
#include <cassert>

#include "protocol/cosem/measurement.h"
#include "protocol/cosem/schedule.h"

namespace wattmesh::cosem {

using dlms::AccessResult;
using dlms::Data;

namespace {

/// Asking again would not help.
bool is_final(AccessResult result) {
    switch (result) {
        case AccessResult::read_write_denied:
        case AccessResult::object_undefined:
        case AccessResult::class_inconsistent:
        case AccessResult::type_unmatched:
        case AccessResult::scope_of_access_violated:
            return true;
        default:
            return false;
    }
}

}  // namespace

ImageTransfer::ImageTransfer(const SignedImage& image, ImagePlan plan)
    : octets_(image.image()),
      identifier_(image.header().identifier),
      model_(image.header().model),
      plan_(std::move(plan)),
      initiated_(plan_.resume) {}

ImageTransfer::ImageTransfer(Bytes octets, Buffer identifier, ImagePlan plan)
    : octets_(octets),
      identifier_(std::move(identifier)),
      plan_(std::move(plan)),
      phase_(Phase::held),
      initiated_(plan_.resume) {}

std::uint32_t ImageTransfer::blocks() const {
    return block_size_ == 0 ? 0 : (size() + block_size_ - 1) / block_size_;
}

std::uint32_t ImageTransfer::blocks_done() const {
    return blocks() - static_cast<std::uint32_t>(missing_.size());
}

ImageTransfer::Block ImageTransfer::block(std::uint32_t number) const {
    const std::size_t start = std::size_t{number} * block_size_;
    return {number,
            to_buffer(octets_.subspan(start, std::min<std::size_t>(block_size_, octets_.size() - start)))};
}

std::optional<ImageStep> ImageTransfer::next() {
    if (open_ || pausing_ || finished()) return std::nullopt;
    open_ = true;
    return step();
}

ImageStep ImageTransfer::step() const {
    using namespace image_transfer;
    const ObisCode& object = plan_.image_transfer;
    switch (phase_) {
        case Phase::model:
            return ReadStep{data::value.of(plan_.meter_type)};
        case Phase::enabled:
            return ReadStep{image_transfer_enabled.of(object)};
        case Phase::enable:
            return WriteStep{image_transfer_enabled.of(object), image_transfer_enabled.write(true)};
        case Phase::status:
        case Phase::verify_status:
        case Phase::activate_status:
            return ReadStep{image_transfer_status.of(object)};
        case Phase::initiate:
            return image_transfer_initiate(object, {identifier_, size()});
        case Phase::block_size:
            return ReadStep{image_block_size.of(object)};
        case Phase::blocks_status:
            return ReadStep{image_transferred_blocks_status.of(object)};
        case Phase::blocks:
            return image_block_transfer(object, block(missing_.back()));
        case Phase::first_missing:
            return ReadStep{image_first_not_transferred_block_number.of(object)};
        case Phase::verify:
            return image_verify(object);
        case Phase::held:
        case Phase::info:
            return ReadStep{image_to_activate_info.of(object)};
        case Phase::activate:
            return image_activate(object);
        case Phase::schedule:
            return WriteStep{single_action_schedule::execution_time.of(plan_.activation_schedule),
                             single_action_schedule::execution_time.write(
                                 {single_action_schedule::execution_at(*plan_.activate_at)})};
        case Phase::schedule_check:
            return ReadStep{single_action_schedule::execution_time.of(plan_.activation_schedule)};
        case Phase::done:
        case Phase::failed:
            break;
    }
    assert(false && "finished transfers have no step");
    return ReadStep{};
}

void ImageTransfer::go(Phase phase) {
    phase_ = phase;
    tries_ = 0;
}

void ImageTransfer::tell(ImageEvent::Kind kind) { events_.push_back({kind, blocks_done(), blocks(), {}}); }

void ImageTransfer::fail(std::string reason) {
    phase_ = Phase::failed;
    events_.push_back({ImageEvent::Kind::failed, blocks_done(), blocks(), std::move(reason)});
}

void ImageTransfer::retry(AccessResult result) {
    if (is_final(result) || ++tries_ >= plan_.tries_max)
        return fail("the meter answers " + std::string{to_string(result)});
    pausing_ = true;
}

void ImageTransfer::poll(Phase phase) {
    if (++polls_ >= plan_.polls_max) return fail("the meter does not get ready in time");
    phase_ = phase;
    pausing_ = true;
}

void ImageTransfer::start_over(std::string_view why) {
    constexpr unsigned starts_max = 3;
    if (starts_ >= starts_max) return fail(std::string{why});
    resuming_ = false;
    go(Phase::initiate);
}

std::optional<Duration> ImageTransfer::pause() const {
    return pausing_ ? std::optional{plan_.pause} : std::nullopt;
}

void ImageTransfer::interrupted() {
    open_ = pausing_ = false;
    if (finished()) return;
    if (++interruptions_ > plan_.interruptions_max) return fail("the link breaks again and again");
    switch (phase_) {
        case Phase::model:
        case Phase::held:
        case Phase::enabled:
        case Phase::enable:
            return;
        case Phase::activate:
        case Phase::activate_status:  // meters restart when they activate
            return go(Phase::activate_status);
        case Phase::schedule:
        case Phase::schedule_check:
            return go(Phase::schedule);
        default:
            return go(Phase::status);
    }
}

void ImageTransfer::answer(const dlms::ReadOutcome& outcome) {
    if (!open_ || finished()) return;
    open_ = false;
    if (const auto* result = std::get_if<AccessResult>(&outcome)) return refused(*result);
    take_value(std::get<Data>(outcome));
}

void ImageTransfer::answer(AccessResult result) {
    if (!open_ || finished()) return;
    open_ = false;
    if (result != AccessResult::success) return retry(result);
    go(phase_ == Phase::enable ? Phase::status : Phase::schedule_check);
}

void ImageTransfer::answer(const dlms::ActionOutcome& outcome) {
    if (!open_ || finished()) return;
    open_ = false;
    outcome.result == AccessResult::success ? called() : call_refused(outcome.result);
}

void ImageTransfer::verified() {
    tell(ImageEvent::Kind::verified);
    if (model_.empty()) return go(Phase::done);
    go(plan_.activate_at ? Phase::schedule : Phase::activate);
}

// What a meter need not show is not insisted on.
void ImageTransfer::refused(AccessResult result) {
    if (!is_final(result)) return retry(result);
    switch (phase_) {
        case Phase::enabled:
            return go(Phase::status);
        case Phase::blocks_status:
            return go(Phase::first_missing);
        case Phase::info:
            return verified();
        case Phase::schedule_check:
            tell(ImageEvent::Kind::scheduled);
            return go(Phase::done);
        default:
            return retry(result);
    }
}

void ImageTransfer::called() {
    switch (phase_) {
        case Phase::initiate:
            ++starts_;
            initiated_ = true;
            tell(ImageEvent::Kind::initiated);
            return go(Phase::block_size);
        case Phase::blocks:
            missing_.pop_back();
            tell(ImageEvent::Kind::progressed);
            return go(missing_.empty() ? Phase::first_missing : Phase::blocks);
        case Phase::verify:
            return go(Phase::info);
        case Phase::activate:
            return go(Phase::activate_status);
        default:
            return fail("a method was answered that nobody called");
    }
}

void ImageTransfer::call_refused(AccessResult result) {
    const bool goes_on = result == AccessResult::temporary_failure;
    if (phase_ == Phase::verify) {
        if (goes_on) return poll(Phase::verify_status);
        return fail("the meter does not accept the image: " + std::string{to_string(result)});
    }
    if (phase_ == Phase::activate && goes_on) return poll(Phase::activate_status);
    retry(result);
}

std::optional<ImageEvent> ImageTransfer::take_event() {
    if (events_.empty()) return std::nullopt;
    ImageEvent event = std::move(events_.front());
    events_.pop_front();
    return event;
}

std::string_view to_string(ImageEvent::Kind kind) {
    switch (kind) {
        case ImageEvent::Kind::model_agreed:
            return "model_agreed";
        case ImageEvent::Kind::initiated:
            return "initiated";
        case ImageEvent::Kind::resumed:
            return "resumed";
        case ImageEvent::Kind::progressed:
            return "progressed";
        case ImageEvent::Kind::transferred:
            return "transferred";
        case ImageEvent::Kind::verified:
            return "verified";
        case ImageEvent::Kind::activated:
            return "activated";
        case ImageEvent::Kind::scheduled:
            return "scheduled";
        case ImageEvent::Kind::failed:
            return "failed";
    }
    return "?";
}

}  // namespace wattmesh::cosem
