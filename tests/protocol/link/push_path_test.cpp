// From the line to the notification: what pushes of real meters say. Frames: dlms fact sheet 4 (UI-DN, DN-2)
// and uplink fact sheet 4 (how Landis+Gyr and Iskra cut theirs) and 9.2.
#include <catch2/catch.hpp>

#include "protocol/dlms/apdu.h"
#include "protocol/dlms/general_block.h"
#include "protocol/link/hdlc_push.h"
#include "protocol/link/mbus.h"
#include "tests/protocol/link/hdlc_vectors.h"

namespace wattmesh::link {
namespace {

using namespace std::chrono_literals;
constexpr Instant start{1'000s};

Buffer hex(std::string_view text) { return from_hex(text).value(); }
const char* const dn_2 = "0F40000000000101020309060100010700FF060000016F02020F00161B";

/// 1-0:1.7.0 is 367 W, as the fact sheet says of DN-2.
void check_367_watts(Bytes apdu) {
    const auto notification = dlms::decode_data_notification(apdu);
    REQUIRE(notification);
    CHECK(notification->invoke == 0x40000000);
    const auto* rows = notification->body.elements();
    REQUIRE(rows != nullptr);
    REQUIRE(rows->size() == 1);
    const auto* row = rows->front().elements();
    REQUIRE(row->size() == 3);
    CHECK(to_hex((*row)[0].octets()) == "0100010700FF");
    CHECK((*row)[1].integer() == 367);
    CHECK((*row)[2].elements()->at(1).integer() == 27);
}

/// The frames of a push that was cut into blocks, as Landis+Gyr sends it: the LLC header in the first only.
std::vector<Buffer> landis_gyr_frames(Bytes message, std::size_t block_size) {
    std::vector<Buffer> frames;
    for (const auto& block : dlms::unconfirmed_blocks(message, block_size)) {
        Buffer information = frames.empty() ? hex("E6E700") : Buffer{};
        const Buffer octets = dlms::encode(block);
        information.insert(information.end(), octets.begin(), octets.end());
        frames.push_back(encode_hdlc({.destination = {.upper = 103, .lower = 127},
                                      .source = {.upper = 1},
                                      .control = hdlc_control::ui,
                                      .information = information}));
    }
    return frames;
}

}  // namespace

TEST_CASE("push: a plain notification in one UI frame, and in segments", "[link]") {
    HdlcPushReceiver line{{}};
    line.feed(hex(vector::ui_dn), start);
    check_367_watts(line.take().value().apdu);
    for (std::size_t size = 4; size < 40; size += 5) {
        const HdlcPush push{{.upper = 103}, {.upper = 1, .lower = 17}, hex(dn_2)};
        for (const auto& frame : encode_hdlc_push(push, true, size)) line.feed(frame, start);
        check_367_watts(line.take().value().apdu);
    }
}

TEST_CASE("push: general blocks over UI frames, whole, and dropped as a set when one is lost", "[link]") {
    const auto frames = landis_gyr_frames(hex(dn_2), 10);
    REQUIRE(frames.size() == 3);
    for (std::size_t lost = 0; lost <= frames.size(); ++lost) {
        CAPTURE(lost);
        HdlcPushReceiver line{{}};
        dlms::BlockCollector collector;
        std::vector<Buffer> messages;
        const auto hear = [&](std::size_t missing) {
            for (std::size_t i = 0; i < frames.size(); ++i)
                if (i != missing) line.feed(frames[i], start);
            while (const auto push = line.take()) {
                const auto block = dlms::decode_general_block(push->apdu);
                REQUIRE(block);
                if (auto message = collector.receive(*block)) messages.push_back(std::move(*message));
            }
        };
        hear(lost);
        CHECK(messages.size() == (lost == frames.size() ? 1U : 0U));
        hear(frames.size());  // the next push is not touched by the loss
        REQUIRE_FALSE(messages.empty());
        check_367_watts(messages.back());
    }
}

TEST_CASE("push: the captured first block of a Landis+Gyr push begins a set", "[link]") {
    HdlcPushReceiver line{{}};
    line.feed(hex(vector::ui_lg_gbt1), start);
    const auto block = dlms::decode_general_block(line.take().value().apdu);
    REQUIRE(block);
    CHECK(block->number == 1);
    CHECK(block->streaming);
    CHECK_FALSE(block->last);
    CHECK(block->octets.size() == 0x70);
    dlms::BlockCollector collector;
    CHECK_FALSE(collector.receive(*block));
    CHECK(collector.dropped() == 0);
}

TEST_CASE("push: a plain notification in M-Bus segments of any size", "[link]") {
    for (std::size_t size = 2; size < 40; ++size) {
        MbusPushReceiver line{{}};
        for (const auto& frame : encode_mbus_push({0x01, 0x67, hex(dn_2)}, size)) line.feed(frame, start);
        check_367_watts(line.take().value().apdu);
    }
}

}  // namespace wattmesh::link
