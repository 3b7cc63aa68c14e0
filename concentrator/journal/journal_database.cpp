#include "concentrator/journal/journal_database.h"

#include <soci/sqlite3/soci-sqlite3.h>

#include <algorithm>
#include <cassert>
#include <limits>

#include "concentrator/journal/entry_table.h"
#include "concentrator/journal/image_table.h"
#include "concentrator/journal/sql.h"
#include "concentrator/journal/state_table.h"
#include "protocol/dcu/objects.h"

namespace wattmesh::concentrator {
namespace {

constexpr std::size_t listed_at_start_max =
    200;  // of 256 slots; the rest is for journals that begin while we run

struct Listed {
    EntryTable::Row row;
    std::optional<std::uint8_t> slot;  ///< nothing: too many journals; shown after the next start
};

/// What the database holds, in memory. Changed on a copy that replaces it when the transaction is through.
struct Mirror {
    std::vector<Listed> journals;
    std::uint64_t count = 0;  ///< entries of all journals
    int next_slot = 0;
};

}  // namespace

struct JournalDatabase::State {
    explicit State(const std::string& path)
        : sql(soci::sqlite3, "db=\"" + path + "\""), entries(sql), states(sql), images(sql) {
        std::string mode;
        sql << "pragma journal_mode = wal", soci::into(mode);
        if (mode != "wal")
            throw std::runtime_error("the file system has no shared memory for the journal (WAL)");
        sql << "pragma synchronous = full";
        soci::transaction transaction(sql);
        EntryTable::create(sql);
        StateTable::create(sql);
        ImageTable::create(sql);
        transaction.commit();
    }

    void open(JournalId id);
    Directory list() const;
    Listed& current(Mirror& of) const { return of.journals.back(); }
    void append(Mirror& to, Listed& journal, const Draft& draft);
    void make_room(Mirror& in, Instant time, bool doubtful);
    std::uint64_t overwrite(Mirror& in, Listed& journal, Sequence last);
    Listed begin(Mirror& in, JournalId id);

