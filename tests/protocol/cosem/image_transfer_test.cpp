#include "protocol/cosem/image_transfer.h"

#include <catch2/catch.hpp>
#include <map>

#include "protocol/cosem/schedule.h"
#include "security/ciphers.h"

using namespace wattmesh;
using namespace wattmesh::cosem;
using dlms::AccessResult;
using dlms::Data;
using image_transfer::Status;
using Kind = ImageEvent::Kind;

namespace {

security::OpensslCiphers ciphers;

/// A file of `size` octets for "WMT-SIM", signed and opened.
struct Firmware {
    explicit Firmware(std::size_t size) : content(size) {
        for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<std::uint8_t>(i * 31 + i / 256);
        const auto key = ciphers.generate(Curve::p256);
        ImageHeader header;
        header.model = "WMT-SIM";
        header.version = "2";
        header.identifier = {1, 2, 3};
        file = sign_image(header, content, *key, ciphers);
        image.emplace(*SignedImage::open(file, key->public_key(), ciphers));
    }
    Buffer content, file;
    std::optional<SignedImage> image;
};

/// Class 18 as the standard has it, with troubles on demand.
struct FakeMeter {
    std::string type = "WMT-SIM";
    bool enabled = true, hides_bitmap = false, hides_info = false;
    std::uint32_t block_size = 100;
    Status status = Status::not_initiated;
    image_transfer::Initiation initiated;
    std::map<std::uint32_t, Buffer> blocks;
    std::vector<std::uint32_t> sent;
    int verifies_for = 0;                 ///< polls until verified
    int activates_for = 0;                ///< polls until activated
    std::optional<std::uint32_t> loses;   ///< forgets this block once, though it said success
    std::optional<std::uint32_t> breaks;  ///< at this block the link breaks, once
    AccessResult block_result = AccessResult::success;
    bool refuses_image = false;
    std::optional<Data> scheduled;

    std::uint32_t count() const { return (initiated.image_size + block_size - 1) / block_size; }
    Buffer whole() const {
        Buffer all;
        for (const auto& [number, value] : blocks) all.insert(all.end(), value.begin(), value.end());
        return all;
    }

    dlms::ReadOutcome read(const dlms::AttributeId& id) {
        if (id.class_id == 1) return Data{dlms::octet_string(as_bytes(type))};
        if (id.class_id == 22)
            return scheduled ? dlms::ReadOutcome{*scheduled} : AccessResult::object_undefined;
        REQUIRE(id.class_id == 18);
        switch (id.attribute) {
            case 2:
                return Data{block_size};
            case 3: {
                if (hides_bitmap) return AccessResult::read_write_denied;
                dlms::BitString bits{count(), Buffer((count() + 7) / 8)};
                for (const auto& [number, value] : blocks)
                    bits.octets[number / 8] =
                        static_cast<std::uint8_t>(bits.octets[number / 8] | 0x80U >> number % 8);
                return Data{bits};
            }
            case 4: {
                std::uint32_t first = 0;
                while (blocks.contains(first)) ++first;
                return Data{first};
            }
            case 5:
                return Data{enabled};
            case 6:
                if (status == Status::verification_initiated && verifies_for-- <= 0)
                    status = refuses_image ? Status::verification_failed : Status::verification_successful;
                if (status == Status::activation_initiated && activates_for-- <= 0)
                    status = Status::activation_successful;
                return Data{dlms::Enum{static_cast<std::uint8_t>(status)}};
            default:
                if (hides_info) return AccessResult::object_undefined;
                return image_transfer::image_to_activate_info.write(
                    {{initiated.image_size, initiated.image_identifier, {}}});
        }
    }
    AccessResult write(const dlms::AttributeId& id, const Data& value) {
        if (id.class_id == 22) scheduled = value;
        if (id.class_id == 18 && id.attribute == 5) enabled = true;
        return AccessResult::success;
    }
    /// Nothing: the link broke.
    std::optional<dlms::ActionOutcome> act(const MethodCall& call) {
        using namespace image_transfer;
        switch (call.id.method) {
            case 1:
                initiated = *image_transfer_initiate.read(call.argument);
                blocks.clear();
                status = Status::initiated;
                return dlms::ActionOutcome{};
            case 2: {
                const auto block = *image_block_transfer.read(call.argument);
                const auto number = block.image_block_number;
                if (breaks == number) {
                    breaks.reset();
                    return std::nullopt;
                }
                if (block_result != AccessResult::success) return dlms::ActionOutcome{block_result, {}};
                sent.push_back(number);
                if (loses == number)
                    loses.reset();
                else
                    blocks[number] = block.image_block_value;
                return dlms::ActionOutcome{};
            }
            case 3:
                status = Status::verification_initiated;
                if (verifies_for > 0) return dlms::ActionOutcome{AccessResult::temporary_failure, {}};
                status = refuses_image ? Status::verification_failed : Status::verification_successful;
                return dlms::ActionOutcome{refuses_image ? AccessResult::other_reason : AccessResult::success,
                                           {}};
            default:
                status = Status::activation_initiated;
                return dlms::ActionOutcome{
                    activates_for > 0 ? AccessResult::temporary_failure : AccessResult::success, {}};
        }
    }
};

struct Run {
    std::vector<Kind> events;  ///< without progressed
    std::string reason;
    int pauses = 0, progress = 0;
};

Run run(ImageTransfer& transfer, FakeMeter& meter, int steps_max = 10'000) {
    Run ran;
    for (int i = 0; i < steps_max && !transfer.finished(); ++i) {
        if (transfer.pause()) {
            ++ran.pauses;
            CHECK_FALSE(transfer.next());
            transfer.resume_after_pause();
        }
        const auto step = transfer.next();
        REQUIRE(step);
        CHECK_FALSE(transfer.next());  // one at a time
        if (const auto* read = std::get_if<ReadStep>(&*step)) {
            transfer.answer(meter.read(read->id));
        } else if (const auto* write = std::get_if<WriteStep>(&*step)) {
            transfer.answer(meter.write(write->id, write->value));
        } else if (const auto outcome = meter.act(std::get<MethodCall>(*step))) {
            transfer.answer(*outcome);
        } else {
            transfer.interrupted();
        }
    }
    while (auto event = transfer.take_event()) {
        if (event->kind == Kind::progressed) {
            ++ran.progress;
            continue;
        }
        ran.events.push_back(event->kind);
        ran.reason = event->reason;
    }
    return ran;
}

}  // namespace

