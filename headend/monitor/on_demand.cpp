#include "headend/monitor/on_demand.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace wattmesh::headend::monitor {
namespace {

constexpr std::uint16_t class_register = 3, class_extended_register = 4;

bool has_scaler(const dlms::AttributeId& id) {
    return (id.class_id == class_register || id.class_id == class_extended_register) && id.attribute == 2;
}

std::string fault_of(const dlms::RequestFailed& failed) {
    const Fault fault = failed.error.fault;
    if (failed.exception || fault == Fault::refused) return "refused";
    return fault == Fault::not_authentic || fault == Fault::replayed ? "not_authentic" : "malformed";
}

}  // namespace

std::string_view to_string(KeyFault fault) {
    switch (fault) {
        case KeyFault::unknown_meter:
            return "unknown_meter";
        case KeyFault::no_concentrator:
            return "no_concentrator";
        case KeyFault::no_key:
            return "no_key";
        case KeyFault::no_certificate:
            return "no_certificate";
        case KeyFault::unavailable:
            return "unavailable";
        case KeyFault::too_many_disconnects:
            return "too_many_disconnects";
    }
    return "?";
}

/// One association and what it was asked for.
struct OnDemand::Talk {
    struct Request {
        dlms::AttributeId id;
        dlms::Selection selection;
        Done done;
        Instant asked;
    };
    DeviceNumber meter, concentrator;
    std::deque<Request> requests;  ///< the first one is being read
    std::optional<dlms::Client> client;
    std::optional<dlms::RequestId> reading, reading_scaler;
    dlms::Data value;  ///< while the scaler is being read
    std::shared_ptr<CounterRescue> rescue;
    bool carrying = false, releasing = false, ended = false;
    bool telling = false;  ///< a result is being told: what is asked for meanwhile waits for its turn
};

/// What waits while somebody else talks with the meter.
struct OnDemand::Held {
    std::function<void()> granted;             ///< null once it was called
    std::deque<std::function<void()>> others;  ///< who waits behind the one that has the meter
    std::deque<Talk::Request> requests;
};

OnDemand::OnDemand(OnDemandSettings settings, KeyService& keys, Carry carry, Now now, Ciphers& ciphers,
                   Random& random)
    : settings_(settings),
      keys_(keys),
      carry_(std::move(carry)),
      now_(std::move(now)),
      ciphers_(ciphers),
      random_(random) {}

OnDemand::~OnDemand() = default;

std::size_t OnDemand::open() const { return talks_.size(); }

std::shared_ptr<OnDemand::Talk> OnDemand::talk_of(DeviceNumber meter) {
    auto& talk = talks_[meter];
    if (talk) return talk;
    talk = std::make_shared<Talk>();
    talk->meter = meter;
    talk->rescue = std::make_shared<CounterRescue>(ciphers_, random_);
    ask_keys(std::shared_ptr{talk});
    return talk;
}

void OnDemand::ask_keys(const std::shared_ptr<Talk>& talk) {
    KeyRequest request{
        .meter = talk->meter, .role = Role::reading, .actor = "on-demand read", .disconnects = 0};
    keys_.access(std::move(request), [this, waiting = std::weak_ptr{talk}](KeyAnswer answer) {
        const auto alive = waiting.lock();
        if (!alive) return;
        if (const auto* fault = std::get_if<KeyFault>(&answer))
            return fail_all(*alive, std::string{to_string(*fault)});
        start(alive, std::get<GuardedAccess>(std::move(answer)));
    });
}

void OnDemand::read(DeviceNumber meter, const dlms::AttributeId& id, dlms::Selection selection, Done done) {
    if (otherwise_ && otherwise_(meter, id, done)) return;
    if (const auto held = held_.find(meter); held != held_.end()) {
        held->second.requests.push_back({id, std::move(selection), std::move(done), now_()});
        return;
    }
    const auto talk = talk_of(meter);
    talk->requests.push_back({id, std::move(selection), std::move(done), now_()});
    if (talk->client && talk->requests.size() == 1 && !talk->releasing && !talk->telling) {
        next_request(*talk);
        pump(talk);
    }
}

void OnDemand::start(const std::shared_ptr<Talk>& talk, GuardedAccess access) {
    talk->concentrator = access.concentrator;
    dlms::ClientConfig config;
    config.mechanism = access.mechanism;
    config.ciphered = true;
    config.protection = std::move(access.protection);
    config.own_title = access.own_title;
    config.server_title = access.meter_title;
    config.pdu_size_max = std::max(settings_.pdu_size_max, access.pdu_size_least);
    talk->client.emplace(std::move(config), ciphers_, random_, no_counters_, no_counters_);
    talk->releasing = false;
    talk->client->associate();
    pump(talk);
}

/// Carries the next APDU, one at a time.
void OnDemand::pump(const std::shared_ptr<Talk>& talk) {
    if (talk->ended || talk->carrying || !talk->client) return;
    auto apdu = talk->client->take_output();
    if (!apdu) {
        take_events(talk);  // for example: the counter is used up
        if (talk->ended) return;
        apdu = talk->client->take_output();
        if (!apdu) return;
    }
    talk->carrying = true;
    carry_(talk->concentrator, talk->meter, management_client, *std::move(apdu),
           [this, waiting = std::weak_ptr{talk}](const frontend::RelayOutcome& outcome) {
               if (const auto alive = waiting.lock()) on_outcome(alive, outcome);
           });
}

