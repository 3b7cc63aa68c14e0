#include <algorithm>

#include "protocol/cosem/image_transfer.h"
#include "protocol/cosem/schedule.h"

/// What a meter shows about an image, and where the transfer goes on from there.
namespace wattmesh::cosem {

using dlms::Data;
using image_transfer::Status;

namespace {

/// Date and time of day to the second; meters may set the day of the week and hundredths themselves.
bool same_time(const single_action_schedule::ExecutionTime& a,
               const single_action_schedule::ExecutionTime& b) {
    return std::equal(a.date.octets.begin(), a.date.octets.begin() + 4, b.date.octets.begin()) &&
           std::equal(a.time.octets.begin(), a.time.octets.begin() + 3, b.time.octets.begin());
}

}  // namespace

void ImageTransfer::take_value(const Data& data) {
    switch (phase_) {
        case Phase::model:
            return take_model(data);
        case Phase::enabled: {
            const auto enabled = image_transfer::image_transfer_enabled.read(data);
            if (!enabled) return fail(to_string(enabled.error()));
            return go(*enabled ? Phase::status : Phase::enable);
        }
        case Phase::status:
            return take_status(data);
        case Phase::block_size:
            return take_block_size(data);
        case Phase::blocks_status:
            return take_blocks_status(data);
        case Phase::first_missing:
            return take_first_missing(data);
        case Phase::verify_status:
            return take_verify_status(data);
        case Phase::held:
        case Phase::info:
            return take_info(data);
        case Phase::activate_status:
            return take_activate_status(data);
        case Phase::schedule_check:
            return take_schedule(data);
        default:
            return fail("a value came that nobody asked for");
    }
}

void ImageTransfer::take_model(const Data& data) {
    Decoding how;
    const auto text = Codec<std::string>::decode(data, how);
    if (!text) return fail("the meter does not show its type as text");
    if (*text != model_) return fail("the image is for " + model_ + ", the meter is " + *text);
    tell(ImageEvent::Kind::model_agreed);
    go(Phase::enabled);
}

void ImageTransfer::take_status(const Data& data) {
    const auto status = image_transfer::image_transfer_status.read(data);
    if (!status) return fail(to_string(status.error()));
    if (!initiated_) return go(Phase::initiate);  // whatever it holds is not ours
    switch (*status) {
        case Status::initiated:
            resuming_ = true;
            return go(Phase::block_size);
        case Status::verification_initiated:
            return poll(Phase::verify_status);
        case Status::verification_successful:
            return go(Phase::info);
        default:
            return start_over("the meter forgets or refuses the image again and again");
    }
}

void ImageTransfer::take_block_size(const Data& data) {
    const auto size = image_transfer::image_block_size.read(data);
    if (!size) return fail(to_string(size.error()));
    if (*size == 0) return fail("image_block_size is 0");
    block_size_ = *size;
    missing_.resize(blocks());
    for (std::uint32_t i = 0; i < blocks(); ++i) missing_[i] = blocks() - 1 - i;
    go(Phase::blocks_status);
}

void ImageTransfer::take_blocks_status(const Data& data) {
    const auto bits = image_transfer::image_transferred_blocks_status.read(data);
    if (!bits) return fail(to_string(bits.error()));
    if (bits->bits != blocks()) return start_over("image_transferred_blocks_status is of another image");
    std::erase_if(missing_, [&](std::uint32_t number) {
        return (bits->octets[number / 8] & (0x80U >> number % 8)) != 0;
    });
    if (resuming_) tell(ImageEvent::Kind::resumed);
    resuming_ = false;
    go(missing_.empty() ? Phase::first_missing : Phase::blocks);
}

void ImageTransfer::take_first_missing(const Data& data) {
    const auto first = image_transfer::image_first_not_transferred_block_number.read(data);
    if (!first) return fail(to_string(first.error()));
    if (*first >= blocks()) {
        missing_.clear();
        tell(ImageEvent::Kind::transferred);
        return go(Phase::verify);
    }
    if (!missing_.empty()) {  // no bitmap to be had: from the first missing one on
        std::erase_if(missing_, [&](std::uint32_t number) { return number < *first; });
        if (resuming_) tell(ImageEvent::Kind::resumed);
        resuming_ = false;
        return go(Phase::blocks);
    }
    if (++rounds_ > plan_.rounds_max) return fail("the meter loses blocks again and again");
    go(Phase::block_size);
}

void ImageTransfer::take_verify_status(const Data& data) {
    const auto status = image_transfer::image_transfer_status.read(data);
    if (!status) return fail(to_string(status.error()));
    switch (*status) {
        case Status::verification_initiated:
            return poll(Phase::verify_status);
        case Status::verification_successful:
            return go(Phase::info);
        case Status::initiated:
            return poll(Phase::verify);
        default:
            return fail("the meter's verification failed");
    }
}

void ImageTransfer::take_info(const Data& data) {
    const auto images = image_transfer::image_to_activate_info.read(data);
    if (!images) return fail(to_string(images.error()));
    const bool ours = std::any_of(images->begin(), images->end(), [&](const auto& image) {
        return image.identification == identifier_ && image.size == size();
    });
    if (phase_ == Phase::held) return ours ? verified() : go(Phase::enabled);
    if (!images->empty() && !ours) return fail("image_to_activate_info names another image");
    verified();
}

void ImageTransfer::take_activate_status(const Data& data) {
    const auto status = image_transfer::image_transfer_status.read(data);
    if (!status) return fail(to_string(status.error()));
    switch (*status) {
        case Status::activation_initiated:
            return poll(Phase::activate_status);
        case Status::verification_successful:  // the call did not get there
            return poll(Phase::activate);
        case Status::activation_failed:
            return fail("the meter's activation failed");
        case Status::activation_successful:
        case Status::not_initiated:  // some meters forget when they have started with the new image
            tell(ImageEvent::Kind::activated);
            return go(Phase::done);
        default:
            return fail("the meter holds another image now");
    }
}

void ImageTransfer::take_schedule(const Data& data) {
    const auto times = single_action_schedule::execution_time.read(data);
    if (!times) return fail(to_string(times.error()));
    const auto wanted = single_action_schedule::execution_at(*plan_.activate_at);
    if (times->size() != 1 || !same_time(times->front(), wanted))
        return fail("the meter keeps another time of activation");
    tell(ImageEvent::Kind::scheduled);
    go(Phase::done);
}

}  // namespace wattmesh::cosem
