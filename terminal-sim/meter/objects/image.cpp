#include <algorithm>

#include "protocol/cosem/image_transfer_class.h"
#include "protocol/cosem/schedule.h"
#include "protocol/cosem/script_table.h"
#include "terminal-sim/meter/meter.h"

/// Firmware. A simulated meter's image begins with a line "WMT-SIM VERSION"; what follows is up to the
/// vendor. With an ImageMemory blocks survive a restart, without one they have to be sent again.
namespace wattmesh::sim {

using namespace dlms;
using cosem::image_transfer::Status;

namespace {

/// The first line when it is this meter type's, else nothing.
std::optional<std::string> version_of(Bytes image) {
    const auto end = std::find(image.begin(), image.end(), std::uint8_t{'\n'});
    const std::string line{image.begin(), end};
    const std::string wanted = std::string{Meter::type} + ' ';
    if (end == image.end() || line.size() > 32 || line.size() <= wanted.size() || line.rfind(wanted, 0) != 0)
        return std::nullopt;
    return line;
}

AccessResult take_block(SimImage& image, const cosem::image_transfer::Block& block) {
    const std::size_t start = std::size_t{block.image_block_number} * SimImage::block_size;
    if (image.status != Status::initiated || block.image_block_number >= image.blocks.size())
        return AccessResult::other_reason;
    const std::size_t expected = std::min<std::size_t>(SimImage::block_size, image.octets.size() - start);
    if (block.image_block_value.size() != expected) return AccessResult::other_reason;
    std::copy(block.image_block_value.begin(), block.image_block_value.end(),
              image.octets.begin() + static_cast<std::ptrdiff_t>(start));
    image.blocks[block.image_block_number] = true;
    return AccessResult::success;
}

ReadOutcome read_image(const SimImage& image, std::int8_t attribute) {
    using namespace cosem::image_transfer;
    switch (attribute) {
        case 2:
            return image_block_size.write(SimImage::block_size);
        case 3: {
            BitString bits{image.blocks.size(), Buffer((image.blocks.size() + 7) / 8)};
            for (std::size_t i = 0; i < image.blocks.size(); ++i)
                if (image.blocks[i])
                    bits.octets[i / 8] = static_cast<std::uint8_t>(bits.octets[i / 8] | 0x80U >> i % 8);
            return image_transferred_blocks_status.write(bits);
        }
        case 4:
            return image_first_not_transferred_block_number.write(image.first_missing());
        case 5:
            return image_transfer_enabled.write(true);
        case 6:
            return image_transfer_status.write(image.status);
        default: {
            std::vector<ImageToActivate> images;
            if (!image.version.empty()) images.push_back({image.size, image.identifier, {}});
            return image_to_activate_info.write(images);
        }
    }
}

ReadOutcome read_activation_schedule(const Meter& meter, const SimObject::Read& what) {
    using namespace cosem::single_action_schedule;
    if (what.attribute == 2)
        return executed_script.write({meter.object_named(cosem::Quantity::image_activation_script), 1});
    if (what.attribute == 3) return type.write(ScheduleType::one_time_wildcard_date);
    return execution_time.write({});
}

}  // namespace

std::uint32_t SimImage::first_missing() const {
    return static_cast<std::uint32_t>(std::find(blocks.begin(), blocks.end(), false) - blocks.begin());
}

void ObjectMaker::image(SimObjects& objects) {
    objects.push_back({.spec = &cosem::image_transfer::spec,
                       .name = object_name(0, 0, 44, 0, 0),
                       .audience = for_management,
                       .read =
                           [](const Meter& meter, const SimObject::Read& what) {
                               static const SimImage none;
                               return read_image(
                                   meter.rare_ && meter.rare_->image ? *meter.rare_->image : none,
                                   what.attribute);
                           },
                       .writable = {5},
                       .methods = {1, 2, 3, 4},
                       .act = [](Meter& meter, const SimObject::Call& what) -> ActionOutcome {
                           return {meter.transfer_image(what), {}};
                       }});
    objects.push_back({.spec = &cosem::script_table::spec,
                       .name = object_name(0, 0, 10, 0, 107),
                       .audience = for_management,
                       .read = [](const Meter& meter, const SimObject::Read&) -> ReadOutcome {
                           using namespace cosem::script_table;
                           const auto transfer = meter.object_named(cosem::Quantity::image_transfer);
                           return scripts.write(
                               {{1, {{Service::execute_method, 18, transfer, 4, std::int8_t{0}}}}});
                       },
                       .methods = {1},
                       .act = [](Meter& meter, const SimObject::Call& what) -> ActionOutcome {
                           return {meter.activate_image(what.now), {}};
                       }});
    objects.push_back({.spec = &cosem::single_action_schedule::spec,
                       .name = object_name(0, 0, 15, 0, 2),
                       .audience = for_management,
                       .read = read_activation_schedule,
                       .writable = {4}});
}

AccessResult Meter::transfer_image(const SimObject::Call& what) {
    using namespace cosem::image_transfer;
    const auto enabled = attribute(what.object.name, 5);
    if (enabled && enabled->as<bool>() != nullptr && !*enabled->as<bool>()) return AccessResult::other_reason;
    if (what.method == 1) {
        const auto initiation = image_transfer_initiate.read(what.argument);
        if (!initiation || initiation->image_size > SimImage::size_max || initiation->image_size == 0 ||
            initiation->image_identifier.size() > 64)
            return AccessResult::other_reason;
        SimImage& image = rare().image.emplace();
        image.status = Status::initiated;
        image.identifier = initiation->image_identifier;
        image.size = initiation->image_size;
        image.octets.resize(image.size);
        image.blocks.resize(SimImage::blocks_of(image.size));
        if (settings_.image_memory != nullptr) settings_.image_memory->begin(image);
        return AccessResult::success;
    }
    if (!rare_ || !rare_->image) return AccessResult::other_reason;
    SimImage& image = *rare_->image;
    if (what.method == 2) {
        const auto block = image_block_transfer.read(what.argument);
        const auto result = take_block(image, *block);
        if (result == AccessResult::success && settings_.image_memory != nullptr)
            settings_.image_memory->keep_block(image, block->image_block_number);
        return result;
    }
    if (what.method == 4) return activate_image(what.now);
    if (image.status != Status::initiated && image.status != Status::verification_failed)
        return image.status == Status::verification_successful ? AccessResult::success
                                                               : AccessResult::other_reason;
    const auto version = version_of(image.octets);
    const bool good = image.first_missing() == image.blocks.size() && version;
    image.status = good ? Status::verification_successful : Status::verification_failed;
    if (good) {
        image.version = *version;
        image.verified_at = what.now;
    }
    if (settings_.image_memory != nullptr) settings_.image_memory->keep_status(image);
    return good ? AccessResult::success : AccessResult::other_reason;
}

std::string Meter::running_firmware() const {
    const auto shown = attribute(object_named(cosem::Quantity::firmware_version), 2);
    return shown ? std::string{shown->octets().begin(), shown->octets().end()} : firmware();
}

void Meter::hold_image(const std::string& version, Bytes identifier, std::uint32_t size) {
    if (version == running_firmware()) return;
    SimImage& image = rare().image.emplace();
    image.status = Status::verification_successful;
    image.identifier = to_buffer(identifier);
    image.size = size;
    image.version = version;
    image.verified_at = latest_;
}

AccessResult Meter::activate_image(Instant now) {
    // After a restart what is done again may be older than the image: a schedule that brought the one before.
    if (!rare_ || !rare_->image || rare_->image->status != Status::verification_successful ||
        now < rare_->image->verified_at)
        return AccessResult::other_reason;
    const std::string version = rare_->image->version;
    rare_->image->status = Status::activation_successful;
    rare_->image->octets = {};
    if (settings_.image_memory != nullptr) settings_.image_memory->keep_status(*rare_->image);
    log(clock_.shown(now), event::firmware_activated);
    const ObisCode name = object_named(cosem::Quantity::firmware_version);
    const Data shown = octet_string(as_bytes(version));
    store(name, 2, shown);
    // remembered even when a schedule did it: after a restart there is no image to activate again
    deeds_.push_back({Deed::Kind::written, now, {}, deed_content(1, name, 2, shown)});
    return AccessResult::success;
}

}  // namespace wattmesh::sim
