#include "platform/loop.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "platform/loop_impl.h"

namespace wattmesh::platform {

Loop::Loop(std::shared_ptr<const Clock> clock) : clock_(std::move(clock)), impl_(std::make_unique<Impl>()) {}
Loop::~Loop() = default;

void Loop::run() {
    impl_->io.restart();
    impl_->io.run();
}

void Loop::poll() {
    impl_->io.restart();
    impl_->io.poll();
}

void Loop::stop() { impl_->io.stop(); }

void Loop::post(std::function<void()> function) { boost::asio::post(impl_->io, std::move(function)); }

/// Outlives the Timer while a wait is under way.
struct Timer::State : std::enable_shared_from_this<State> {
    explicit State(Loop& owner) : loop(owner), timer(owner.impl().io) {}

    void wait(std::chrono::nanoseconds delay) {
        timer.expires_after(delay);
        timer.async_wait([self = shared_from_this(), round = ++round_](const boost::system::error_code&) {
            if (round == self->round_) self->due();
        });
    }
    void wait_for_instant() {
        // In steps: the system's clock may be set meanwhile.
        constexpr std::chrono::nanoseconds step_max = std::chrono::minutes{1};
        wait(std::min(loop.clock().real(when - loop.now()), step_max));
    }
    void due() {
        if (simulated && loop.now() < when) return wait_for_instant();
        std::exchange(function, nullptr)();
    }
    void cancel() {
        ++round_;
        timer.cancel();
        function = nullptr;
    }

    Loop& loop;
    boost::asio::steady_timer timer;
    std::function<void()> function;
    bool simulated = true;
    Instant when{};

private:
    std::uint64_t round_ = 0;
};

Timer::Timer(Loop& loop) : state_(std::make_shared<State>(loop)) {}
Timer::~Timer() { cancel(); }

void Timer::at(Instant when, std::function<void()> function) {
    cancel();
    if (when == never) return;
    state_->function = std::move(function);
    state_->simulated = true;
    state_->when = when;
    state_->wait_for_instant();
}

void Timer::after(Duration delay, std::function<void()> function) {
    const Instant now = state_->loop.now();
    at(delay < never - now ? now + delay : never, std::move(function));
}

void Timer::after_real(Duration delay, std::function<void()> function) {
    cancel();
    state_->function = std::move(function);
    state_->simulated = false;
    state_->wait(delay);
}

void Timer::cancel() { state_->cancel(); }
bool Timer::armed() const { return state_->function != nullptr; }

}  // namespace wattmesh::platform
