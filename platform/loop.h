#pragma once
#include <functional>
#include <memory>

#include "platform/clock.h"

namespace wattmesh::platform {

/// One event loop, one thread: everything that links and timers of this loop call runs there, one at a time.
/// An exception of a posted function or a timer leaves run(); main reports it and ends the program.
class Loop {
public:
    explicit Loop(std::shared_ptr<const Clock> clock);
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// Works until stop(). May be called again after it.
    void run();
    /// Works off what is due now and returns; for tests and for programs that have a loop of their own.
    void poll();
    /// Any thread: run() returns soon.
    void stop();
    /// Any thread: `function` runs on the loop's thread, in the order of posting. Dropped when the loop goes
    /// first.
    void post(std::function<void()> function);

    Instant now() const { return clock_->now(); }
    const Clock& clock() const { return *clock_; }

    struct Impl;  ///< the Asio side, in platform/loop_impl.h
    Impl& impl() { return *impl_; }

private:
    std::shared_ptr<const Clock> clock_;
    std::unique_ptr<Impl> impl_;
};

/// One-shot. Arming again replaces what was armed; the destructor disarms. Belongs to the loop's thread.
class Timer {
public:
    explicit Timer(Loop& loop);
    ~Timer();
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    /// At a simulated instant, never before it; at once (but not inside this call) if it has passed. `never`
    /// disarms.
    void at(Instant when, std::function<void()> function);
    /// After a simulated duration.
    void after(Duration delay, std::function<void()> function);
    /// After a real duration, for what simulated time does not speed up (a TLS handshake with another
    /// process).
    void after_real(Duration delay, std::function<void()> function);
    void cancel();
    bool armed() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace wattmesh::platform
