#include "headend/frontend/replication.h"

#include <algorithm>
#include <utility>

#include "protocol/dcu/objects.h"

namespace wattmesh::headend::frontend {
namespace {

constexpr std::uint16_t class_data = 1, class_profile = 7;
constexpr std::int8_t value_attribute = 2;

const dlms::Data* value_of(const std::optional<dlms::ReadOutcome>& outcome) {
    return outcome ? std::get_if<dlms::Data>(&*outcome) : nullptr;
}

}  // namespace

Replication::Replication(DeviceNumber concentrator, OwnerEpoch epoch, Association& association, Store& store,
                         const ReplicationSettings& settings, const Instant& now)
    : concentrator_(concentrator),
      epoch_(epoch),
      association_(association),
      store_(store),
      settings_(settings),
      now_(now),
      opened_(now),
      since_(now),
      until_(now),
      backoff_(settings.backoff_first, settings.backoff_longest) {}

void Replication::tick() {
    if (superseded_) return;
    if (step_ == Step::idle && (again_ || now_ - since_ >= settings_.poll)) return read_directory();
    if (step_ == Step::waiting && now_ >= until_) return (this->*std::exchange(retry_, nullptr))();
    if (step_ == Step::storing && now_ - since_ >= settings_.store_timeout) {
        // The call may still commit later: only the store knows where the cursor is now.
        ++counters_.unavailable;
        store_guard_.cancel();
        batch_.reset();
        if (journals_.empty()) return wait(&Replication::read_directory);
        cursors_.erase(journals_.front().id);
        ask_cursor();
    }
}

void Replication::cancel() {
    store_guard_.cancel();
    link_guard_.cancel();
}

void Replication::notify(const dlms::Data& directory) {
    if (superseded_) return;
    if (step_ == Step::idle) {
        on_directory(directory);
    } else {
        again_ = true;
    }
}

void Replication::wait(void (Replication::*retry)()) {
    step_ = Step::waiting;
    since_ = now_;
    until_ = now_ + backoff_.next();
    retry_ = retry;
}

void Replication::give_up_answer() {
    ++counters_.malformed_answers;
    journals_.clear();
    wait(&Replication::read_directory);
}

void Replication::read_directory() {
    step_ = Step::asking;
    since_ = now_;
    again_ = false;
    association_.get({class_data, dcu::objects::journal_directory, value_attribute}, {},
                     link_guard_.expect([this](const std::optional<dlms::ReadOutcome>& outcome) {
                         if (const auto* directory = value_of(outcome)) return on_directory(*directory);
                         give_up_answer();
                     }));
}

void Replication::on_directory(const dlms::Data& directory) {
    auto journals = dcu::directory_from_data(directory);
    if (!journals) return give_up_answer();
    journals_ = *std::move(journals);
    std::erase_if(journals_, [](const dcu::JournalInfo& journal) { return journal.last.value == 0; });
    next_journal();
}

void Replication::next_journal() {
    // Only journals that may hold something new: what this session drained already costs nothing.
    while (!journals_.empty()) {
        const auto known = cursors_.find(journals_.front().id);
        const bool drained = known != cursors_.end() && known->second >= journals_.front().last;
        if (!drained) return known == cursors_.end() ? ask_cursor() : fetch();
        journals_.erase(journals_.begin());
    }
    step_ = Step::idle;
    since_ = now_;
    if (again_) read_directory();
}

void Replication::ask_cursor() {
    step_ = Step::storing;
    since_ = now_;
    store_.cursor(journals_.front().id, concentrator_,
                  store_guard_.expect([this](std::optional<Sequence> cursor) { on_cursor(cursor); }));
}

void Replication::on_cursor(std::optional<Sequence> cursor) {
    if (!cursor) {
        ++counters_.unavailable;
        return wait(&Replication::ask_cursor);
    }
    backoff_.succeeded();
    const dcu::JournalInfo& journal = journals_.front();
    cursors_[journal.id] = *cursor;
    if (*cursor > journal.last) return acknowledge_beyond();
    if (*cursor == journal.last && journal.acknowledged < *cursor) return acknowledge(*cursor);
    if (*cursor == journal.last) return next_journal();
    fetch();
}

/// The store knows entries that this journal does not have: the concentrator was restored from a copy. Told
/// so, it closes this journal and starts one with a new id.
void Replication::acknowledge_beyond() {
    const dcu::JournalInfo journal = journals_.front();
    ++counters_.beyond_end;
    if (!told_beyond_.insert(journal.id).second) return next_journal();
    again_ = true;
    acknowledge(cursors_[journal.id]);
}

void Replication::fetch() {
    step_ = Step::asking;
    since_ = now_;
    const dcu::JournalInfo& journal = journals_.front();
    const Sequence cursor = cursors_.at(journal.id);
    // Entries before the journal's first one were overwritten; a gap entry of the journal names them.
    const Sequence after{std::max(cursor.value, journal.first.value == 0 ? 0 : journal.first.value - 1)};
    association_.get({class_profile, journal.profile, value_attribute},
                     dcu::entries_after(after, settings_.entries_per_request),
                     link_guard_.expect([this, cursor](const std::optional<dlms::ReadOutcome>& outcome) {
                         on_entries(outcome, cursor);
                     }));
}

void Replication::on_entries(const std::optional<dlms::ReadOutcome>& outcome, Sequence cursor) {
    const auto* value = value_of(outcome);
    const auto* rows = value != nullptr ? value->elements() : nullptr;
    if (rows == nullptr) return give_up_answer();
    const dcu::JournalInfo& journal = journals_.front();
    Batch batch{.concentrator = concentrator_,
                .journal = journal.id,
                .epoch = epoch_,
                .from = cursor,
                .to = cursor,
                .intervals = {},
                .events = {},
                .rejected = {},
                .received = now_,
                .session_since = opened_};
    counters_.stale_rows += add_entries(batch, *rows, journal.last, settings_.periods);
    if (batch.to == cursor)
        return give_up_answer();  // nothing that leads on, although the directory promised some
    batch_ = std::move(batch);
    store();
}

void Replication::store() {
    step_ = Step::storing;
    since_ = now_;
    store_.store(*batch_, store_guard_.expect([this](StoreOutcome outcome) { on_stored(outcome); }));
}

void Replication::on_stored(StoreOutcome outcome) {
    switch (outcome) {
        case StoreOutcome::unavailable:
            ++counters_.unavailable;
            return wait(&Replication::store);  // the batch is kept: nothing is asked for twice
        case StoreOutcome::superseded:
            superseded_ = true;
            batch_.reset();
            return;
        case StoreOutcome::lost_race:
            ++counters_.lost_races;
            batch_.reset();
            cursors_.erase(journals_.front().id);
            return wait(&Replication::ask_cursor);
        case StoreOutcome::stored:
            break;
    }
    backoff_.succeeded();
    ++counters_.batches;
    counters_.entries += batch_->to.value - batch_->from.value;
    counters_.rejected += batch_->rejected.size();
    for (const auto& meter : batch_->intervals) counters_.rows += meter.rows.size();
    const Sequence stored = std::exchange(batch_, std::nullopt)->to;
    cursors_[journals_.front().id] = stored;
    acknowledge(stored);
}

void Replication::acknowledge(Sequence sequence) {
    step_ = Step::asking;
    since_ = now_;
    association_.set({class_data, dcu::objects::journal_acknowledge, value_attribute},
                     dcu::to_data(dcu::Acknowledgement{journals_.front().id, sequence}),
                     link_guard_.expect([this](std::optional<dlms::AccessResult> result) {
                         // A refused acknowledgement loses nothing: the entries stay in the journal a little
                         // longer.
                         if (result != dlms::AccessResult::success) ++counters_.refused_acks;
                         next_journal();
                     }));
}

}  // namespace wattmesh::headend::frontend
