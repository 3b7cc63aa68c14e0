#include "tests/fleet/slow_store.h"

namespace wattmesh::fleet {

using namespace headend::frontend;

template <class Answer>
void SlowStore::call(std::function<Answer()> work, Answer failure, std::function<void(Answer)> done) {
    const auto reaches = chance_.between(weather_.delay_min, weather_.delay_max);
    const auto answers = chance_.between(weather_.delay_min, weather_.delay_max);
    const bool lost = chance_.in_a_thousand(weather_.lost_answers_in_thousand);
    // The work happens even when the front-end has crashed meanwhile: PostgreSQL does not know.
    timeline_.after(reaches, [this, alive = alive_, &timeline = timeline_, &weather = weather_, answers, lost,
                              work = std::move(work), failure = std::move(failure), done = std::move(done)] {
        const bool down = weather.down;
        Answer answer = down ? failure : work();
        if (!*alive) return;
        if (down) ++failed_;
        if (lost && !down) {
            ++lost_answers_;
            return;
        }
        timeline.after(answers, [this, alive, answer = std::move(answer), done] {
            if (!*alive) return;
            done(answer);
            if (*alive) answered_();
        });
    });
}

void SlowStore::open_session(DeviceNumber concentrator, Instant now,
                             std::function<void(std::optional<SessionOpened>)> done) {
    call<std::optional<SessionOpened>>(
        [&model = model_, concentrator, now] { return model.open_session(concentrator, now); }, std::nullopt,
        std::move(done));
}

void SlowStore::cursor(JournalId journal, DeviceNumber concentrator,
                       std::function<void(std::optional<Sequence>)> done) {
    call<std::optional<Sequence>>(
        [&model = model_, journal, concentrator] { return model.cursor(journal, concentrator); },
        std::nullopt, std::move(done));
}

void SlowStore::store(Batch batch, std::function<void(StoreOutcome)> done) {
    call<StoreOutcome>([&model = model_, batch = std::move(batch)] { return model.store(batch); },
                       StoreOutcome::unavailable, std::move(done));
}

}  // namespace wattmesh::fleet