void OnDemand::on_outcome(const std::shared_ptr<Talk>& talk, const frontend::RelayOutcome& outcome) {
    talk->carrying = false;
    if (talk->ended) return;
    if (outcome.status != frontend::RelayStatus::answered) return fail_all(*talk, fault_of(outcome.status));
    talk->client->receive(outcome.apdu);
    take_events(talk);
    pump(talk);
}

void OnDemand::take_events(const std::shared_ptr<Talk>& talk) {
    while (!talk->ended && talk->client) {
        const auto event = talk->client->take_event();
        if (!event) return;
        if (!talk->client->associated() && !talk->releasing && talk->rescue->may_help(*event))
            return rescue(talk);
        if (std::holds_alternative<dlms::Associated>(*event)) {
            next_request(*talk);
        } else if (const auto* refused = std::get_if<dlms::AssociationRefused>(&*event)) {
            return fail_all(*talk, refused->proof_failed ? "not_authentic" : "refused");
        } else if (const auto* read = std::get_if<dlms::ReadCompleted>(&*event)) {
            on_value(*talk, read->outcome);
        } else if (const auto* failed = std::get_if<dlms::RequestFailed>(&*event)) {
            return fail_all(*talk, talk->releasing ? "" : fault_of(*failed));
        } else if (std::holds_alternative<dlms::Released>(*event)) {
            return fail_all(*talk, "");
        }
    }
}

/// The meter may have accepted higher counters than we remember: after this talk's one question the
/// association is tried again, with counters that were reserved anew.
void OnDemand::rescue(const std::shared_ptr<Talk>& talk) {
    talk->client.reset();
    talk->rescue->begin(talk->concentrator, talk->meter, carry_,
                        [this, waiting = std::weak_ptr{talk}](const dlms::CounterRecoveryEvent& event) {
                            const auto alive = waiting.lock();
                            if (!alive || alive->ended) return;
                            const auto* raised = std::get_if<dlms::CounterRaised>(&event);
                            if (raised == nullptr) return fail_all(*alive, "refused");
                            keys_.raise(alive->meter, *raised, "on-demand read");
                            ask_keys(alive);
                        });
}

void OnDemand::next_request(Talk& talk) {
    if (talk.requests.empty()) {
        talk.releasing = true;
        talk.client->release();
        return;
    }
    talk.reading_scaler.reset();
    talk.reading = talk.client->get(talk.requests.front().id, talk.requests.front().selection);
}

void OnDemand::on_value(Talk& talk, const dlms::ReadOutcome& outcome) {
    if (talk.requests.empty()) return;
    OnDemandResult result;
    const auto* data = std::get_if<dlms::Data>(&outcome);
    if (talk.reading_scaler) {
        result.value = std::move(talk.value);
        const auto* pair = data != nullptr ? data->elements() : nullptr;
        if (pair != nullptr && pair->size() == 2 && (*pair)[0].integer() && (*pair)[1].integer()) {
            result.scaler = static_cast<int>(*(*pair)[0].integer());
            result.unit = static_cast<int>(*(*pair)[1].integer());
        }
    } else if (data == nullptr) {
        result.fault = "refused";
    } else if (dlms::AttributeId id = talk.requests.front().id; has_scaler(id)) {
        talk.value = *data;
        id.attribute = 3;
        talk.reading_scaler = talk.client->get(id);
        return;
    } else {
        result.value = *data;
    }
    talk.telling = true;
    finish(talk, std::move(result));
    talk.telling = false;
    if (!talk.ended) next_request(talk);
}

void OnDemand::finish(Talk& talk, OnDemandResult result) {
    Talk::Request request = std::move(talk.requests.front());
    talk.requests.pop_front();
    result.took = now_() - request.asked;
    request.done(std::move(result));
}

/// The association is over. What still waits fails with `fault`; with an empty one (an orderly release) it is
/// asked in a new one.
void OnDemand::fail_all(Talk& talk, const std::string& fault) {
    talk.ended = true;
    auto requests = std::exchange(talk.requests, {});
    const DeviceNumber meter = talk.meter;
    talks_.erase(meter);  // the caller keeps `talk` alive
    // Whoever waits for the meter has it now; what is asked again then waits for him.
    const auto held = held_.find(meter);
    const auto granted = held == held_.end() ? nullptr : std::exchange(held->second.granted, nullptr);
    if (granted) granted();
    for (auto& request : requests) {
        if (fault.empty()) {
            read(meter, request.id, std::move(request.selection), std::move(request.done));
        } else {
            OnDemandResult result;
            result.fault = fault;
            result.took = now_() - request.asked;
            request.done(std::move(result));
        }
    }
}

void OnDemand::hold(DeviceNumber meter, std::function<void()> granted) {
    if (const auto held = held_.find(meter); held != held_.end()) {
        held->second.others.push_back(std::move(granted));
        return;
    }
    if (talks_.contains(meter)) {
        held_[meter].granted = std::move(granted);
        return;
    }
    held_[meter] = {};
    granted();
}

void OnDemand::release(DeviceNumber meter) {
    const auto place = held_.find(meter);
    if (place == held_.end()) return;
    if (auto& others = place->second.others; !others.empty()) {
        const auto granted = std::move(others.front());
        others.pop_front();
        return granted();
    }
    auto held = held_.extract(place);
    for (auto& request : held.mapped().requests)
        read(meter, request.id, std::move(request.selection), std::move(request.done));
}

}  // namespace wattmesh::headend::monitor
