#include "headend/exchange/webhook_sender.h"

#include <fmt/format.h>

#include "headend/exchange/cim_answer.h"
#include "headend/exchange/cim_push.h"
#include "headend/exchange/cloud_event.h"
#include "security/webhook_signature.h"

namespace wattmesh::headend::exchange {
namespace {

using namespace database;
constexpr Duration hold = std::chrono::seconds{60};  ///< a lane; longer than a request may take
constexpr int page_size = 1'000, again_max = 50;
/// Messages of others are worth no write each; what a lane shows of itself is seldom older.
constexpr std::int64_t pass_over_max = 1'000;
constexpr std::chrono::seconds pass_over_every{2};

std::string list_of(const std::vector<std::string>& events) {
    std::string body = "[";
    for (const auto& event : events) body += (body.size() > 1 ? "," : "") + event;
    return body + "]";
}

}  // namespace

WebhookSender::WebhookSender(Target target, const WebhookCourierSettings& settings,
                             const platform::Clock& clock, Random& random, const WebhookCourier::Log& log)
    : target_(std::move(target)),
      settings_(settings),
      clock_(clock),
      random_(random),
      log_(log),
      client_(target_.url, settings.http) {}

Duration WebhookSender::simulated(Duration real) const {
    return Duration{static_cast<Duration::rep>(static_cast<double>(real.count()) * settings_.speed)};
}

std::string WebhookSender::single_type() const {
    return target_.webhook.cim ? content_type(CimWrapping::plain) : cloud_event_type;
}

WebhookAnswer WebhookSender::post(const std::string& id, const std::string& type, const std::string& body) {
    const auto seconds = epoch_us(clock_.now()) / 1'000'000;
    const auto signature = security::webhook_signature(target_.secret.reveal(), id, seconds, body);
    try {
        auto answer = client_.post({{"User-Agent", "Wattmesh"},
                                    {"webhook-id", id},
                                    {"webhook-timestamp", std::to_string(seconds)},
                                    {"webhook-signature", signature}},
                                   type, body);
        WebhookAnswer out{answer.status, answer.retry_after, {}};
        if (answer.status < 200 || answer.status >= 300)
            out.error = fmt::format("it answered {}", answer.status);
        return out;
    } catch (const std::runtime_error& error) {
        return {0, {}, error.what()};
    }
}

std::optional<WebhookAnswer> WebhookSender::send_again(Connection& connection) {
    Webhooks webhooks{connection};
    for (auto& message : webhooks.again(target_.webhook.id, again_max)) {
        auto answer =
            target_.webhook.batch > 1
                ? post(fmt::format("{0}-{0}", message.message), cloud_events_type, list_of({message.body}))
                : post(std::to_string(message.message), single_type(), message.body);
        const bool delivered = answer.status >= 200 && answer.status < 300;
        if (!delivered && !refuses_message(answer.status)) return answer;
        message.dead = !delivered;
        ++message.attempts;
        message.status = answer.status;
        message.at = clock_.now();
        webhooks.sent_again(target_.webhook.id, message);
    }
    return std::nullopt;
}

std::vector<std::string> WebhookSender::write(Connection& connection, std::span<const OutboxMessage> page,
                                              std::string& why) {
    std::vector<std::string> events;
    for (const auto& message : page) try {
            events.push_back(target_.webhook.cim ? cim_push(connection, target_.webhook.contract, message)
                                                 : cloud_event(message, target_.webhook.contract.tenant));
        } catch (const std::exception& error) {
            why = error.what();
            break;
        }
    return events;
}

WebhookVerdict WebhookSender::settled(Connection& connection, WebhookLane& lane, const WebhookAnswer& answer,
                                      std::int64_t position) {
    const auto before = lane;
    const auto now = clock_.now();
    const auto verdict = settle(lane, answer, position, now, settings_.speed, random_);
    if (verdict == WebhookVerdict::gone) ends_ = "the partner answered 410: it wants no more";
    const bool refused = refuses_message(answer.status) && before.attempts + 1 >= refusals_max;
    if (verdict != WebhookVerdict::dead || refused ||
        Webhooks{connection}.delivered_since(target_.webhook.id, before.failing_since.value_or(now)))
        return verdict;
    // It is not this message, but everything: whoever comes back finds it waiting.
    lane = before;
    lane.last_status = answer.status;
    lane.last_error = answer.error;
    ends_ = "nothing was taken for a week: " + answer.error;
    return WebhookVerdict::gone;
}

bool WebhookSender::send_next(Connection& connection, WebhookLane& lane,
                              const std::vector<OutboxMessage>& page, std::size_t& next,
                              std::vector<WebhookMessage>& sent) {
    auto size =
        std::min(page.size() - next, static_cast<std::size_t>(request_size(lane, target_.webhook.batch)));
    std::string why;
    auto events = write(connection, std::span{page}.subspan(next, size), why);
    // What cannot be written waits like what is not taken; what is before it goes.
    size = std::max<std::size_t>(events.size(), 1);
    const auto &first = page[next], &last = page[next + size - 1];
    // Who asked for batches always gets lists.
    const bool batch = target_.webhook.batch > 1;
    const auto answer =
        events.empty() ? WebhookAnswer{0, {}, "it cannot be written: " + why}
        : batch        ? post(fmt::format("{}-{}", first.id, last.id), cloud_events_type, list_of(events))
                       : post(std::to_string(first.id), single_type(), events.front());
    events.resize(size);
    const int attempts = lane.attempts + 1;
    const auto verdict = settled(connection, lane, answer, last.position);
    const auto name = target_.webhook.contract.name + "/" + target_.webhook.name;
    if (verdict == WebhookVerdict::again || verdict == WebhookVerdict::gone) {
        if (!std::exchange(failing_, true))
            log_("warning", fmt::format("webhook={} lane={} waits: {}", name, lane.lane, answer.error));
        return false;
    }
    if (std::exchange(failing_, false))
        log_("information", fmt::format("webhook={} lane={} goes on", name, lane.lane));
    const bool dead = verdict == WebhookVerdict::dead;
    if (dead)
        log_("warning", fmt::format("webhook={} message={} was given up after {} tries: {}", name, first.id,
                                    attempts, answer.error));
    for (std::size_t i = 0; i < size; ++i)
        sent.push_back({page[next + i].position, page[next + i].id, dead, attempts, answer.status,
                        clock_.now(), std::move(events[i])});
    next += size;
    return true;
}

bool WebhookSender::round(Connection& connection, const std::function<bool()>& over) {
    Webhooks webhooks{connection};
    if (!ends_.empty()) {  // until the courier has seen it
        webhooks.disable(target_.webhook.id, ends_);
        return false;
    }
    const auto now = clock_.now();
    auto lane = webhooks.claim(target_.webhook.id, target_.lane, settings_.owner, now, now + simulated(hold));
    if (!lane) return false;
    if (lane->next > now) return false;
    if (target_.lane == 0)
        if (const auto failed = send_again(connection)) {
            settle(*lane, *failed, lane->position, now, settings_.speed, random_);
            webhooks.store(*lane, settings_.owner, {});
            return false;
        }
    const auto page = Outbox{connection}.after(target_.webhook.contract, target_.webhook.topics,
                                               {Webhook::lanes, target_.lane}, lane->position, page_size);
    std::vector<WebhookMessage> sent;
    std::size_t next = 0;
    bool going = true;
    while (going && next < page.messages.size() && !over() && clock_.now() < now + simulated(hold) / 2)
        going = send_next(connection, *lane, page.messages, next, sent);
    const bool whole = next == page.messages.size();
    const auto others = page.messages.empty() ? page.position - lane->position : pass_over_max;
    // What the lane has no part in is behind it, too.
    if (whole) lane->position = page.position;
    const auto real = std::chrono::steady_clock::now();
    if (others >= pass_over_max || (others > 0 && real - stored_ >= pass_over_every)) {
        if (!webhooks.store(*lane, settings_.owner, sent)) return false;
        stored_ = real;
    }
    if (!ends_.empty()) {
        webhooks.disable(target_.webhook.id, ends_);
        log_("warning", "webhook=" + target_.webhook.contract.name + "/" + target_.webhook.name +
                            " was disabled: " + ends_ + " (headend partner webhook)");
    }
    return going && !page.messages.empty();
}

}  // namespace wattmesh::headend::exchange
