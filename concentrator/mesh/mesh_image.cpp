#include <algorithm>
#include <set>

#include "concentrator/mesh/mesh_core.h"

/// A firmware image goes out, when nothing else has to.
namespace wattmesh::concentrator {
namespace {
using namespace std::chrono_literals;
using namespace mesh;
constexpr Duration look_again = 200ms, idle = 5s, answer_within = 10s, ask_gap_image = 300ms;
// Reading that never ends lets a block pass now and then.
constexpr Duration held_max = 30s;
}  // namespace

bool MeshRoot::Core::distribute_image(ImageOrder order, Instant now) {
    if (order.octets.empty() || order.octets.size() > image_size_max || order.meters.empty()) return false;
    const Buffer digest = ciphers.digest(Digest::sha256, order.octets);
    ImageOffer offer{.number = order.number, .size = static_cast<std::uint32_t>(order.octets.size())};
    std::copy_n(digest.begin(), offer.sha256.size(), offer.sha256.begin());
    image.emplace(Distribution{.offer = offer,
                               .octets = std::move(order.octets),
                               .sender = ImageSender{offer.blocks(), order.meters},
                               .ends_at = now + order.patience,
                               .next_at = now});
    return true;
}

void MeshRoot::Core::stop_image() {
    image.reset();
    std::erase_if(transactions, [](const auto& row) { return row.second.image; });
}

/// Everything else comes first: what waits, and what is still on the air.
bool MeshRoot::Core::image_held_back(Instant now) {
    bool waits = false;
    for (const auto& [handle, transaction] : transactions) {
        if (transaction.image) continue;
        if (transaction.priority <= 2 || (transaction.flying && now < transaction.quiet_at)) waits = true;
        if (!transaction.flying && !transaction.routeless) waits = true;
    }
    if (outage.collecting()) waits = true;
    if (!waits) {
        image->held_since = never;
        return false;
    }
    image->held_since = std::min(image->held_since, now);
    const bool urgent =
        outage.collecting() || std::any_of(transactions.begin(), transactions.end(), [](const auto& row) {
            return !row.second.image && row.second.priority <= 2;
        });
    if (urgent || now - image->held_since < held_max) return true;
    image->held_since = never;
    return false;
}

ImageSender::Ways MeshRoot::Core::image_ways(Instant now) {
    refresh_routes(now, false);
    std::set<std::uint16_t> relays;
    for (const auto& member : members.all())
        if (on_air(member) && tree.reaches(member.address))
            for (const auto relay : tree.route(member.address).relays) relays.insert(relay);
    return {.hops = [this](DeviceNumber meter) -> std::optional<std::size_t> {
                const Member* member = members.find(meter);
                if (member == nullptr || !on_air(*member) || member->power == Power::off ||
                    !tree.reaches(member->address))
                    return std::nullopt;
                return tree.route(member->address).hops();
            },
            .relays = relays.size()};
}

void MeshRoot::Core::work_image(Instant now) {
    if (!image) return;
    if (image->sender.finished() || now >= image->ends_at) {
        events.push_back(MeshImageEnded{image->offer.number, image->sender.progress()});
        return stop_image();
    }
    if (now < image->next_at) return;
    image->next_at = now + look_again;
    const bool open =
        image->block_handle != 0 || std::any_of(transactions.begin(), transactions.end(),
                                                [](const auto& row) { return row.second.image; });
    if (open || image_held_back(now)) return;
    const auto step = image->sender.next(now, image_ways(now));
    if (!step) {
        image->next_at = now + idle;
        return;
    }
    if (const auto* ask = std::get_if<ImageSender::Ask>(&*step)) {
        image->next_at = now + ask_gap_image;
        const Member* member = members.find(ask->meter);
        sign(image->offer, pan, member->join_key, ciphers);
        return ask_for_image(ask->meter, encode(ImageRequest{image->offer}), now);
    }
    if (const auto* one = std::get_if<ImageSender::One>(&*step)) {
        image->next_at = now + block_gap();
        return ask_for_image(one->meter, encode(ImageRequest{piece_of_image(one->index)}), now);
    }
    const auto& all = std::get<ImageSender::Everybody>(*step);
    image->next_at = now + block_gap();
    transmit(broadcast_address, FrameType::image_block, true,
             encode(ImageBlock{.pass = all.pass, .piece = piece_of_image(all.index)}),
             {.purpose = Purpose::image});
    image->block_handle = sending_last;
}

/// So that no radio spends more than its share of the time on blocks.
Duration MeshRoot::Core::block_gap() const {
    constexpr std::size_t frame_size = mac_overhead + 8 + image_block_size;  // pass, life, image, index
    return airtime(frame_size, settings.rate) * 100 / std::max(settings.image_share_percent, 1);
}

ImagePiece MeshRoot::Core::piece_of_image(std::uint16_t index) const {
    const auto octets =
        Bytes{image->octets}.subspan(index * image_block_size, image->offer.block_size(index));
    return {.image = image->offer.image(), .index = index, .octets = to_buffer(octets)};
}

void MeshRoot::Core::ask_for_image(DeviceNumber meter, Buffer body, Instant now) {
    Transaction transaction;
    transaction.handle = ++handle_last;
    transaction.meter = meter;
    transaction.payload = std::move(body);
    transaction.priority = 4;
    transaction.deadline = now + answer_within * (settings.rate == PhyRate::kbit10 ? 4 : 1);
    transaction.probe = transaction.image = true;
    transactions.emplace(transaction.handle, std::move(transaction));
    launch_waiting(now);
}

void MeshRoot::Core::image_answered(DeviceNumber meter, const std::optional<Buffer>& answer, Instant now) {
    if (!image) return;
    if (!answer) return image->sender.silent(meter, now);
    const auto status = decode_image_status(*answer);
    // An answer about another image is one that was asked for before ours.
    if (!status || (status->image != image->offer.image() && status->state != ImageState::refused)) {
        statistics.frames_refused += status ? 0 : 1;
        return image->sender.silent(meter, now);
    }
    image->sender.answered(meter, *status, now);
    while (auto news = image->sender.take_news())
        events.push_back(MeshImageNews{image->offer.number, image->offer.blocks(), *news});
}

}  // namespace wattmesh::concentrator
