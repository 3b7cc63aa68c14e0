#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "concentrator/journal/queued_store.h"
#include "tests/concentrator/journal/queue_executor.h"
#include "tests/concentrator/journal/scratch.h"

using namespace wattmesh;
using namespace wattmesh::concentrator;

namespace {

/// No file of this process may grow beyond `octets` while this lives: a full disk.
class FullDisk {
public:
    explicit FullDisk(rlim_t octets) {
        handler_ = std::signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{octets, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FullDisk() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

private:
    rlimit before_{};
    void (*handler_)(int) = SIG_DFL;
};

}  // namespace

TEST_CASE("queued store: answers come later and in order", "[concentrator]") {
    const Scratch scratch;
    JournalDatabase database(scratch.file("journal.sqlite"), journal_id(1));
    QueueExecutor queue(2);
    QueuedStore store(database, queue);
    std::vector<int> order;
    store.commit(entry(1), [&](std::optional<Directory> directory) {
        REQUIRE(directory);
        CHECK(directory->back().last == Sequence{1});
        order.push_back(1);
    });
    store.put_object({obis::clock, 1, {}}, [&](bool stored) { order.push_back(stored ? 2 : -2); });
    store.read(journal_id(1), {0}, 10, 1'000, [&](std::optional<std::vector<dcu::Entry>> entries) {
        REQUIRE(entries);
        CHECK(entries->size() == 1);
        order.push_back(3);
    });
    CHECK(order.empty());
    queue.run();
    CHECK(order == std::vector<int>{1, 2, 3});
}

TEST_CASE("queued store: a full disk is an empty answer, keeps nothing by halves, and heals",
          "[concentrator]") {
    const Scratch scratch;
    const auto path = scratch.file("journal.sqlite");
    std::vector<std::string> log;
    {
        JournalDatabase database(path, journal_id(1));
        QueueExecutor queue(2);
        QueuedStore store(database, queue, [&](const char* what) { log.push_back(what); });
        Commit commit = entry(1);
        commit.positions.push_back({meter(1), obis::load_profile, at(900)});
        int stored = 0, refused = 0;
        const auto count = [&](std::optional<Directory> directory) { ++(directory ? stored : refused); };
        {
            const FullDisk full(1);
            store.commit(commit, count);
            queue.run();
        }
        CHECK(refused == 1);
        CHECK(log.size() == 1);
        CHECK(database.read(journal_id(1), {0}, 10, 1'000).empty());
        store.commit(entry(2), count);
        queue.run();
        CHECK(stored == 1);
        CHECK(database.directory().back().last == Sequence{1});
    }
    JournalDatabase database(path, journal_id(2));
    CHECK(database.recovered().positions.empty());
    CHECK(database.read(journal_id(1), {0}, 10, 1'000).size() == 1);
}
