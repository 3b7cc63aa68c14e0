#include "headend/monitor/prepayment_round.h"

#include <cstdlib>
#include <map>

#include "headend/database/relay_rules.h"
#include "headend/monitor/relay_job.h"

namespace wattmesh::headend::monitor {
namespace {

using database::PrepaidAccountId;
using database::PrepaymentAccount;
using database::Prepayments;
using prepayment::Act;
using prepayment::Decision;
using prepayment::Situation;
using prepayment::Supply;
constexpr int reconnect_priority = 100;  // ahead of everything that people order
constexpr const char* who = "prepayment";

std::string amount_text(prepayment::Money money) {
    const auto size = std::abs(money.minor);
    const auto cents = std::to_string(size % 100);
    return (money.minor < 0 ? "-" : "") + std::to_string(size / 100) + (cents.size() == 1 ? ".0" : ".") +
           cents;
}

std::string notice_text(const PrepaymentAccount& account, const Situation& situation, int number) {
    const auto balance = amount_text(situation.balance);
    if (number == 1)
        return "First notice for account " + account.number + ": your electricity credit is down to " +
               balance + ". Please pay in soon.";
    const auto hours = std::chrono::duration_cast<std::chrono::hours>(situation.rules.cut_after).count();
    return "Second notice for account " + account.number + ": your electricity credit is " + balance +
           ". Without a payment supply may be cut off " +
           (hours == 0   ? "at any time."
            : hours == 1 ? "after an hour."
                         : "after " + std::to_string(hours) + " hours.");
}

database::Job order_of(const PrepaymentAccount& account, RelayVerb verb, Instant now, Instant deadline) {
    database::Job job;
    job.scope = database::Scope::of(account.tenant);
    job.kind = "relay";
    job.parameters = RelayOrder{verb}.to_json();
    job.requested_by = who;
    job.created = now;
    job.deadline = deadline;
    return job;
}

class Round {
public:
    Round(database::Connection& connection, const PrepaymentSettings& settings, Instant now,
          const PrepaymentReached& reached)
        : connection_(connection),
          prepayments_(connection),
          settings_(settings),
          now_(now),
          reached_(reached) {}

    PrepaymentRound work() {
        for (const auto id : prepayments_.due_to_charge(now_, settings_.at_once))
            done_.charged += charge_account(connection_, id, now_, reached_) ? 1 : 0;
        std::map<TenantId, std::vector<PrepaidAccountId>> cuts;
        for (const auto id : prepayments_.due_to_decide(now_, settings_.at_once))
            if (const auto tenant = decide(id)) cuts[*tenant].push_back(id);
        for (const auto& [tenant, accounts] : cuts) cut(tenant, accounts);
        return done_;
    }

private:
    void at(PrepaymentStep step) const {
        if (reached_) reached_(step);
    }

    /// The account's utility when it is to be cut off.
    std::optional<TenantId> decide(PrepaidAccountId id) {
        database::Transaction transaction{connection_};
        const auto account = prepayments_.hold(id, now_);
        if (!account) return std::nullopt;
        if (account->job && !follow(*account)) {
            transaction.commit();
            return std::nullopt;
        }
        const auto situation = prepayments_.situation(*account, now_, prepayments_.wh_max(*account));
        const auto decision = prepayment::decide(situation);
        if (decision.first_over) prepayments_.notices_over(id, 1, now_);
        if (decision.second_over) prepayments_.notices_over(id, 2, now_);
        prepayments_.decided(id, decision.act == Act::cut ? "due" : decision.why, next_look(decision));
        carry_out(*account, situation, decision);
        transaction.commit();
        at(PrepaymentStep::decided);
        return decision.act == Act::cut ? std::optional{account->tenant} : std::nullopt;
    }

    Instant next_look(const Decision& decision) const {
        return now_ + (decision.act == Act::reconnect ? settings_.soon : settings_.look_every);
    }

    void carry_out(const PrepaymentAccount& account, const Situation& situation, const Decision& decision) {
        if (decision.act == Act::first_notice || decision.act == Act::second_notice) {
            const int number = decision.act == Act::first_notice ? 1 : 2;
            const bool fresh =
                prepayments_.notify(account, number, notice_text(account, situation, number), now_);
            done_.notices += fresh ? 1 : 0;
            at(PrepaymentStep::noticed);
        } else if (decision.act == Act::reconnect) {
            if (const auto no = database::RelayRules{connection_}.refusal(account.device, false))
                return prepayments_.decided(account.id, *no, now_ + settings_.look_every);
            auto job = order_of(account, RelayVerb::reconnect, now_, now_ + settings_.reconnects_within);
            job.title = "Reconnect account " + account.number;
            job.reason = situation.enrolled ? "account " + account.number + " has credit again"
                                            : "account " + account.number + " left prepayment";
            job.priority = reconnect_priority;
            order(job, {account});
            ++done_.reconnects;
        }
    }

