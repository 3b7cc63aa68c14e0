#include "platform/loop.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <future>
#include <stdexcept>
#include <thread>

#include "platform/worker_queue.h"

namespace wattmesh::platform {

using namespace std::chrono_literals;

TEST_CASE("scaled clock: two programs with the same origin agree, and time runs at its speed", "[platform]") {
    const Instant origin = std::chrono::floor<Duration>(std::chrono::system_clock::now()) - 1h;
    const ScaledClock one{100, origin}, two{100, origin};
    const Instant a = one.now(), b = two.now();
    CHECK(a - origin >= 100h);
    CHECK(a - origin < 200h);
    CHECK(b - a < 100 * 60s);
    CHECK(one.real(100s) == 1s);
    CHECK(one.real(-5s) == 0s);
    CHECK(one.real(Duration::max()) > 0s);
    CHECK(ScaledClock{0.5}.real(1s) == 2s);
    CHECK_THROWS_WITH(ScaledClock{0}, Catch::Contains("speed"));
    CHECK_THROWS_WITH(ScaledClock{-1}, Catch::Contains("speed"));
}

TEST_CASE("timer: fires once, never before its instant, in the order of the instants", "[platform]") {
    Loop loop{std::make_shared<ScaledClock>(1'000)};
    Timer early{loop}, late{loop}, cancelled{loop}, real{loop};
    const Instant start = loop.now();
    std::vector<int> fired;
    const auto note = [&](int which) {
        fired.push_back(which);
        if (fired.size() == 4) loop.stop();
    };
    late.at(start + 20s, [&] {
        CHECK(loop.now() >= start + 20s);
        note(2);
    });
    early.after(5s, [&] {
        CHECK(loop.now() >= start + 5s);
        note(1);
        early.at(start, [&] { note(3); });  // passed already: at once, but not inside this call
        CHECK(fired.back() == 1);
    });
    cancelled.after(1s, [&] { note(9); });
    cancelled.cancel();
    CHECK_FALSE(cancelled.armed());
    cancelled.at(never, [&] { note(9); });
    CHECK_FALSE(cancelled.armed());
    real.after_real(1ms, [&] { note(0); });
    CHECK(early.armed());
    loop.run();
    const auto place = [&](int which) {
        return std::find(fired.begin(), fired.end(), which) - fired.begin();
    };
    CHECK(place(1) < place(2));  // the others may come in any order on a busy machine
    CHECK(place(1) < place(3));
    CHECK(place(0) < 4);
    CHECK(std::count(fired.begin(), fired.end(), 9) == 0);
    CHECK_FALSE(early.armed());
}

TEST_CASE("timer: may be armed again or destroyed in its own callback", "[platform]") {
    Loop loop{std::make_shared<ScaledClock>(1'000)};
    auto timer = std::make_unique<Timer>(loop);
    int rounds = 0;
    std::function<void()> again = [&] {
        if (++rounds < 3) return timer->after(1s, again);
        timer.reset();
        loop.stop();
    };
    timer->after(1s, again);
    loop.run();
    CHECK(rounds == 3);
}

TEST_CASE("loop: posts keep their order and come from any thread; an exception leaves run", "[platform]") {
    Loop loop{std::make_shared<ScaledClock>()};
    std::vector<int> order;
    std::thread other{[&] {
        for (int i = 0; i < 100; ++i) loop.post([&, i] { order.push_back(i); });
        loop.post([&] { loop.stop(); });
    }};
    loop.run();
    other.join();
    REQUIRE(order.size() == 100);
    CHECK(std::is_sorted(order.begin(), order.end()));
    loop.post([] { throw std::runtime_error("broken"); });
    loop.post([&] { order.clear(); });
    CHECK_THROWS_WITH(loop.poll(), "broken");
    loop.poll();
    CHECK(order.empty());
}

TEST_CASE("worker queue: jobs run elsewhere, completions on the loop, in order", "[platform]") {
    Loop loop{std::make_shared<ScaledClock>()};
    WorkerQueue queue{loop, 1, 100};
    const auto here = std::this_thread::get_id();
    std::vector<int> done;
    for (int i = 0; i < 50; ++i) {
        REQUIRE(queue.try_post(
            [here, i] {
                if (std::this_thread::get_id() == here) throw std::logic_error("on the loop's thread");
                if (i == 7) throw std::runtime_error("job 7");
            },
            [&, i](std::exception_ptr failure) {
                CHECK(std::this_thread::get_id() == here);
                if (i == 7) {
                    CHECK_THROWS_WITH(std::rethrow_exception(failure), "job 7");
                } else {
                    CHECK_FALSE(failure);
                }
                done.push_back(i);
                if (done.size() == 50) loop.stop();
            }));
    }
    loop.run();
    CHECK(std::is_sorted(done.begin(), done.end()));
}

TEST_CASE("worker queue: a full queue says so, and stop finishes what was taken", "[platform]") {
    Loop loop{std::make_shared<ScaledClock>()};
    WorkerQueue queue{loop, 1, 2};
    std::promise<void> running, gate;
    int completed = 0;
    const auto count = [&](std::exception_ptr) { ++completed; };
    REQUIRE(queue.try_post(
        [&, open = gate.get_future().share()] {
            running.set_value();
            open.wait();
        },
        count));
    running.get_future().wait();
    CHECK(queue.try_post([] {}, count));
    CHECK(queue.try_post([] {}, count));
    CHECK_FALSE(queue.try_post([] {}, count));
    CHECK(queue.waiting() == 2);
    gate.set_value();
    queue.stop();
    CHECK_FALSE(queue.try_post([] {}, count));
    loop.poll();
    CHECK(completed == 3);
}

}  // namespace wattmesh::platform