TEST_CASE("image transfer: an image arrives, is verified and activated", "[cosem]") {
    const auto size = GENERATE(as<std::size_t>{}, 1, 99, 100, 101, 1234);
    CAPTURE(size);
    const Firmware firmware{size};
    FakeMeter meter;
    ImageTransfer transfer{*firmware.image, {}};
    const auto ran = run(transfer, meter);
    CHECK(transfer.succeeded());
    CHECK(meter.whole() == firmware.content);
    CHECK(meter.initiated.image_identifier == Buffer{1, 2, 3});
    CHECK(meter.status == Status::activation_successful);
    CHECK(ran.events == std::vector{Kind::model_agreed, Kind::initiated, Kind::transferred, Kind::verified,
                                    Kind::activated});
    CHECK(ran.progress == static_cast<int>((size + 99) / 100));
    CHECK(ran.pauses == 0);
}

TEST_CASE("image transfer: nothing is sent to a meter of another type", "[cosem]") {
    const Firmware firmware{1000};
    FakeMeter meter;
    meter.type = "WMT-OLD";
    ImageTransfer transfer{*firmware.image, {}};
    const auto ran = run(transfer, meter);
    CHECK_FALSE(transfer.succeeded());
    CHECK(ran.reason == "the image is for WMT-SIM, the meter is WMT-OLD");
    CHECK(meter.status == Status::not_initiated);
    CHECK(meter.sent.empty());
}

TEST_CASE("image transfer: goes on at the first block not transferred after a break", "[cosem]") {
    const Firmware firmware{1000};
    FakeMeter meter;
    meter.breaks = 4;
    meter.hides_bitmap = GENERATE(false, true);
    CAPTURE(meter.hides_bitmap);
    ImageTransfer transfer{*firmware.image, {}};
    const auto ran = run(transfer, meter);
    CHECK(transfer.succeeded());
    CHECK(meter.whole() == firmware.content);
    CHECK(meter.sent == std::vector<std::uint32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});  // none twice
    CHECK(ran.events == std::vector{Kind::model_agreed, Kind::initiated, Kind::resumed, Kind::transferred,
                                    Kind::verified, Kind::activated});
}

TEST_CASE("image transfer: a later transfer takes up what an earlier one left", "[cosem]") {
    const Firmware firmware{1000};
    FakeMeter meter;
    {
        ImageTransfer first{*firmware.image, {}};
        run(first, meter, 9);
        CHECK_FALSE(first.finished());
        CHECK(first.initiated());
    }
    const auto before = meter.sent.size();
    REQUIRE(before > 0);
    ImagePlan plan;
    plan.resume = GENERATE(true, false);
    ImageTransfer second{*firmware.image, plan};
    run(second, meter);
    CHECK(second.succeeded());
    CHECK(meter.whole() == firmware.content);
    CHECK(meter.sent.size() == (plan.resume ? 10 : before + 10));  // not told that it is ours: from the start
}

TEST_CASE("image transfer: what the meter lost is sent again", "[cosem]") {
    const Firmware firmware{1000};
    FakeMeter meter;
    meter.loses = 6;
    ImageTransfer transfer{*firmware.image, {}};
    run(transfer, meter);
    CHECK(transfer.succeeded());
    CHECK(meter.whole() == firmware.content);
    CHECK(meter.sent == std::vector<std::uint32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 6});
}

