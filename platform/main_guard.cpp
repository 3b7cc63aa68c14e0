#include "platform/main_guard.h"

#include <Poco/Exception.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <stdexcept>

#include "platform/arguments.h"
#include "platform/loop_impl.h"

namespace wattmesh::platform {

int guarded_main(const std::string& program, const std::function<int()>& body) {
    umask(077);
    std::signal(SIGPIPE, SIG_IGN);
    int status = 1;
    std::string what;
    try {
        return body();
    } catch (const UsageError& failure) {
        what = failure.what();
        status = 2;
    } catch (const Poco::Exception& failure) {
        what = failure.displayText();
    } catch (const std::exception& failure) {
        what = failure.what();
    }
    std::fprintf(stderr, "%s: %s\n", program.c_str(), what.c_str());
    return status;
}

void forbid_memory_dumps() {
    const rlimit none{0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0) throw std::runtime_error("cannot forbid core dumps");
#ifndef __SANITIZE_ADDRESS__
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) throw std::runtime_error("cannot forbid reading the memory");
#endif
}

struct StopSignals::State : std::enable_shared_from_this<State> {
    State(Loop& loop, std::function<void()> function)
        : signals(loop.impl().io, SIGTERM, SIGINT), on_stop(std::move(function)) {}
    void wait() {
        signals.async_wait([self = shared_from_this()](const boost::system::error_code& error, int) {
            if (error || !self->on_stop) return;
            self->wait();
            self->on_stop();
        });
    }
    boost::asio::signal_set signals;
    std::function<void()> on_stop;
};

StopSignals::StopSignals(Loop& loop, std::function<void()> on_stop)
    : state_(std::make_shared<State>(loop, std::move(on_stop))) {
    state_->wait();
}
StopSignals::~StopSignals() {
    state_->on_stop = nullptr;
    boost::system::error_code ignored;
    state_->signals.cancel(ignored);
}

}  // namespace wattmesh::platform
