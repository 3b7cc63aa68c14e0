#include "concentrator/uplink/image_shelf.h"

#include "protocol/cosem/image_transfer.h"
#include "tests/concentrator/uplink/line.h"

using namespace wattmesh;
using namespace wattmesh::concentrator;
namespace transfer = cosem::image_transfer;

namespace {

/// The shelf on a real journal, and a head-end's transfer that drives it.
struct Shelf {
    Shelf() : database(std::make_unique<JournalDatabase>(scratch.file("journal.sqlite"), journal_id(1))) {
        open();
    }
    void open() {
        store = std::make_unique<QueuedStore>(*database, executor);
        shelf = std::make_unique<ImageShelf>(*store, ciphers, database->recovered().image,
                                             [this] { ++verified; });
    }
    /// The program dies; what was not on the disk is gone.
    void restart() {
        executor.works.clear();
        shelf.reset();
        store.reset();
        database.reset();
        database = std::make_unique<JournalDatabase>(scratch.file("journal.sqlite"), journal_id(++run));
        open();
    }
    dlms::AccessResult act(std::int8_t method, const std::optional<dlms::Data>& argument) {
        std::optional<dlms::AccessResult> result;
        shelf->act(method, argument, [&](dlms::AccessResult answer) { result = answer; });
        executor.run();
        REQUIRE(result);
        return *result;
    }
    /// Steps of the transfer, at most so many; counts blocks.
    void drive(cosem::ImageTransfer& one, int steps_max = 10'000) {
        for (int i = 0; i < steps_max && !one.finished() && !one.pause(); ++i) {
            const auto step = one.next();
            REQUIRE(step);
            if (const auto* read = std::get_if<cosem::ReadStep>(&*step)) {
                one.answer(shelf->get(read->id.attribute));
            } else {
                const auto& call = std::get<cosem::MethodCall>(*step);
                blocks += call.id.method == 2 ? 1 : 0;
                one.answer(dlms::ActionOutcome{act(call.id.method, call.argument), std::nullopt});
            }
        }
    }

    Scratch scratch;
    security::OpensslCiphers ciphers;
    QueueExecutor executor;
    std::unique_ptr<JournalDatabase> database;
    std::unique_ptr<QueuedStore> store;
    std::unique_ptr<ImageShelf> shelf;
    int verified = 0, blocks = 0;
    std::uint8_t run = 1;
};

Buffer contents(std::size_t size) {
    Buffer octets(size);
    for (std::size_t i = 0; i < size; ++i) octets[i] = static_cast<std::uint8_t>(i * 31 + i / 251);
    return octets;
}

cosem::ImagePlan plan(bool resume) {
    cosem::ImagePlan plan;
    plan.resume = resume;
    return plan;
}

}  // namespace

TEST_CASE("image shelf: a transfer goes on at the first missing block after a crash",
          "[concentrator][image]") {
    Shelf shelf;
    const Buffer file = contents(10 * KeptImage::block_size + 5);
    const Buffer digest = shelf.ciphers.digest(Digest::sha256, file);
    const int interrupted_after = GENERATE(1, 3, 5, 9, 15);
    {
        cosem::ImageTransfer first{file, digest, plan(false)};
        shelf.drive(first, interrupted_after);
    }
    const int before = shelf.blocks;
    shelf.restart();
    CHECK(shelf.shelf->whole(digest).empty());
    cosem::ImageTransfer second{file, digest, plan(interrupted_after > 4)};
    shelf.drive(second);
    CHECK(second.succeeded());
    CHECK(shelf.verified == 1);
    CHECK(shelf.blocks == 11 + (interrupted_after > 4 ? 0 : before));
    CHECK(to_buffer(shelf.shelf->whole(digest)) == file);
    shelf.restart();
    CHECK(to_buffer(shelf.shelf->whole(digest)) == file);
    CHECK(shelf.shelf->whole(Buffer(32, 1)).empty());

    // It is there: a session that knows nothing of it sends nothing.
    cosem::ImageTransfer third{file, digest, plan(false)};
    const int sent = shelf.blocks;
    shelf.drive(third);
    CHECK(third.succeeded());
    CHECK(shelf.blocks == sent);
}

TEST_CASE("image shelf: what is not the named image is not taken", "[concentrator][image]") {
    using dlms::AccessResult;
    Shelf shelf;
    const Buffer file = contents(5'000);
    Buffer digest = shelf.ciphers.digest(Digest::sha256, file);
    const auto initiate = [&](Buffer identifier, std::uint32_t size) {
        return shelf.act(
            1, transfer::image_transfer_initiate(ObisCode{}, {std::move(identifier), size}).argument);
    };
    const auto block = [&](std::uint32_t number, Buffer octets) {
        return shelf.act(2, transfer::image_block_transfer(ObisCode{}, {number, std::move(octets)}).argument);
    };
    CHECK(block(0, Buffer(4'096)) == AccessResult::scope_of_access_violated);  // before any initiation
    CHECK(shelf.act(3, std::nullopt) == AccessResult::scope_of_access_violated);
    CHECK(initiate(Buffer(31), 5'000) == AccessResult::scope_of_access_violated);
    CHECK(initiate(digest, 0) == AccessResult::scope_of_access_violated);
    CHECK(initiate(digest, KeptImage::size_max + 1) == AccessResult::scope_of_access_violated);
    CHECK(shelf.act(1, dlms::Data{std::uint8_t{1}}) == AccessResult::type_unmatched);
    REQUIRE(initiate(digest, 5'000) == AccessResult::success);
    CHECK(block(2, Buffer(1)) == AccessResult::scope_of_access_violated);
    CHECK(block(0, Buffer(4'095)) == AccessResult::scope_of_access_violated);
    CHECK(block(1, Buffer(4'096)) == AccessResult::scope_of_access_violated);
    REQUIRE(block(0, to_buffer(Bytes{file}.first(4'096))) == AccessResult::success);
    CHECK(shelf.act(3, std::nullopt) == AccessResult::other_reason);  // one is missing
    Buffer spoiled = to_buffer(Bytes{file}.subspan(4'096));
    spoiled[0] ^= 1;
    REQUIRE(block(1, spoiled) == AccessResult::success);
    CHECK(shelf.act(3, std::nullopt) == AccessResult::other_reason);
    CHECK(*transfer::image_transfer_status.read(std::get<dlms::Data>(shelf.shelf->get(6))) ==
          transfer::Status::verification_failed);
    CHECK(shelf.verified == 0);
    REQUIRE(block(1, to_buffer(Bytes{file}.subspan(4'096))) == AccessResult::success);
    CHECK(shelf.act(3, std::nullopt) == AccessResult::success);
    CHECK(shelf.verified == 1);
    CHECK(shelf.act(4, std::nullopt) == AccessResult::read_write_denied);  // it is not the concentrator's own
}
