#include "protocol/dlms/counter_recovery.h"

#include <utility>

#include "protocol/dlms/acse.h"

namespace wattmesh::dlms {

namespace {

using Why = CounterRecoveryFailed::Why;

/// Meters say a refused counter in many ways; some only fall silent, which the owner's timer turns into
/// Fault::truncated.
bool about_counter(const AssociationRefused& refused) {
    if (refused.proof_failed || refused.short_names) return false;
    return refused.result == association_result::rejected_transient ||
           refused.diagnostic == diagnostic::authentication_failure ||
           refused.diagnostic == diagnostic::no_reason_given;
}

bool about_counter(const RequestFailed& failed) {
    if (failed.request) return false;  // not the association itself
    return failed.expected_counter || failed.exception || failed.error.fault == Fault::truncated;
}

ClientConfig public_config(const Quirks& quirks) {
    ClientConfig config;
    config.quirks = quirks;
    return config;
}

}  // namespace

AttributeId invocation_counter_of(Sap client) {
    return {1, ObisCode{{0, 0, 43, 1, static_cast<std::uint8_t>(client.value), 255}}, 2};
}

std::string_view to_string(Why why) {
    switch (why) {
        case Why::no_answer:
            return "the meter does not answer the public client";
        case Why::refused:
            return "the meter does not show its invocation counter";
        case Why::no_number:
            return "the meter's invocation counter is no number";
        case Why::too_high:
            return "the meter's invocation counter is too close to its end";
    }
    return "?";
}

CounterRecovery::CounterRecovery(const AttributeId& counter, CounterStore& send, Ciphers& ciphers,
                                 Random& random, const Quirks& quirks)
    : counter_(counter),
      send_(send),
      public_client_(public_config(quirks), ciphers, random, nothing_, nothing_) {}

CounterRecovery::Advice CounterRecovery::consider(const ClientEvent& event) const {
    bool counter = false;
    if (const auto* refused = std::get_if<AssociationRefused>(&event)) counter = about_counter(*refused);
    if (const auto* failed = std::get_if<RequestFailed>(&event)) counter = about_counter(*failed);
    if (!counter) return Advice::unrelated;
    return begun_ ? Advice::refused_again : Advice::recover;
}

void CounterRecovery::begin() {
    if (begun_) return;
    begun_ = true;
    public_client_.associate();
    public_client_.get(counter_);
}

std::optional<Buffer> CounterRecovery::take_output() { return public_client_.take_output(); }

void CounterRecovery::receive(Bytes apdu) {
    public_client_.receive(apdu);
    follow();
}

void CounterRecovery::abort() {
    public_client_.abort();
    follow();
    if (begun_ && !event_) finish(CounterRecoveryFailed{Why::no_answer});
}

void CounterRecovery::follow() {
    while (const auto event = public_client_.take_event()) {
        if (std::holds_alternative<AssociationRefused>(*event))
            finish(CounterRecoveryFailed{Why::refused});
        else if (const auto* failed = std::get_if<RequestFailed>(&*event))
            finish(CounterRecoveryFailed{failed->exception ? Why::refused : Why::no_answer});
        const auto* read = std::get_if<ReadCompleted>(&*event);
        if (!read) continue;
        public_client_.release();
        const auto* data = std::get_if<Data>(&read->outcome);
        const auto value = data ? data->integer() : std::nullopt;
        if (!data) {
            finish(CounterRecoveryFailed{Why::refused});
        } else if (!value || *value < 0) {
            finish(CounterRecoveryFailed{Why::no_number});
        } else if (*value >= accepted_limit) {
            finish(CounterRecoveryFailed{Why::too_high});
        } else {
            const auto accepted = static_cast<std::uint32_t>(*value);
            send_.raise(accepted + 1);
            finish(CounterRaised{accepted, accepted + 1});
        }
    }
}

void CounterRecovery::finish(CounterRecoveryEvent event) {
    if (!event_ && !reported_) event_ = event;
}

std::optional<CounterRecoveryEvent> CounterRecovery::take_event() {
    if (event_) reported_ = true;
    return std::exchange(event_, std::nullopt);
}

}  // namespace wattmesh::dlms
