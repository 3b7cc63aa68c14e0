#pragma once
#include <soci/soci.h>

#include <optional>
#include <vector>

#include "concentrator/journal/journal_store.h"

namespace wattmesh::concentrator {

/// Tables `journal` and `entry`. The caller owns the transaction.
class EntryTable {
public:
    struct Row {
        long long ordinal = 0;  ///< age: a younger journal has a higher one
        JournalId id;
        Sequence first{1}, last, acknowledged;
    };
    explicit EntryTable(soci::session& sql) : sql_(sql) {}

    static void create(soci::session& sql);
    std::vector<Row> journals();  ///< oldest first
    Row begin(JournalId id);
    void update(const Row& row);
    void drop(long long ordinal);

    void insert(long long ordinal, const dcu::Entry& entry);
    std::vector<dcu::Entry> select(long long ordinal, Sequence after, std::uint32_t count,
                                   std::size_t octets_max);
    /// Deletes entries up to and including `last`; says how many there were.
    std::uint64_t remove(long long ordinal, Sequence last);
    /// The last entry, at most `acknowledged`, before which all are older than `before`; before `first`:
    /// none.
    Sequence last_older(long long ordinal, Sequence first, Sequence acknowledged, Instant before);
    std::optional<Instant> newest_time(long long ordinal);
    std::uint64_t count();

private:
    soci::session& sql_;
};

}  // namespace wattmesh::concentrator