TEST_CASE("image transfer: verification and activation may take their time, within bounds", "[cosem]") {
    const Firmware firmware{300};
    FakeMeter meter;
    meter.verifies_for = 3;
    meter.activates_for = 2;
    ImageTransfer transfer{*firmware.image, {}};
    CHECK(run(transfer, meter).pauses >= 4);
    CHECK(transfer.succeeded());

    FakeMeter slow;
    slow.verifies_for = 1000;
    ImagePlan plan;
    plan.polls_max = 10;
    ImageTransfer impatient{*firmware.image, plan};
    const auto ran = run(impatient, slow);
    CHECK_FALSE(impatient.succeeded());
    CHECK(ran.reason == "the meter does not get ready in time");
    CHECK(ran.pauses == 9);
}

TEST_CASE("image transfer: an image that the meter refuses is not activated", "[cosem]") {
    const Firmware firmware{300};
    FakeMeter meter;
    meter.refuses_image = true;
    meter.verifies_for = GENERATE(0, 2);
    ImageTransfer transfer{*firmware.image, {}};
    const auto ran = run(transfer, meter);
    CHECK_FALSE(transfer.succeeded());
    CHECK(meter.status == Status::verification_failed);
    CHECK(ran.events.back() == Kind::failed);
    CHECK_FALSE(ran.reason.empty());
}

TEST_CASE("image transfer: activation at a time is written to the schedule and read back", "[cosem]") {
    const Firmware firmware{300};
    FakeMeter meter;
    ImagePlan plan;
    plan.activate_at = dlms::RawDateTime{{0x07, 0xEA, 11, 23, 1, 2, 30, 0, 0, 0x80, 0, 0}};
    ImageTransfer transfer{*firmware.image, plan};
    const auto ran = run(transfer, meter);
    CHECK(transfer.succeeded());
    CHECK(ran.events.back() == Kind::scheduled);
    CHECK(meter.status == Status::verification_successful);  // not yet activated
    REQUIRE(meter.scheduled);
    const auto times = single_action_schedule::execution_time.read(*meter.scheduled);
    REQUIRE(times);
    CHECK(times->front().date.octets == std::array<std::uint8_t, 5>{0x07, 0xEA, 11, 23, 1});
    CHECK(times->front().time.octets == std::array<std::uint8_t, 4>{2, 30, 0, 0});
}

TEST_CASE("image transfer: blocks that fail are tried again a bounded number of times", "[cosem]") {
    const Firmware firmware{300};
    FakeMeter meter;
    meter.block_result = AccessResult::temporary_failure;
    ImageTransfer transfer{*firmware.image, {}};
    const auto ran = run(transfer, meter);
    CHECK(ran.reason == "the meter answers temporary_failure");
    CHECK(ran.pauses == 4);

    FakeMeter denying;
    denying.block_result = AccessResult::read_write_denied;
    ImageTransfer denied{*firmware.image, {}};
    CHECK(run(denied, denying).pauses == 0);  // asking again would not help
    CHECK_FALSE(denied.succeeded());
}

TEST_CASE("image transfer: switches the transfer on, and does without what a meter hides", "[cosem]") {
    const Firmware firmware{300};
    FakeMeter meter;
    meter.enabled = false;
    meter.hides_bitmap = meter.hides_info = true;
    ImageTransfer transfer{*firmware.image, {}};
    run(transfer, meter);
    CHECK(transfer.succeeded());
    CHECK(meter.enabled);
    CHECK(meter.whole() == firmware.content);
}

TEST_CASE("image transfer: an endless series of breaks ends", "[cosem]") {
    const Firmware firmware{300};
    ImagePlan plan;
    plan.interruptions_max = 3;
    ImageTransfer transfer{*firmware.image, plan};
    int steps = 0;
    while (!transfer.finished() && ++steps < 100) {
        CHECK(transfer.next());
        transfer.interrupted();
    }
    CHECK(steps == 4);
    CHECK_FALSE(transfer.succeeded());
}

TEST_CASE("image transfer: values of another type fail by name", "[cosem]") {
    const Firmware firmware{300};
    ImageTransfer transfer{*firmware.image, {}};
    REQUIRE(transfer.next());
    transfer.answer(dlms::ReadOutcome{Data{dlms::octet_string(as_bytes("WMT-SIM"))}});
    REQUIRE(transfer.next());
    transfer.answer(dlms::ReadOutcome{Data{dlms::octet_string(Buffer{1})}});
    CHECK(transfer.finished());
    std::string reason;
    while (const auto event = transfer.take_event()) reason = event->reason;
    CHECK(reason == "image_transfer.image_transfer_enabled: bad_tag");
}
