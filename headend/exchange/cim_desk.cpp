// Messages of IEC 61968-9 in the envelope of IEC 61968-100: each is taken once, recorded with its answer,
// and answered from the record when it comes again.
#include <algorithm>
#include <functional>

#include "headend/database/cim_messages.h"
#include "headend/exchange/cim_controls.h"
#include "headend/exchange/cim_readings.h"
#include "headend/exchange/partner_orders.h"
#include "security/ciphers.h"

namespace wattmesh::headend::exchange {
namespace {

using console::Answer;
using namespace database;
constexpr std::size_t message_size_max = std::size_t{2} << 20;

/// Everything about one message while it is answered.
struct Taken {
    RestDesk& desk;
    const RestCall& call;
    const CimMessage& message;

    CimResponse response() const {
        std::array<std::uint8_t, 16> chance{};
        desk.random.fill(chance);
        return {.stamp = {uuid_of(chance), message.header.correlation, desk.now()},
                .noun = message.header.noun};
    }
    CimRequest record() const {
        const auto digest = security::sha256(as_bytes(call.request.body));
        return {.id = {},
                .contract = call.contract.id,
                .message_id = message.header.message_id,
                .correlation = message.header.correlation,
                .client = call.client,
                .digest = {digest.begin(), digest.end()},
                .body = call.request.body,
                .received = desk.now()};
    }
    void demand_allowance(const char* what) const {
        if (!call.contract.allows(what))
            throw CimProblem{reply_code::not_authorised,
                             "The contract '" + call.contract.name + "' does not allow '" + what +
                                 "'. The utility can add it: headend partner set " + call.contract.name +
                                 " --allow ..."};
    }
    /// Where the reply goes, when one is wanted. Throws CimProblem.
    std::optional<std::string> reply_to() const {
        if (!message.header.async) return std::nullopt;
        const auto& address = message.header.reply_address;
        if (address.empty())
            throw CimProblem{"1.5", "AsyncReplyFlag needs a ReplyAddress.", "/Header/ReplyAddress"};
        const auto connection = desk.tables.lease();
        const auto allowed = CimDialects{*connection}.of(call.contract.id).reply_to;
        if (std::find(allowed.begin(), allowed.end(), address) == allowed.end())
            throw CimProblem{reply_code::not_authorised,
                             "'" + address +
                                 "' is no reply address of the contract. The utility can add it: "
                                 "headend partner cim " +
                                 call.contract.name + " --reply-to ...",
                             "/Header/ReplyAddress"};
        return address;
    }
};

CimResponse acknowledged(const Taken& taken, std::string reason) {
    auto response = taken.response();
    response.errors.push_back({.code = reply_code::acknowledged, .reason = std::move(reason)});
    return response;
}

CimResponse refused(const Taken& taken, const CimProblem& problem) {
    auto response = taken.response();
    response.result = CimResult::failed;
    response.errors.push_back({.code = problem.code, .reason = problem.reason, .xpath = problem.xpath});
    return response;
}

/// What a message leads to: the answer, where the reply goes if one follows, and what it orders.
struct Outcome {
    CimResponse response;
    std::optional<std::string> reply_to{};
    std::vector<CimLine> lines{};
    std::vector<AuditRecord> records{};
    /// In the transaction that stores the message. What needs connections of its own was done before.
    std::function<void(Connection&, Outcome&)> order{};
};

Outcome stored_outcome(const Taken& taken, const CimReadingsAsked& asked) {
    auto wanted = want_readings(taken.desk, taken.call.contract, asked);
    const auto reply_to = taken.reply_to();
    if (wanted.meters.empty() || (wanted.banks.empty() && !wanted.errors.empty())) {
        auto response = taken.response();
        response.result = CimResult::failed;
        response.errors = std::move(wanted.errors);
        return {.response = std::move(response)};
    }
    if (reply_to) return {.response = acknowledged(taken, "The reply follows."), .reply_to = reply_to};
    auto page = stored_readings(taken.desk, taken.call.contract, wanted, {});
    if (!page.next.empty())
        throw CimProblem{reply_code::too_many,
                         "That is more than " + std::to_string(cim_readings_max) +
                             " readings. Ask for less, with AsyncReplyFlag, or at GET /partner/v1/readings "
                             "with Accept: application/xml."};
    auto response = taken.response();
    response.payload = std::move(page.payload);
    if (page.readings == 0)
        wanted.errors.push_back(
            {.code = reply_code::no_data, .warning = true, .reason = "There are no readings of that time."});
    if (!wanted.errors.empty()) response.result = CimResult::partial;
    response.errors = std::move(wanted.errors);
    return {.response = std::move(response)};
}

/// Reading meters now takes a job, and so an asynchronous reply.
Outcome read_now_outcome(const Taken& taken, const CimReadingsAsked& asked) {
    taken.demand_allowance("read");
    const auto reply_to = taken.reply_to();
    if (!reply_to)
        throw CimProblem{reply_code::missing,
                         "Without a TimeSchedule the meters are asked now: set AsyncReplyFlag and "
                         "ReplyAddress, or give TimeSchedule/scheduleInterval for what is stored."};
    const auto code = want_register(taken.desk, taken.call.contract, asked);
    const auto wanted = want_readings(taken.desk, taken.call.contract, asked);
    if (wanted.meters.empty()) {
        auto response = taken.response();
        response.result = CimResult::failed;
        response.errors = wanted.errors;
        return {.response = std::move(response)};
    }
    Outcome outcome{.response = acknowledged(taken, "The meters are asked; the reply follows."),
                    .reply_to = reply_to};
    if (!wanted.errors.empty()) outcome.response.result = CimResult::partial;
    auto& errors = outcome.response.errors;
    errors.insert(errors.end(), wanted.errors.begin(), wanted.errors.end());
    outcome.order = [&taken, wanted, code](Connection& connection, Outcome& ordered) {
        std::vector<std::string> subjects;
        subjects.reserve(wanted.meters.size());
        for (const auto& meter : wanted.meters) subjects.push_back(to_string(meter));
        const auto name = "message " + taken.message.header.message_id;
        auto order = new_order(taken.desk, taken.call, name, subjects);
        read_order(order, code);
        auto [job, record] = store_order(connection, taken.desk, taken.call, order, name);
        ordered.records.push_back(std::move(record));
        for (int place = 1; const auto& subject : subjects)
            ordered.lines.push_back({.name = subject,
                                     .device = subject,
                                     .command = "read",
                                     .job = job,
                                     .place = place++,
                                     .code = {},
                                     .reason = {}});
        for (const auto& error : wanted.errors)
            ordered.lines.push_back({.name = error.object,
                                     .device = error.object,
                                     .command = "read",
                                     .code = error.code,
                                     .reason = error.reason});
        ordered.response.ids.push_back(std::to_string(job.value));
    };
    return outcome;
}

void answer_lines(CimResponse& response, const CimOrdered& ordered) {
    std::size_t bad = 0;
    if (!ordered.jobs.empty())
        response.errors.push_back({.code = reply_code::acknowledged,
                                   .reason = ordered.proposed
                                                 ? "Taken; a second person at the utility has to approve it."
                                                 : "Taken; what becomes of each device follows."});
    for (const auto& line : ordered.lines) {
        if (line.job) continue;
        const auto at_once = outcome_of(line);
        if (!at_once.good) ++bad;
        response.errors.push_back({.code = at_once.code,
                                   .warning = at_once.good,
                                   .reason = at_once.words,
                                   .details = "device " + line.device,
                                   .object = line.name});
    }
    if (bad > 0) response.result = bad == ordered.lines.size() ? CimResult::failed : CimResult::partial;
    for (const auto& job : ordered.jobs) response.ids.push_back(std::to_string(job.value));
}

Outcome control_outcome(const Taken& taken) {
    auto reply_to = taken.reply_to();
    Outcome outcome{.response = taken.response()};
    outcome.order = [&taken, reply_to, lines = read_end_device_controls(taken.message)](
                        Connection& connection, Outcome& done) {
        auto ordered = order_controls(connection, taken.desk, taken.call, lines, taken.message.header);
        answer_lines(done.response, ordered);
        if (!ordered.jobs.empty()) done.reply_to = reply_to;
        done.lines = std::move(ordered.lines);
        done.records = std::move(ordered.records);
    };
    return outcome;
}

Outcome outcome_of_message(const Taken& taken) {
    const auto& [verb, noun] = std::pair{taken.message.header.verb, taken.message.header.noun};
    const bool readings = noun == "MeterReadings", controls = noun == "EndDeviceControls";
    if (!readings && !controls)
        throw CimProblem{reply_code::unknown_noun,
                         "'" + noun +
                             "' is no noun that we take: there are MeterReadings and "
                             "EndDeviceControls.",
                         "/Header/Noun"};
    if (verb != (readings ? "get" : "create"))
        throw CimProblem{reply_code::unknown_verb,
                         "'" + verb + " " + noun +
                             "' is not taken, but get MeterReadings and create "
                             "EndDeviceControls.",
                         "/Header/Verb"};
    if (controls) return control_outcome(taken);
    const auto asked = read_get_meter_readings(taken.message);
    if (!asked.from) return read_now_outcome(taken, asked);
    taken.demand_allowance("readings");
    return stored_outcome(taken, asked);
}

Answer answer_with(const std::string& body, CimWrapping wrapping) {
    return {.body = body, .type = content_type(wrapping)};
}

std::optional<Answer> answer_from_record(CimMessages& messages, const Taken& taken, Bytes digest) {
    const auto found = messages.find(taken.call.contract.id, taken.message.header.message_id);
    if (!found) return std::nullopt;
    const auto wrapping = taken.message.wrapping;
    if (std::equal(found->digest.begin(), found->digest.end(), digest.begin(), digest.end()))
        return answer_with(found->answer, wrapping);
    return answer_with(
        write_response(refused(taken, {reply_code::bad_id,
                                       "The MessageID '" + taken.message.header.message_id +
                                           "' belongs to another message. Take a new one for each.",
                                       "/Header/MessageID"}),
                       wrapping),
        wrapping);
}

Answer answer_message(const Taken& taken) {
    auto record = taken.record();
    const auto from_record = [&](Connection& connection) {
        CimMessages messages{connection};
        return answer_from_record(messages, taken, record.digest);
    };
    {
        const auto connection = taken.desk.tables.lease();
        if (auto known = from_record(*connection)) return std::move(*known);
    }
    auto outcome = [&]() -> Outcome {
        try {
            return outcome_of_message(taken);
        } catch (const CimProblem& problem) {
            return {.response = refused(taken, problem)};
        }
    }();
    const auto connection = taken.desk.tables.lease();
    Transaction transaction{*connection};
    if (outcome.order) outcome.order(*connection, outcome);
    record.reply_to = outcome.reply_to;
    CimMessages messages{*connection};
    const auto id = messages.take(record);
    if (!id)  // it came twice at once, and the other one was faster: what was ordered here is rolled back
        return from_record(*connection).value();
    messages.add(*id, outcome.lines);
    const auto body = write_response(outcome.response, taken.message.wrapping);
    messages.answer(*id, body);
    for (const auto& one : outcome.records) AuditLog{*connection}.append(one);
    transaction.commit();
    return answer_with(body, taken.message.wrapping);
}

RestAnswer take_message(RestDesk& desk, const RestCall& call) {
    auto wrapping = CimWrapping::plain;  // an answer has the wrapping of its question
    const auto fault = [&](int status, const std::string& code, const std::string& reason,
                           const std::string& xpath = {}) {
        auto answer =
            answer_with(write_fault({.code = code, .reason = reason, .xpath = xpath}, wrapping), wrapping);
        answer.status = status;
        return answer;
    };
    try {
        auto unwrapped = unwrap_cim(call.request.body);
        wrapping = unwrapped.wrapping;
        const auto message = read_cim(std::move(unwrapped));
        return answer_message({desk, call, message});
    } catch (const platform::XmlError& error) {
        return fault(error.kind() == platform::XmlError::Kind::too_large ? 413 : 400, "1.8",
                     std::string{"This is no XML that we take: "} + error.what() + ".");
    } catch (const CimProblem& problem) {
        return fault(400, problem.code, problem.reason, problem.xpath);
    }
}

}  // namespace

void add_cim_routes(std::vector<RestRoute>& routes) {
    routes.push_back({.method = "POST",
                      .pattern = "/partner/cim",
                      .needs = "",  // which of them, the message says
                      .handle = take_message,
                      .xml = true,
                      .body_size_max = message_size_max});
}

}  // namespace wattmesh::headend::exchange
