#include "headend/monitor/counter_rescue.h"

#include <utility>

#include "headend/jobs/retry.h"

namespace wattmesh::headend::monitor {

bool passes(std::string_view fault) { return jobs::passes(fault); }

std::string fault_of(frontend::RelayStatus status) {
    switch (status) {
        case frontend::RelayStatus::answered:
            return {};
        case frontend::RelayStatus::unreachable:
            return "unreachable";
        case frontend::RelayStatus::timed_out:
            return "no_answer";
        case frontend::RelayStatus::offline:
            return "offline";
        case frontend::RelayStatus::full:
            return "busy";
    }
    return "malformed";
}

void CounterRescue::begin(DeviceNumber concentrator, DeviceNumber meter, const Carry& carry, Done done) {
    concentrator_ = concentrator;
    meter_ = meter;
    carry_ = &carry;
    done_ = std::move(done);
    recovery_.begin();
    pump();
}

void CounterRescue::pump() {
    auto event = recovery_.take_event();
    auto apdu = event ? std::nullopt : recovery_.take_output();
    if (!event && !apdu) {
        recovery_.abort();  // an answer that led nowhere
        event = recovery_.take_event();
    }
    if (event) {
        const auto done = std::exchange(done_, nullptr);
        if (done) done(*event);
        return;
    }
    (*carry_)(concentrator_, meter_, public_client, *std::move(apdu),
              [waiting = weak_from_this()](const frontend::RelayOutcome& outcome) {
                  const auto self = waiting.lock();
                  if (!self) return;
                  if (outcome.status == frontend::RelayStatus::answered)
                      self->recovery_.receive(outcome.apdu);
                  else
                      self->recovery_.abort();
                  self->pump();
              });
}

}  // namespace wattmesh::headend::monitor
