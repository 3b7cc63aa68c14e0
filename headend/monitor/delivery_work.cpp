#include "headend/monitor/delivery_work.h"

#include <algorithm>

#include "headend/monitor/relay_job.h"
#include "headend/monitor/relay_priority.h"
#include "protocol/sts/refusal.h"

namespace wattmesh::headend::monitor {
namespace {

using cosem::Reconnection;
using cosem::disconnect_control::ControlMode;
using cosem::disconnect_control::ControlState;
using cosem::token_gateway::DeliveryMethod;
using cosem::token_gateway::StatusCode;
using cosem::token_gateway::TokenStatus;
using database::Deliveries;
using database::DeliveryState;

/// What a gateway of our models says in its eight bits; other makes have words of their own there.
std::optional<sts::Refusal> refusal_of(const TokenStatus& status) {
    if (status.data_value.bits != 8 || status.data_value.octets.size() != 1) return std::nullopt;
    constexpr auto last = static_cast<std::uint8_t>(sts::Refusal::locked_out);
    if (status.data_value.octets[0] > last) return std::nullopt;
    return static_cast<sts::Refusal>(status.data_value.octets[0]);
}

std::string word_of(const TokenStatus& status) {
    if (const auto refusal = refusal_of(status)) return std::string{to_string(*refusal)};
    switch (status.status_code) {
        case StatusCode::token_format_failure:
            return "format_failure";
        case StatusCode::authentication_failure:
            return "authentication_failure";
        case StatusCode::validation_failure:
            return "validation_failure";
        default:
            return "execution_failure";
    }
}

/// The token that comes next; the caller knows that there is one. After the last section of a key the first
/// one comes again.
const database::DeliveryToken& next_token(const database::Delivery& delivery) {
    const auto found = std::find_if(delivery.tokens.begin(), delivery.tokens.end(),
                                    [](const auto& token) { return token.result.empty(); });
    return found == delivery.tokens.end() ? delivery.tokens.front() : *found;
}

bool any_accepted(const database::Delivery& delivery) {
    return std::any_of(delivery.tokens.begin(), delivery.tokens.end(),
                       [](const auto& token) { return !token.result.empty(); });
}
bool all_accepted(const database::Delivery& delivery) {
    return std::all_of(delivery.tokens.begin(), delivery.tokens.end(),
                       [](const auto& token) { return !token.result.empty(); });
}

/// The meter took this token; what of a key change is known only when it cannot read the old key any more.
void took(Deliveries& deliveries, const database::Delivery& delivery, int place, const std::string& result,
          Instant now) {
    delivery.key_change ? deliveries.accepted(delivery.sale, place, result, now)
                        : deliveries.took(delivery.sale, place, result, now);
}

/// Before a token goes out: its digits, or that the meter has it, that the sale was taken back, or that what
/// was sealed does not open.
struct Prepared {
    int place = 0;
    std::string digits{};
    bool there = false, cancelled = false, altered = false;
};

std::optional<std::string> digits_of(const security::MasterKey& master, const database::Delivery& delivery,
                                     const database::DeliveryToken& token) {
    const auto opened = master.unwrap(database::parcel_purpose(delivery.sale, token.place), token.sealed);
    if (!opened) return std::nullopt;
    const auto octets = opened->reveal();
    std::string digits{octets.begin(), octets.end()};
    digits.erase(digits.find_last_not_of(' ') + 1);
    return digits;
}

/// The token that the gateway shows, where it is the next one, or of a key any section that somebody typed
/// in.
std::optional<int> shown_place(const security::MasterKey& master, const database::Delivery& delivery,
                               const GatewayView& view) {
    if (!view.executed()) return std::nullopt;
    for (const auto& token : delivery.tokens)
        if (token.result.empty() && (delivery.key_change || token.place == next_token(delivery).place) &&
            digits_of(master, delivery, token) == view.digits)
            return token.place;
    return std::nullopt;
}

Prepared prepared(database::Connection& connection, const security::MasterKey& master,
                  const database::Delivery& delivery, const GatewayView& view, Instant now) {
    const auto& token = next_token(delivery);
    const auto digits = digits_of(master, delivery, token);
    Prepared result{.place = token.place, .altered = !digits};
    if (!digits) return result;
    result.digits = *digits;
    const auto shown = shown_place(master, delivery, view);
    result.there = shown.has_value();
    database::Transaction transaction{connection};
    Deliveries deliveries{connection};
    if (shown)
        took(deliveries, delivery, *shown, view.from == DeliveryMethod::manual_entry ? "keypad" : "remote",
             now);
    else
        result.cancelled = !deliveries.send(delivery.sale);
    transaction.commit();
    return result;
}

}  // namespace

void DeliveryWork::look() {
    const int most = settings_.at_once - static_cast<int>(open_.size());
    if (looking_ || most <= 0) return;
    looking_ = true;
    ports_.queue.run(
        [now = ports_.now(), claim = settings_.claim, most](database::Connection& connection) {
            database::Transaction transaction{connection};
            auto due = Deliveries{connection}.claim(now, now + claim, most);
            transaction.commit();
            return due;
        },
        guarded([this](const std::optional<std::vector<database::Delivery>>& due) {
            looking_ = false;
            if (!due) return;
            for (const auto& delivery : *due) begin(delivery);
        }));
}

void DeliveryWork::begin(const database::Delivery& delivery) {
    if (!open_.insert(delivery.sale).second || !lives(DeliveryStep::claimed)) return;
    const auto leg = std::make_shared<const Leg>(Leg{delivery, cosem::meter_model(delivery.cosem_model)});
    const bool taken = delivery.taken.has_value();
    if (leg->model == nullptr || !leg->model->reconnection) return finish(leg, "unknown_model", "");
    if (ports_.now() >= delivery.deadline)
        return finish(leg, taken ? "not_seen" : "not_delivered", delivery.relay);
    if (!taken)
        look_at_gateway(leg);
    else if (delivery.state == DeliveryState::reconnecting)
        follow(leg);
    else
        see(leg);
    ports_.pump();
}

void DeliveryWork::look_at_gateway(const LegPtr& leg) {
    ports_.tokens.look(leg->delivery.meter, *leg->model,
                       guarded([this, leg](const std::string& fault, const std::optional<GatewayView>& view) {
                           if (!view) return postpone(leg, fault);
                           if (lives(DeliveryStep::looked)) prepare(leg, *view);
                       }));
}

void DeliveryWork::prepare(const LegPtr& leg, const GatewayView& view) {
    ports_.queue.run(
        [leg, view, now = ports_.now(), &master = ports_.master](database::Connection& connection) {
            return prepared(connection, master, leg->delivery, view, now);
        },
        guarded([this, leg](const std::optional<Prepared>& next) {
            if (!next || next->there || next->cancelled) return leave(leg);
            if (next->altered) return finish(leg, "altered", "");
            if (lives(DeliveryStep::noted)) enter(leg, next->place, next->digits);
        }));
}

void DeliveryWork::enter(const LegPtr& leg, int place, const std::string& digits) {
    ports_.tokens.enter(leg->delivery.meter, *leg->model, digits,
                        guarded([this, leg, place](const TokenOutcome& outcome) {
                            if (lives(DeliveryStep::answered)) entered(leg, place, outcome);
                        }));
    ports_.pump();
}

void DeliveryWork::entered(const LegPtr& leg, int place, const TokenOutcome& outcome) {
    const auto sale = leg->delivery.sale;
    if (!outcome.sent && leg->delivery.state == DeliveryState::waiting)
        return store(
            leg, [sale](database::Connection& connection) { Deliveries{connection}.unsent(sale); },
            [this, leg, outcome] { postpone(leg, outcome.fault); });
    if (!outcome.fault.empty()) return postpone(leg, outcome.fault);
    const auto refusal = refusal_of(outcome.status);
    const bool failed = outcome.status.status_code >= StatusCode::token_format_failure;
    if (outcome.status.status_code == StatusCode::token_received_and_not_yet_processed)
        return postpone(leg, "in_progress", settings_.soon);
    if (failed && refusal == sts::Refusal::locked_out) return postpone(leg, "locked_out");
    if (leg->delivery.key_change && refusal == sts::Refusal::checksum && any_accepted(leg->delivery))
        return key_changed(leg);
    if (leg->delivery.key_change && !failed && all_accepted(leg->delivery)) return key_kept(leg);
    const bool used = failed && refusal == sts::Refusal::used;
    const std::string result = used ? "before" : failed ? word_of(outcome.status) : "remote";
    store(
        leg,
        [leg, place, result, taken = used || !failed, now = ports_.now()](database::Connection& connection) {
            Deliveries deliveries{connection};
            taken ? took(deliveries, leg->delivery, place, result, now)
                  : deliveries.refused(leg->delivery.sale, place, result, now);
        },
        [this, leg] {
            if (lives(DeliveryStep::stored)) leave(leg);
        });
}

/// A meter that took a section and cannot read a section of the same set any more has the new key. Nothing
/// less says so: it forgets sections after ten minutes, and in a power cut, and says of each only that it is
/// good.
void DeliveryWork::key_changed(const LegPtr& leg) {
    store(
        leg,
        [leg, now = ports_.now()](database::Connection& connection) {
            for (const auto& token : leg->delivery.tokens)
                Deliveries{connection}.took(leg->delivery.sale, token.place,
                                            token.result.empty() ? "remote" : token.result, now);
        },
        [this, leg] {
            if (lives(DeliveryStep::stored)) leave(leg);
        });
}

/// The first section was taken again after the last: the meter had forgotten some, and all of them are
/// entered anew.
void DeliveryWork::key_kept(const LegPtr& leg) {
    const auto& first = leg->delivery.tokens.front();
    store(
        leg,
        [leg, first, now = ports_.now()](database::Connection& connection) {
            Deliveries{connection}.accepted(leg->delivery.sale, first.place, first.result, now);
        },
        [this, leg] {
            // Slower each time, and always well within the ten minutes for which a meter keeps its sections.
            postpone(leg, "key_not_changed", settings_.again * std::min(leg->delivery.attempts + 1, 15));
        });
}

void DeliveryWork::see(const LegPtr& leg) {
    ports_.tokens.balance(
        leg->delivery.meter, *leg->model,
        guarded([this, leg](const std::string& fault, const std::optional<database::MeterBalance>& balance) {
            if (!balance) return postpone(leg, fault);
            const auto sale = leg->delivery.sale;
            store(
                leg,
                [sale, balance](database::Connection& connection) {
                    Deliveries{connection}.saw(sale, *balance);
                },
                [this, leg, balance] {
                    if (!lives(DeliveryStep::balance_seen)) return;
                    ports_.relay.look(leg->delivery.meter,
                                      guarded([this, leg, balance](const std::string& trouble,
                                                                   const std::optional<RelayState>& state) {
                                          if (!state) return postpone(leg, trouble);
                                          if (lives(DeliveryStep::breaker_seen))
                                              decide(leg, *balance, *state);
                                      }));
                    ports_.pump();
                });
        }));
}

void DeliveryWork::decide(const LegPtr& leg, const database::MeterBalance& balance, const RelayState& state) {
    const std::string relay{to_string(state)};
    if (state.connected) return finish(leg, "", relay);
    if (state.control == ControlState::ready_for_reconnection) return finish(leg, "press_button", relay);
    if (balance.amount <= 0) return finish(leg, "no_credit", relay);
    if (leg->model->reconnection == Reconnection::by_command) return command(leg, state);
    if (ports_.now() < leg->delivery.taken.value_or(Instant{}) + settings_.settles)
        return postpone(leg, "still_off", settings_.soon);
    finish(leg, "still_off", relay);
}

/// The breaker waits for a command. It is not sent to a mode that we do not know, against a voltage from
/// elsewhere, to a customer who was not told that supply comes back, or against somebody's order.
void DeliveryWork::command(const LegPtr& leg, const RelayState& state) {
    if (state.mode == ControlMode::none || leg->delivery.orders >= settings_.orders_max)
        return finish(leg, "still_off", std::string{to_string(state)});
    const bool direct = cosem::disconnect_control::reconnects_directly(state.mode);
    if (direct && !leg->delivery.confirmed) return postpone(leg, "not_confirmed", settings_.again);
    ports_.tokens.load_side(
        leg->delivery.meter, *leg->model,
        guarded([this, leg](const std::string& fault, const std::optional<std::int64_t>& voltage) {
            if (!voltage) return postpone(leg, fault);
            if (*voltage > settings_.load_side_max)
                return postpone(leg, "voltage_behind", settings_.again_max);
            order(leg);
        }));
    ports_.pump();
}

void DeliveryWork::order(const LegPtr& leg) {
    const auto now = ports_.now();
    const auto sale = std::to_string(leg->delivery.sale.value);
    database::Job job;
    job.scope = database::Scope::of(leg->delivery.tenant);
    job.kind = "relay";
    job.title = "Reconnect after sale " + sale;
    job.parameters = RelayOrder{RelayVerb::reconnect, true}.to_json();
    job.requested_by = "vending";
    job.reason = "sale " + sale;
    job.priority = priority_after_sale;
    job.created = now;
    job.deadline = leg->delivery.deadline;
    ports_.queue.run(
        [job, leg, now](database::Connection& connection) {
            database::Transaction transaction{connection};
            Deliveries deliveries{connection};
            const auto& delivery = leg->delivery;
            if (deliveries.cut_off(delivery.meter)) {
                deliveries.finish(delivery.sale, "cut_off_by_order", "disconnected", now);
            } else {
                const auto id = database::Jobs{connection}.add(job, {to_string(delivery.meter)});
                if (!deliveries.reconnecting(delivery.sale, id))
                    return false;  // somebody else's: nothing is kept
                deliveries.postpone(delivery.sale, "", now);
            }
            transaction.commit();
            return true;
        },
        guarded([this, leg](std::optional<bool>) {
            if (lives(DeliveryStep::ordered)) leave(leg);
        }));
}

/// What became of the relay job.
void DeliveryWork::follow(const LegPtr& leg) {
    ports_.queue.run(
        [id = leg->delivery.relay_job](database::Connection& connection) {
            auto items = database::Jobs{connection}.items(id.value_or(database::JobId{}), std::nullopt, 1, 1);
            return items.empty() ? std::nullopt : std::optional{items.front()};
        },
        guarded([this, leg](const std::optional<std::optional<database::JobItem>>& item) {
            if (!item) return leave(leg);
            using database::ItemState;
            if (*item && ((*item)->state == ItemState::waiting || (*item)->state == ItemState::working))
                return postpone(leg, "", settings_.soon);
            const auto sale = leg->delivery.sale;
            const bool done = *item && (*item)->state == ItemState::done;
            // Also after its end the meter has the last word.
            store(
                leg, [sale](database::Connection& connection) { Deliveries{connection}.undecided(sale); },
                [this, leg, done, detail = *item ? (*item)->detail : std::string{"no_job"}] {
                    postpone(leg, done ? "" : detail, done ? std::optional{Duration{}} : std::nullopt);
                });
        }));
}

void DeliveryWork::store(const LegPtr& leg, Change change, std::function<void()> then) {
    ports_.queue.execute(
        [change = std::move(change)](database::Connection& connection) {
            database::Transaction transaction{connection};
            change(connection);
            transaction.commit();
        },
        guarded([this, leg, then = std::move(then)](bool ok) {
            if (!ok || !then) return leave(leg);  // not stored: done again when the claim ends
            then();
        }));
}

void DeliveryWork::postpone(const LegPtr& leg, const std::string& detail, std::optional<Duration> pause) {
    Duration wait = settings_.again;
    for (int i = 0; i < leg->delivery.attempts && wait < settings_.again_max; ++i) wait *= 2;
    wait = pause.value_or(std::min(wait, settings_.again_max));
    store(leg,
          [sale = leg->delivery.sale, detail, next = ports_.now() + wait](database::Connection& connection) {
              Deliveries{connection}.postpone(sale, detail, next);
          });
}

void DeliveryWork::finish(const LegPtr& leg, const std::string& detail, const std::string& relay) {
    store(leg,
          [sale = leg->delivery.sale, detail, relay, now = ports_.now()](database::Connection& connection) {
              Deliveries{connection}.finish(sale, detail, relay, now);
          });
}

void DeliveryWork::leave(const LegPtr& leg) { open_.erase(leg->delivery.sale); }

}  // namespace wattmesh::headend::monitor
