#pragma once
#include <memory>

#include "headend/frontend/store.h"
#include "tests/fleet/chance.h"
#include "tests/fleet/head_model.h"
#include "tests/fleet/timeline.h"

namespace wattmesh::fleet {

/// What the weather of the database is like; the world changes it during a run.
struct DatabaseWeather {
    bool down = false;                 ///< every call fails after its delay
    int lost_answers_in_thousand = 0;  ///< committed, but the front-end never hears of it
    Duration delay_min{2'000}, delay_max{40'000};
};

/// One front-end's way to the database: completions come back late, out of order between calls, or never.
/// When the front-end crashes its calls may still be performed, but no answer arrives.
class SlowStore final : public headend::frontend::Store {
public:
    /// `answered` runs after each completion, so that the front-end's actions are performed.
    SlowStore(Timeline& timeline, Chance& chance, HeadModel& model, const DatabaseWeather& weather,
              std::function<void()> answered)
        : timeline_(timeline),
          chance_(chance),
          model_(model),
          weather_(weather),
          answered_(std::move(answered)) {}
    ~SlowStore() override { *alive_ = false; }

    void open_session(DeviceNumber concentrator, Instant now,
                      std::function<void(std::optional<headend::frontend::SessionOpened>)> done) override;
    void cursor(JournalId journal, DeviceNumber concentrator,
                std::function<void(std::optional<Sequence>)> done) override;
    void store(headend::frontend::Batch batch,
               std::function<void(headend::frontend::StoreOutcome)> done) override;
    void seen(DeviceNumber, OwnerEpoch, Instant, headend::frontend::LinkState) override {}

    std::uint64_t failed() const { return failed_; }
    std::uint64_t lost_answers() const { return lost_answers_; }

private:
    /// Performs `work` after a delay and answers after another; `failure` is the answer of a database that is
    /// down.
    template <class Answer>
    void call(std::function<Answer()> work, Answer failure, std::function<void(Answer)> done);

    Timeline& timeline_;
    Chance& chance_;
    HeadModel& model_;
    const DatabaseWeather& weather_;
    std::function<void()> answered_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::uint64_t failed_ = 0, lost_answers_ = 0;
};

}  // namespace wattmesh::fleet
