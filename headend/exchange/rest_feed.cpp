// The outbox for partners who would rather ask than be told: the same messages as by webhook, in the same
// words.
#include "headend/database/outbox.h"
#include "headend/exchange/cloud_event.h"
#include "headend/exchange/rest_desk.h"

namespace wattmesh::headend::exchange {
namespace {

using console::Answer;
using console::Problem;
constexpr int feed_page = 500, feed_page_max = 5'000;

/// Asking for what comes after a position confirms everything up to it.
RestAnswer feed(RestDesk& desk, const RestCall& call) {
    const auto given = call.request.text("after");
    const auto place = given == "0" ? std::optional<std::int64_t>{0} : console::parse_id(given);
    if (!given.empty() && !place)
        throw Problem{400, "Bad request", "'after' must be the 'next' of the page before, or 0."};
    const int count = call.request.number("limit", feed_page, 1, feed_page_max);
    auto connection = desk.tables.lease();
    database::Outbox outbox{*connection};
    auto after = place;
    if (!after) after = outbox.confirmed(call.contract.id);
    if (!after) after = outbox.dropped();
    if (const auto head = outbox.head(); *after > head)
        throw Problem{400, "Bad request",
                      "'after' is " + given + ", but the feed ends at " + std::to_string(head) + "."};
    outbox.confirm(call.contract.id, *after, desk.now());
    // Looked at after the place was noted: from then on nothing behind it is forgotten.
    if (const auto dropped = outbox.dropped(); *after < dropped)
        throw Problem{410, "Messages are gone",
                      "Messages up to " + std::to_string(dropped) +
                          " are too old and were forgotten. Ask with after=" + std::to_string(dropped) +
                          ", and read meters, readings and events anew for the time before."};
    const auto page = outbox.after(call.contract, call.contract.topics, {}, *after, count);
    std::string body = R"({"items":[)";
    for (const auto& message : page.messages) {
        if (body.back() != '[') body += ',';
        body += cloud_event(message, call.contract.tenant);
    }
    body += R"(],"next":")" + std::to_string(page.position) + R"(","more":)" +
            (static_cast<int>(page.messages.size()) == count ? "true" : "false") + "}";
    return Answer{.body = body};
}

}  // namespace

void add_feed_routes(std::vector<RestRoute>& routes) {
    routes.push_back({"GET", "/partner/v1/feed", "", feed});
}

}  // namespace wattmesh::headend::exchange