    /// What became of the account's job. False while it is at work, and for a while after it failed.
    bool follow(const PrepaymentAccount& account) {
        using database::ItemState;
        const auto item = prepayments_.outcome(account);
        const bool cutting = account.supply == Supply::cutting;
        if (item && (item->state == ItemState::waiting || item->state == ItemState::working)) {
            prepayments_.decided(account.id, to_string(account.supply), now_ + settings_.soon);
            return false;
        }
        const bool done = item && item->state == ItemState::done;
        prepayments_.set_supply(account.id, cutting == done ? Supply::off : Supply::on, {}, now_);
        // Who was connected again gets two notices before the next time.
        if (done && !cutting) prepayments_.notices_over(account.id, 1, now_);
        if (!done)
            prepayments_.decided(account.id, item ? item->detail : "no_job",
                                 now_ + (cutting ? settings_.again : settings_.look_every));
        return done;
    }

    /// What is to be cut off now, as one order: decided again, since a payment may have come.
    void cut(TenantId tenant, const std::vector<PrepaidAccountId>& ids) {
        database::Transaction transaction{connection_};
        std::vector<PrepaymentAccount> accounts;
        std::optional<Instant> until;
        for (const auto id : ids) {
            const auto account = prepayments_.hold(id, now_);
            if (!account) continue;
            const auto situation = prepayments_.situation(*account, now_, prepayments_.wh_max(*account));
            if (prepayment::decide(situation).act != Act::cut) continue;
            if (const auto no = database::RelayRules{connection_}.refusal(account->device, true)) {
                prepayments_.decided(id, *no, now_ + settings_.again);
                continue;
            }
            const auto end = prepayment::open_until(situation).value();
            until = until ? std::min(*until, end) : end;
            accounts.push_back(*account);
        }
        if (accounts.empty()) return transaction.commit();
        auto job = order_of(accounts.front(), RelayVerb::disconnect, now_, *until);
        job.title = accounts.size() == 1 ? "Disconnect account " + accounts.front().number
                                         : "Disconnect " + std::to_string(accounts.size()) + " accounts";
        job.reason = "credit used up, two notices given";
        const int today = prepayments_.cuts_since(tenant, now_ - std::chrono::hours{24});
        if (today + static_cast<int>(accounts.size()) > settings_.second_person_above)
            job.state = database::JobState::proposed;
        order(job, accounts);
        transaction.commit();
        done_.cuts += static_cast<int>(accounts.size());
        at(PrepaymentStep::committed);
    }

    void order(const database::Job& job, const std::vector<PrepaymentAccount>& accounts) {
        std::vector<std::string> subjects;
        for (const auto& account : accounts) subjects.push_back(to_string(account.device));
        const auto id = database::Jobs{connection_}.add(job, subjects);
        const bool cuts = job.priority != reconnect_priority;
        for (const auto& account : accounts) {
            prepayments_.set_supply(account.id, cuts ? Supply::cutting : Supply::reconnecting, id, now_);
            prepayments_.decided(account.id, cuts ? "cutting" : "reconnecting", now_ + settings_.soon);
        }
        database::AuditRecord record{now_, who, "job relay", "job " + std::to_string(id.value)};
        record.detail = job.title;
        if (job.state == database::JobState::proposed) record.detail += ", waits for a second person";
        record.reason = job.reason;
        record.after = job.parameters;
        record.tenant = accounts.front().tenant;
        database::AuditLog{connection_}.append(record);
        at(PrepaymentStep::ordered);
    }

    database::Connection& connection_;
    Prepayments prepayments_;
    const PrepaymentSettings& settings_;
    Instant now_;
    const PrepaymentReached& reached_;
    PrepaymentRound done_;
};

}  // namespace

PrepaymentRound prepayment_round(database::Connection& connection, const PrepaymentSettings& settings,
                                 Instant now, const PrepaymentReached& reached) {
    return Round{connection, settings, now, reached}.work();
}

std::optional<std::string> prepayment_objection(database::Connection& connection, const database::Job& job,
                                                DeviceNumber meter, Instant now) {
    if (job.requested_by != who) return std::nullopt;
    if (RelayOrder::from_json(job.parameters).verb != RelayVerb::disconnect) return std::nullopt;
    Prepayments prepayments{connection};
    const auto account = prepayments.of_meter(meter, now);
    if (!account) return "left";
    const auto why =
        prepayment::objection(prepayments.situation(*account, now, prepayments.wh_max(*account)));
    if (!why) return std::nullopt;
    return std::string{*why};
}

}  // namespace wattmesh::headend::monitor
