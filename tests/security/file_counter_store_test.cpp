#include "security/file_counter_store.h"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "protocol/base/writer.h"
#include "security/ciphers.h"
#include "tests/security/folder.h"

namespace wattmesh::security {

TEST_CASE("counter store: counts from one, skips to the next block after a restart", "[security]") {
    const Folder folder;
    const auto file = folder.path / "a.counter";
    {
        FileCounterStore store{file};
        for (std::uint32_t i = 1; i <= 3'000; ++i) REQUIRE(store.next() == i);
    }
    CHECK(FileCounterStore{file}.next() == 3'073U);
    CHECK((std::filesystem::status(file).permissions() & std::filesystem::perms{0777}) ==
          std::filesystem::perms{0600});
}

TEST_CASE("counter store: an accepted value and everything below it is never accepted again", "[security]") {
    const Folder folder;
    const auto file = folder.path / "a.counter";
    const auto durability =
        GENERATE(FileCounterStore::Durability::machine, FileCounterStore::Durability::program);
    {
        FileCounterStore store{file, durability};
        CHECK(store.accept(0));
        CHECK_FALSE(store.accept(0));
        CHECK(store.accept(7));
        CHECK_FALSE(store.accept(6));
    }
    FileCounterStore store{file, durability};
    CHECK_FALSE(store.accept(7));
    CHECK(store.accept(8));
    CHECK(store.accept(0xFFFFFFFF));
    CHECK_FALSE(store.accept(0xFFFFFFFF));
}

TEST_CASE("counter store: is raised to a peer's counter, never lowered, and keeps it over a restart",
          "[security]") {
    const Folder folder;
    const auto file = folder.path / "a.counter";
    {
        FileCounterStore store{file};
        CHECK(store.next() == 1U);
        store.raise(500);  // within the block that is reserved
        CHECK(store.next() == 500U);
        store.raise(3);
        CHECK(store.next() == 501U);
        store.raise(70'000);
    }
    {
        FileCounterStore store{file};
        CHECK(*store.next() >= 70'000U);
        store.raise(0xFFFFFFFF);
        CHECK(store.next() == 0xFFFFFFFFU);
        CHECK_FALSE(store.next());
    }
    CHECK_FALSE(FileCounterStore{file}.next());
}

TEST_CASE("counter store: a machine that stops at any moment repeats nothing", "[security]") {
    const Folder folder;
    const auto file = folder.path / "a.counter", copy = folder.path / "copy.counter";
    FileCounterStore store{file};
    std::uint32_t handed_out = 0, accepted = 0;
    for (std::uint32_t step = 0; step < 120; ++step) {
        for (int i = 0; i < 97; ++i) handed_out = *store.next();
        accepted = step * 3;
        REQUIRE(store.accept(accepted));
        std::filesystem::copy_file(file, copy,
                                   std::filesystem::copy_options::overwrite_existing);  // the disk now
        FileCounterStore after{copy};
        CHECK(*after.next() > handed_out);
        CHECK_FALSE(after.accept(accepted));
        CHECK(after.accept(accepted + 1));
    }
}

TEST_CASE("counter store: a slot torn by a crash costs a block and repeats nothing", "[security]") {
    const Folder folder;
    const auto file = folder.path / "a.counter", copy = folder.path / "copy.counter";
    FileCounterStore store{file};
    std::uint32_t handed_out = 0;
    for (int i = 0; i < 5'000; ++i) handed_out = *store.next();
    for (const std::size_t slot : {0U, 512U}) {
        for (std::size_t octet = 0; octet < 40; ++octet) {
            Buffer torn = content_of(file);
            torn[slot + octet] ^= 0x55;
            put(copy, torn);
            std::uint32_t first = 0;
            {
                FileCounterStore after{copy};
                first = *after.next();
                CHECK(first > handed_out);
                CHECK(first <= handed_out + 2 * FileCounterStore::block);
            }
            CHECK(*FileCounterStore{copy}.next() == first + FileCounterStore::block);  // repaired
        }
    }
}

TEST_CASE("counter store: a killed program repeats nothing", "[security]") {
    const Folder folder;
    const auto file = folder.path / "a.counter";
    std::uint32_t last = 0;
    for (int round = 0; round < 5; ++round) {
        int pipe_ends[2];
        REQUIRE(pipe(pipe_ends) == 0);
        const pid_t child = fork();
        if (child == 0) {
            FileCounterStore store{file};
            for (;;) {  // reserve, and die somewhere between that and the use
                const std::uint32_t value = *store.next();
                if (write(pipe_ends[1], &value, sizeof value) != sizeof value) _exit(1);
            }
        }
        close(pipe_ends[1]);
        std::uint32_t value = 0;
        for (int i = 0; i < 700 * (round + 1); ++i) {
            REQUIRE(read(pipe_ends[0], &value, sizeof value) == sizeof value);
            REQUIRE(value > last);
            last = value;
        }
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);
        while (read(pipe_ends[0], &value, sizeof value) == sizeof value) last = value;
        close(pipe_ends[0]);
    }
}

TEST_CASE("counter store: nothing after 2^32 values", "[security]") {
    const Folder folder;
    const auto file = folder.path / "a.counter";
    {
        FileCounterStore store{file};
    }
    // one slot in the layout of the file: magic, generation, first value not reserved, floor, 8 octets of
    // SHA-256
    Writer slot;
    slot.bytes(as_bytes("WMCOUNT1")).u64(9).u64(0xFFFFFF00).u64(0);
    const auto digest = sha256(slot.view());
    slot.bytes(Bytes{digest}.first(8));
    Buffer content = content_of(file);
    std::copy(slot.view().begin(), slot.view().end(), content.begin() + 512);
    put(file, content);
    FileCounterStore store{file};
    for (std::uint64_t value = 0xFFFFFF00; value <= 0xFFFFFFFF; ++value) REQUIRE(store.next() == value);
    CHECK_FALSE(store.next());
    CHECK_FALSE(store.next());
}

TEST_CASE("counter store: says what is wrong with its file", "[security]") {
    const Folder folder;
    const auto file = folder.path / "a.counter";
    SECTION("in use") {
        FileCounterStore store{file};
        CHECK_THROWS_WITH(FileCounterStore{file},
                          Catch::Contains(file.string()) && Catch::Contains("in use"));
    }
    SECTION("damaged: it must not start again from one") {
        {
            FileCounterStore store{file};
        }
        const Buffer content = GENERATE(Buffer{}, Buffer{1, 2, 3}, Buffer(4'096, 0));
        put(file, content);
        CHECK_THROWS_WITH(FileCounterStore{file},
                          Catch::Contains(file.string()) && Catch::Contains("damaged"));
    }
    SECTION("no folder") {
        CHECK_THROWS_WITH(FileCounterStore{folder.path / "none" / "a.counter"}, Catch::Contains("none"));
    }
}

TEST_CASE("counter stores: one file for each name, opened once", "[security]") {
    const Folder folder;
    FileCounterStores stores{folder.path / "counters"};
    CHECK(stores.of("540000000001-management").next() == 1U);
    CHECK(stores.of("540000000001-management").next() == 2U);
    CHECK(stores.of("540000000002-management").next() == 1U);
    CHECK(std::filesystem::exists(folder.path / "counters" / "540000000002-management.counter"));
}

}  // namespace wattmesh::security
