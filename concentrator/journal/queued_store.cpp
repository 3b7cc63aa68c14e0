#include "concentrator/journal/queued_store.h"

#include <exception>
#include <memory>

namespace wattmesh::concentrator {

QueuedStore::QueuedStore(JournalDatabase& database, platform::Executor& executor, StoreFailed failed)
    : database_(database), executor_(executor), failed_(std::move(failed)) {}

// The world fails (disk): this is the boundary where the exception becomes an empty answer.
template <class T, class Work>
void QueuedStore::run(Work work, Done<T> done) {
    auto result = std::make_shared<std::optional<T>>();
    post({[work = std::move(work), result] { *result = work(); },
          [this, result, done = std::move(done)](std::exception_ptr failure) {
              try {
                  if (failure) std::rethrow_exception(failure);
              } catch (const std::exception& exception) {
                  if (failed_) failed_(exception.what());
              }
              while (!waiting_.empty() &&
                     executor_.try_post(waiting_.front().job, waiting_.front().completion)) {
                  waiting_.pop_front();
              }
              done(std::move(*result));
          }});
}

void QueuedStore::post(Posted posted) {
    if (waiting_.empty() && executor_.try_post(posted.job, posted.completion)) return;
    waiting_.push_back(std::move(posted));
}

void QueuedStore::commit(Commit commit, Done<Directory> done) {
    run<Directory>([this, commit = std::move(commit)] { return database_.commit(commit); }, std::move(done));
}
void QueuedStore::directory(Done<Directory> done) {
    run<Directory>([this] { return database_.directory(); }, std::move(done));
}
void QueuedStore::read(JournalId journal, Sequence after, std::uint32_t count, std::size_t octets_max,
                       Done<std::vector<dcu::Entry>> done) {
    run<std::vector<dcu::Entry>>([this, journal, after, count,
                                  octets_max] { return database_.read(journal, after, count, octets_max); },
                                 std::move(done));
}
void QueuedStore::acknowledge(dcu::Acknowledgement acknowledgement, JournalId next,
                              Done<AcknowledgeOutcome> done) {
    run<AcknowledgeOutcome>(
        [this, acknowledgement, next] { return database_.acknowledge(acknowledgement, next); },
        std::move(done));
}
void QueuedStore::erase(Instant before, Done<Directory> done) {
    run<Directory>([this, before] { return database_.erase(before); }, std::move(done));
}
void QueuedStore::limit(std::uint32_t entries_max) {
    run<bool>([this, entries_max] { return database_.limit(entries_max), true; }, [](std::optional<bool>) {});
}
void QueuedStore::put_object(StoredObject object, std::function<void(bool)> done) {
    run<bool>([this, object = std::move(object)] { return database_.put_object(object), true; },
              [done = std::move(done)](std::optional<bool> stored) { done(stored.has_value()); });
}
void QueuedStore::put_mesh_state(Buffer state, std::function<void(bool)> done) {
    run<bool>([this, state = std::move(state)] { return database_.put_mesh_state(state), true; },
              [done = std::move(done)](std::optional<bool> stored) { done(stored.has_value()); });
}
void QueuedStore::put_image(ImageChange change, std::function<void(bool)> done) {
    run<bool>([this, change = std::move(change)] { return database_.put_image(change), true; },
              [done = std::move(done)](std::optional<bool> stored) { done(stored.has_value()); });
}
void QueuedStore::reserve_counters(std::vector<CounterRequest> meters, std::uint32_t block,
                                   Done<std::vector<CounterBlock>> done) {
    run<std::vector<CounterBlock>>(
        [this, meters = std::move(meters), block] { return database_.reserve_counters(meters, block); },
        std::move(done));
}

}  // namespace wattmesh::concentrator