    soci::session sql;
    EntryTable entries;
    StateTable states;
    ImageTable images;
    Mirror mirror;
    Recovered recovered;
    std::uint64_t entries_max = dcu::Limits{}.journal_entries_max;
};

void JournalDatabase::State::open(JournalId id) {
    soci::transaction transaction(sql);
    recovered.journal = id;
    for (const auto& row : entries.journals()) {
        if (const auto time = entries.newest_time(row.ordinal)) {
            recovered.last_time = std::max(recovered.last_time.value_or(*time), *time);
            mirror.journals.push_back({row, std::nullopt});
        } else {
            entries.drop(row.ordinal);
        }
    }
    const std::size_t listed = std::min(mirror.journals.size(), listed_at_start_max);
    for (std::size_t i = 0; i < listed; ++i)
        mirror.journals[i].slot = static_cast<std::uint8_t>(mirror.next_slot++);
    mirror.journals.push_back(begin(mirror, id));
    mirror.count = entries.count();
    recovered.directory = list();
    recovered.positions = states.positions();
    recovered.ranges = states.ranges();
    recovered.range_id_last = states.range_id_last();
    recovered.objects = states.objects();
    recovered.mesh_state = states.mesh_state();
    recovered.image = images.find();
    transaction.commit();
}

Listed JournalDatabase::State::begin(Mirror& in, JournalId id) {
    return {entries.begin(id), static_cast<std::uint8_t>(in.next_slot++)};
}

Directory JournalDatabase::State::list() const {
    Directory directory;
    for (const auto& [row, slot] : mirror.journals) {
        if (slot)
            directory.push_back(
                {row.id, dcu::objects::journal(*slot), row.first, row.last, row.acknowledged});
    }
    return directory;
}

void JournalDatabase::State::append(Mirror& to, Listed& journal, const Draft& draft) {
    assert(draft.payload.size() <= dcu::entry_payload_size_max);
    ++journal.row.last.value;
    entries.insert(journal.row.ordinal, {.sequence = journal.row.last,
                                         .meter = draft.meter,
                                         .kind = draft.kind,
                                         .time = draft.time,
                                         .clock_doubtful = draft.clock_doubtful,
                                         .payload = draft.payload});
    ++to.count;
}

std::uint64_t JournalDatabase::State::overwrite(Mirror& in, Listed& journal, Sequence last) {
    const auto removed = entries.remove(journal.row.ordinal, last);
    journal.row.first = Sequence{last.value + 1};
    in.count -= std::min(in.count, removed);
    return removed;
}

// In steps of one percent: one gap entry names many lost entries, instead of each loss making the next one.
void JournalDatabase::State::make_room(Mirror& in, Instant time, bool doubtful) {
    if (in.count <= entries_max) return;
    std::uint64_t excess = in.count - entries_max + std::max<std::uint64_t>(entries_max / 100, 2);
    for (auto& journal : in.journals) {
        auto& row = journal.row;
        if (excess == 0 || row.acknowledged < row.first) continue;
        const std::uint64_t last = std::min(row.acknowledged.value, row.first.value + excess - 1);
        excess -= std::min(excess, overwrite(in, journal, Sequence{last}));
        entries.update(row);
    }
    for (auto& journal : in.journals) {
        auto& row = journal.row;
        if (excess == 0 || row.last < row.first) continue;
        const dcu::GapRange gap{row.first, Sequence{std::min(row.last.value, row.first.value + excess - 1)}};
        excess -= std::min(excess, overwrite(in, journal, gap.last));
        append(in, journal,
               {.meter = {},
                .kind = dcu::EntryKind::gap,
                .time = time,
                .clock_doubtful = doubtful,
                .payload = dcu::encode(gap)});
        entries.update(row);
    }
}

JournalDatabase::JournalDatabase(const std::string& path, JournalId id) {
    try {
        state_ = std::make_unique<State>(path);
        state_->open(id);
    } catch (const std::exception& exception) {
        throw std::runtime_error("cannot open the journal " + path + ": " + exception.what());
    }
}
JournalDatabase::~JournalDatabase() = default;

const Recovered& JournalDatabase::recovered() const { return state_->recovered; }
Directory JournalDatabase::directory() { return state_->list(); }

Directory JournalDatabase::commit(const Commit& commit) {
    soci::transaction transaction(state_->sql);
    Mirror next = state_->mirror;
    auto& current = state_->current(next);
    for (const auto& draft : commit.entries) state_->append(next, current, draft);
    if (!commit.entries.empty()) {
        state_->entries.update(current.row);
        state_->make_room(next, commit.entries.back().time, commit.entries.back().clock_doubtful);
    }
    for (const auto& position : commit.positions) state_->states.put(position);
    for (const auto& range : commit.ranges) state_->states.put(range);
    for (const auto id : commit.ranges_done) state_->states.remove_range(id);
    for (const auto& received : commit.received) state_->states.put(received);
    transaction.commit();
    state_->mirror = std::move(next);
    return state_->list();
}

std::vector<dcu::Entry> JournalDatabase::read(JournalId journal, Sequence after, std::uint32_t count,
                                              std::size_t octets_max) {
    for (const auto& listed : state_->mirror.journals) {
        if (listed.row.id == journal)
            return state_->entries.select(listed.row.ordinal, after, count, octets_max);
    }
    return {};
}

AcknowledgeOutcome JournalDatabase::acknowledge(const dcu::Acknowledgement& acknowledgement,
                                                JournalId next_id) {
    Mirror next = state_->mirror;
    const auto found = std::find_if(next.journals.begin(), next.journals.end(), [&](const Listed& listed) {
        return listed.row.id == acknowledgement.id;
    });
    if (found == next.journals.end()) return AcknowledgeOutcome::unknown_journal;
    soci::transaction transaction(state_->sql);
    if (acknowledgement.sequence > found->row.last) {
        // The head-end has entries that we lost: their sequences must not be given out again (design.md 2.3).
        const bool open = found + 1 == next.journals.end();
        if (open && next.next_slot <= std::numeric_limits<std::uint8_t>::max()) {
            next.journals.push_back(state_->begin(next, next_id));
            transaction.commit();
            state_->mirror = std::move(next);
        }
        return AcknowledgeOutcome::beyond_end;
    }
    if (acknowledgement.sequence > found->row.acknowledged) {
        found->row.acknowledged = acknowledgement.sequence;
        state_->entries.update(found->row);
        transaction.commit();
        state_->mirror = std::move(next);
    }
    return AcknowledgeOutcome::accepted;
}

Directory JournalDatabase::erase(Instant before) {
    soci::transaction transaction(state_->sql);
    Mirror next = state_->mirror;
    for (std::size_t i = 0; i < next.journals.size(); ++i) {
        auto& journal = next.journals[i];
        auto& row = journal.row;
        if (row.acknowledged < row.first) continue;
        // A later journal that has been erased from its beginning makes this one old to its end.
        const bool closed_long = i + 1 < next.journals.size() && next.journals[i + 1].row.first > Sequence{1};
        const Sequence last =
            closed_long ? row.acknowledged
                        : state_->entries.last_older(row.ordinal, row.first, row.acknowledged, before);
        if (last < row.first) continue;
        state_->overwrite(next, journal, last);
        state_->entries.update(row);
    }
    transaction.commit();
    state_->mirror = std::move(next);
    return state_->list();
}

void JournalDatabase::limit(std::uint32_t entries_max) { state_->entries_max = entries_max; }

void JournalDatabase::put_object(const StoredObject& object) {
    soci::transaction transaction(state_->sql);
    state_->states.put(object);
    transaction.commit();
}

void JournalDatabase::put_mesh_state(const Buffer& state) {
    soci::transaction transaction(state_->sql);
    state_->states.put_mesh_state(state);
    transaction.commit();
}

void JournalDatabase::put_image(const ImageChange& change) {
    soci::transaction transaction(state_->sql);
    std::visit([this](const auto& one) { state_->images.put(one); }, change);
    transaction.commit();
}

std::vector<CounterBlock> JournalDatabase::reserve_counters(const std::vector<CounterRequest>& meters,
                                                            std::uint32_t block) {
    soci::transaction transaction(state_->sql);
    std::vector<CounterBlock> blocks;
    blocks.reserve(meters.size());
    for (const auto& meter : meters) blocks.push_back(state_->states.reserve(meter, block));
    transaction.commit();
    return blocks;
}

}  // namespace wattmesh::concentrator
