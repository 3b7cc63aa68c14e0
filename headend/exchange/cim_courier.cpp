#include "headend/exchange/cim_courier.h"

#include <algorithm>

#include "headend/exchange/cim_controls.h"
#include "headend/exchange/cim_readings.h"
#include "headend/exchange/webhook_policy.h"

namespace wattmesh::headend::exchange {
namespace {

using namespace database;
constexpr Duration in_hand = std::chrono::seconds{60};  ///< longer than a request may take
constexpr int messages_at_once = 20;
constexpr std::size_t events_max = 1'000;  ///< in one message
constexpr auto drop_every = std::chrono::hours{1};
constexpr auto stored_soon = std::chrono::seconds{10};

struct Piece {
    std::string body;  ///< empty: nothing to say
    std::string next;  ///< empty: it was the last
    bool later = false;
};

CimStamp stamp_of(RestDesk& desk, const CimRequest& request) {
    std::array<std::uint8_t, 16> chance{};
    desk.random.fill(chance);
    return {uuid_of(chance), request.correlation, desk.now()};
}

/// With the reply code of a page: more follows, that was all, or all that there is.
std::string readings_reply(RestDesk& desk, const CimRequest& request, std::string payload, bool more,
                           std::vector<CimError> errors) {
    CimResponse response{.stamp = stamp_of(desk, request), .noun = "MeterReadings"};
    const bool partial = !more && !errors.empty();
    response.result = more || partial ? CimResult::partial : CimResult::ok;
    response.errors.push_back({.code = more      ? reply_code::partial_more
                                       : partial ? reply_code::partial_end
                                                 : reply_code::none,
                               .reason = more      ? "More follows in other messages."
                                         : partial ? "Nothing more follows; what is missing, the errors say."
                                                   : "That was all."});
    if (!more) response.errors.insert(response.errors.end(), errors.begin(), errors.end());
    response.payload = std::move(payload);
    return write_response(response, CimWrapping::plain);
}

Piece stored_piece(RestDesk& desk, const Contract& contract, const CimRequest& request,
                   const CimReadingsAsked& asked) {
    auto wanted = want_readings(desk, contract, asked);
    auto page =
        wanted.meters.empty() ? CimReadingsPage{} : stored_readings(desk, contract, wanted, request.place);
    const bool more = !page.next.empty();
    if (page.readings == 0 && request.place.empty())
        wanted.errors.push_back(
            {.code = reply_code::no_data, .warning = true, .reason = "There are no readings of that time."});
    return {.body = readings_reply(desk, request, std::move(page.payload), more, std::move(wanted.errors)),
            .next = page.next};
}

Piece read_now_piece(RestDesk& desk, const Contract& contract, const CimRequest& request,
                     const CimReadingsAsked& asked, const std::vector<CimLine>& lines) {
    const auto code = want_register(desk, contract, asked);
    const auto form = cim_form(desk, contract, request.received, desk.now());
    std::vector<CimReadNow> read;
    std::vector<CimError> errors;
    const auto views = desk.seen(contract);
    for (const auto& line : lines) {
        const auto outcome = outcome_of(line);
        const auto meter = DeviceNumber::parse(line.device);
        const auto value = outcome.good && meter
                               ? PartnerReadings{*views}.on_demand(*meter, code, request.received)
                               : std::nullopt;
        if (value)
            read.push_back({*meter, *value});
        else if (!outcome.good)
            errors.push_back({.code = outcome.code, .reason = outcome.words, .object = line.device});
        else if (line.finished && desk.now() - *line.finished < desk.simulated(stored_soon))
            return {.body = {}, .next = {}, .later = true};  // the value is being stored
        else
            errors.push_back({.code = reply_code::no_data,
                              .reason = "The meter answered '" + outcome.words + "', which is no number.",
                              .object = line.device});
    }
    return {.body = readings_reply(desk, request, write_read_now(read, code, form), false, std::move(errors)),
            .next = {}};
}

Piece control_piece(RestDesk& desk, const Contract& contract, const CimRequest& request,
                    const std::vector<CimLine>& lines) {
    const auto first = request.place.empty() ? 0 : static_cast<std::size_t>(std::stoul(request.place));
    const auto last = std::min(lines.size(), first + events_max);
    const std::vector<CimLine> some(lines.begin() + static_cast<std::ptrdiff_t>(first),
                                    lines.begin() + static_cast<std::ptrdiff_t>(last));
    return {.body = write_event_message(stamp_of(desk, request), "created", "EndDeviceEvents",
                                        write_outcomes(desk, contract, some)),
            .next = last < lines.size() ? std::to_string(last) : ""};
}

Piece next_piece(RestDesk& desk, const CimRequest& request) {
    const auto contract = [&] {
        const auto connection = desk.tables.lease();
        return Contracts{*connection}.find(request.contract);
    }();
    if (!contract || contract->disabled) return {};
    const auto message = read_cim(unwrap_cim(request.body));  // it was taken, so it can be read
    const auto lines = [&] {
        const auto connection = desk.tables.lease();
        return CimMessages{*connection}.lines(request.id);
    }();
    if (message.header.noun != "MeterReadings") return control_piece(desk, *contract, request, lines);
    const auto asked = read_get_meter_readings(message);
    if (!contract->allows(asked.from ? "readings" : "read"))
        throw CimProblem{reply_code::not_authorised, "The contract does not allow this any more."};
    return asked.from ? stored_piece(desk, *contract, request, asked)
                      : read_now_piece(desk, *contract, request, asked, lines);
}

}  // namespace

void CimCourier::write_next(const CimRequest& request) {
    Piece piece;
    const auto end_with = [&](const std::string& code, const std::string& reason) {
        piece.body = readings_reply(desk_, request, {}, false, {{.code = code, .reason = reason}});
    };
    try {
        piece = next_piece(desk_, request);
    } catch (const CimProblem& problem) {  // the dialect was changed since
        end_with(problem.code, problem.reason);
    } catch (const DatabaseError&) {
        throw;
    } catch (const std::exception& error) {
        if (desk_.stopping) return;
        end_with(reply_code::failed,
                 "The reply could not be written. Send the message again under a new id.");
        desk_.log("warning",
                  "exchange: message=" + request.message_id + " ends without its reply: " + error.what());
    }
    if (piece.later) return;
    std::array<std::uint8_t, 16> chance{};
    desk_.random.fill(chance);
    const auto connection = desk_.tables.lease();
    Transaction transaction{*connection};
    CimMessages{*connection}.write(request.id, uuid_of(chance), piece.body, piece.next, piece.next.empty(),
                                   desk_.now());
    transaction.commit();
}

void CimCourier::send(const CimReply& reply) {
    const auto allowed = [&] {
        const auto connection = desk_.tables.lease();
        return CimMessages{*connection}.still_allowed(reply.message, reply.url);
    }();
    const auto url = platform::HttpUrl::parse(reply.url);
    WebhookAnswer answer;
    if (!allowed || !url) {
        answer = {410, {}, "the address is no reply address of the contract any more"};
    } else if (!url->secure && !desk_.settings.plain_replies) {
        answer = {410, {}, "the address is not https (exchange.webhooks.plain)"};
    } else {
        try {
            platform::HttpClient client{*url, desk_.settings.replies};
            const auto said =
                client.post({{"User-Agent", "Wattmesh"}}, content_type(CimWrapping::plain), reply.body);
            answer = {said.status, said.retry_after, {}};
            if (said.status < 200 || said.status >= 300)
                answer.error = "it answered " + std::to_string(said.status);
        } catch (const std::runtime_error& error) {
            answer = {0, {}, error.what()};
        }
    }
    const auto now = desk_.now();
    auto done = reply;
    if (!done.failing_since) done.failing_since = now;
    const auto failing = Duration{static_cast<Duration::rep>(
        static_cast<double>((now - *done.failing_since).count()) / desk_.settings.speed)};
    const auto verdict = judge(answer, reply.attempts + 1, failing);
    const bool delivered = verdict == WebhookVerdict::delivered;
    std::optional<Instant> next;
    if (verdict == WebhookVerdict::again)
        next = now + desk_.simulated(wait_before(reply.attempts + 1, answer.retry_after, desk_.random));
    if (delivered) done.failing_since.reset();
    if (!delivered && reply.attempts == 0)
        desk_.log("warning", "exchange: contract=" + reply.contract + " message=" + reply.message_id +
                                 " its reply to " + (url ? url->place.host : "an unreadable address") +
                                 " waits or is lost: " + answer.error);
    const auto connection = desk_.tables.lease();
    CimMessages{*connection}.sent(done, delivered, next, answer.status, answer.error);
}

void CimCourier::guard(const std::string& what, const std::function<void()>& work) {
    try {
        work();
    } catch (const DatabaseError& error) {
        if (error.trouble() == Trouble::unavailable) throw;  // everybody's
        desk_.log("warning", "exchange: " + what + " waits: " + error.what());
    } catch (const std::exception& error) {
        desk_.log("warning", "exchange: " + what + " waits: " + error.what());
    }
}

bool CimCourier::round() {
    // One at a time: what is in hand waits for nothing else. What failed stays in hand for a minute.
    const auto claimed = [&](auto claim) {
        const auto now = desk_.now();
        const auto connection = desk_.tables.lease();
        CimMessages messages{*connection};
        return claim(messages, now, now + desk_.simulated(in_hand));
    };
    bool any = false;
    for (int i = 0; i < messages_at_once && !desk_.stopping; ++i) {
        const auto due =
            claimed([](auto& messages, auto now, auto until) { return messages.due(now, until, 1); });
        if (due.empty()) break;
        any = true;
        guard("message=" + due[0].message_id, [&] { write_next(due[0]); });
    }
    for (int i = 0; i < messages_at_once && !desk_.stopping; ++i) {
        const auto waiting =
            claimed([](auto& messages, auto now, auto until) { return messages.waiting(now, until, 1); });
        if (waiting.empty()) break;
        any = true;
        guard("reply=" + std::to_string(waiting[0].message.value), [&] { send(waiting[0]); });
    }
    return any;
}

void CimCourier::run() {
    bool complained = false;
    auto dropped = std::chrono::steady_clock::now();
    std::unique_lock lock{mutex_};
    while (!over_) {
        lock.unlock();
        bool more = false;
        try {
            more = round();
            if (std::chrono::steady_clock::now() - dropped >= drop_every) {
                dropped = std::chrono::steady_clock::now();
                const auto connection = desk_.tables.lease();
                CimMessages{*connection}.drop(desk_.now() - desk_.simulated(desk_.settings.keys_kept));
            }
            complained = false;
        } catch (const std::exception& error) {
            if (!std::exchange(complained, true))
                desk_.log("warning", std::string{"exchange: "} + error.what());
        }
        lock.lock();
        if (!more) changed_.wait_for(lock, desk_.settings.replies_every, [&] { return over_; });
    }
}

void CimCourier::start() {
    if (desk_.settings.replies_every.count() > 0 && !thread_.joinable())
        thread_ = std::thread{[this] { run(); }};
}

void CimCourier::stop() {
    {
        const std::lock_guard lock{mutex_};
        over_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

}  // namespace wattmesh::headend::exchange
