#include "terminal-sim/tool/rest_partner.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <set>
#include <sstream>
#include <stdexcept>

#include "terminal-sim/tool/data_text.h"

namespace wattmesh::sim {
namespace {

using Object = Poco::JSON::Object::Ptr;
using Array = Poco::JSON::Array::Ptr;
constexpr int page_limit = 50;  ///< small, so that there are several
constexpr int tries_max = 5;

platform::HttpUrl at_path(platform::HttpUrl base, const std::string& path) {
    base.path = path;
    return base;
}

Object object_of(const std::string& text) {
    const auto refuse = [&] { return std::runtime_error("this is no JSON object: " + text.substr(0, 200)); };
    try {
        auto object = Poco::JSON::Parser{}.parse(text).extract<Object>();
        if (!object) throw refuse();
        return object;
    } catch (const Poco::Exception&) {
        throw refuse();
    }
}

std::string text_in(const Object& object, const char* name) {
    if (!object->has(name) || !object->get(name).isString())
        throw std::runtime_error(std::string{"'"} + name + "' is missing");
    return object->getValue<std::string>(name);
}

Array array_in(const Object& object, const char* name) {
    auto array = object->getArray(name);
    if (!array) throw std::runtime_error(std::string{"'"} + name + "' is no list");
    return array;
}

/// The cursor of the next page; empty: this was the last.
std::string next_in(const Object& page) {
    return page->isNull("next") ? std::string{} : text_in(page, "next");
}

/// Seconds since 1970 of "2026-03-10T00:15:00.000Z".
std::int64_t epoch_s_of(const std::string& text) {
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    if (std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%d.000Z", &year, &month, &day, &hour, &minute, &second) !=
        6)
        throw std::runtime_error("'" + text + "' is no instant of whole seconds");
    const std::chrono::sys_days date{std::chrono::year{year} / month / day};
    return std::chrono::sys_seconds{date + std::chrono::hours{hour} + std::chrono::minutes{minute} +
                                    std::chrono::seconds{second}}
        .time_since_epoch()
        .count();
}

void add_row(const Object& row, std::vector<ReadingLine>& lines) {
    const auto meter = DeviceNumber::parse(text_in(row, "meter"));
    if (!meter) throw std::runtime_error("'meter' is no number of twelve digits");
    const auto at = epoch_s_of(text_in(row, "at"));
    for (const auto& entry : *array_in(row, "values")) {
        const auto& value = entry.extract<Object>();
        if (text_in(value, "register").empty() || text_in(value, "unit").empty())
            throw std::runtime_error("a value has no register or no unit");
        lines.push_back(
            {*meter, at, value->getValue<int>("channel"), value->getValue<std::int64_t>("value")});
    }
}

/// Cuts a body that comes in pieces into lines.
class LineCutter {
public:
    explicit LineCutter(std::function<void(const std::string&)> take) : take_(std::move(take)) {}
    void feed(std::string_view piece) {
        for (const char c : piece)
            if (c == '\n')
                take_(std::exchange(line_, {}));
            else
                line_ += c;
    }
    bool clean() const { return line_.empty(); }

private:
    std::function<void(const std::string&)> take_;
    std::string line_;
};

std::string meters_query(const std::vector<DeviceNumber>& meters) {
    std::string list;
    for (const auto& meter : meters) list += (list.empty() ? "&meter=" : ",") + to_string(meter);
    return list;
}

}  // namespace

RestPartner::RestPartner(const platform::HttpUrl& base, PartnerClient client,
                         const platform::HttpClientSettings& settings)
    : http_(base, settings),
      command_http_(at_path(base, "/partner/v1/commands"), settings),
      token_(base, std::move(client), settings) {}

void RestPartner::get(const std::string& path, const char* accept,
                      const std::function<void(std::string_view)>& take) {
    for (int tries = 1;; ++tries) {
        const auto answer = http_.get(path, {token_.header(), {"Accept", accept}}, take);
        if (answer.status == 200) return;
        if (answer.status == 401 && tries < tries_max)
            token_.forget();  // it lives for minutes only
        else
            throw std::runtime_error(path + " is refused (" + std::to_string(answer.status) +
                                     "): " + answer.body);
    }
}

std::string RestPartner::get(const std::string& path, const char* accept) {
    std::string body;
    get(path, accept, [&](std::string_view piece) { body += piece; });
    return body;
}

std::vector<DeviceNumber> RestPartner::meters() {
    std::vector<DeviceNumber> found;
    std::string cursor;
    do {
        const auto page = object_of(get("/partner/v1/meters?limit=" + std::to_string(page_limit) +
                                        (cursor.empty() ? "" : "&cursor=" + cursor)));
        for (const auto& entry : *array_in(page, "items")) {
            const auto meter = DeviceNumber::parse(text_in(entry.extract<Object>(), "meter"));
            if (!meter || (!found.empty() && *meter <= found.back()))
                throw std::runtime_error("the pages of meters are not in the order of their numbers");
            found.push_back(*meter);
        }
        cursor = next_in(page);
    } while (!cursor.empty());
    return found;
}

std::int64_t RestPartner::usage_points() {
    std::set<std::string> found;
    std::string cursor;
    do {
        const auto page = object_of(get("/partner/v1/usage-points?limit=" + std::to_string(page_limit) +
                                        (cursor.empty() ? "" : "&cursor=" + cursor)));
        for (const auto& entry : *array_in(page, "items"))
            if (!found.insert(text_in(entry.extract<Object>(), "usage_point")).second)
                throw std::runtime_error("a usage point came twice");
        cursor = next_in(page);
    } while (!cursor.empty());
    return static_cast<std::int64_t>(found.size());
}

std::vector<ReadingLine> RestPartner::readings(Instant from, Instant to,
                                               const std::vector<DeviceNumber>& meters, int limit) {
    std::vector<ReadingLine> lines;
    const auto path =
        "/partner/v1/readings?from=" + iso_text(from) + "&to=" + iso_text(to) + meters_query(meters);
    if (limit == 0) {
        std::int64_t rows = 0, said = -1;
        LineCutter cutter{[&](const std::string& text) {
            const auto object = object_of(text);
            if (said >= 0) throw std::runtime_error("something comes behind the line that says it was all");
            if (object->has("complete")) {
                said = object->getValue<std::int64_t>("rows");
                return;
            }
            add_row(object, lines);
            ++rows;
        }};
        get(path, "application/x-ndjson", [&](std::string_view piece) { cutter.feed(piece); });
        if (said != rows || !cutter.clean())
            throw std::runtime_error("a stream broke off behind row " + std::to_string(rows));
        return lines;
    }
    std::string cursor;
    do {
        const auto page = object_of(
            get(path + "&limit=" + std::to_string(limit) + (cursor.empty() ? "" : "&cursor=" + cursor)));
        for (const auto& entry : *array_in(page, "items")) add_row(entry.extract<Object>(), lines);
        cursor = next_in(page);
    } while (!cursor.empty());
    return lines;
}

RestPartner::Feed RestPartner::feed(const std::function<void(const std::string&)>& take) {
    Feed feed;
    std::set<std::string> ids, kinds;
    std::string newest;
    for (bool more = true; more;) {
        const auto page = object_of(get(std::string{"/partner/v1/feed?limit="} + std::to_string(page_limit) +
                                        (feed.place.empty() ? "" : "&after=" + feed.place)));
        for (const auto& entry : *array_in(page, "items")) {
            const auto& event = entry.extract<Object>();
            if (text_in(event, "specversion") != "1.0")
                throw std::runtime_error("a message is no CloudEvent 1.0");
            if (!ids.insert(text_in(event, "id")).second) throw std::runtime_error("a message came twice");
            const auto place = text_in(event, "sequence");
            if (place <= newest) throw std::runtime_error("messages are out of order behind " + newest);
            newest = place;
            kinds.insert(text_in(event, "type"));
            ++feed.messages;
            std::ostringstream text;
            event->stringify(text);
            take(text.str());
        }
        feed.place = text_in(page, "next");
        more = page->getValue<bool>("more");
    }
    feed.kinds = static_cast<std::int64_t>(kinds.size());
    return feed;
}

platform::HttpAnswer RestPartner::order(const std::string& body, const std::string& key) {
    auto answer = command_http_.post({token_.header(), {"Idempotency-Key", key}}, "application/json", body);
    if (answer.status != 202)
        throw std::runtime_error("the order is refused (" + std::to_string(answer.status) +
                                 "): " + answer.body);
    return answer;
}

std::string RestPartner::read(DeviceNumber meter, const std::string& register_, const std::string& key,
                              int polls_max, const std::function<void()>& wait) {
    const auto body = R"({"command":"read","register":")" + register_ +
                      R"(","reason":"terminal-sim","meters":[")" + to_string(meter) + "\"]}";
    const auto first = order(body, key);
    if (order(body, key).body != first.body)
        throw std::runtime_error("the same order with the same key was answered with something else");
    const auto job = std::to_string(object_of(first.body)->getValue<std::int64_t>("job"));
    for (int poll = 0; poll < polls_max; ++poll, wait()) {
        if (text_in(object_of(get("/partner/v1/jobs/" + job)), "state") != "done") continue;
        const auto items = array_in(object_of(get("/partner/v1/jobs/" + job + "/items")), "items");
        if (items->size() != 1) throw std::runtime_error("job " + job + " has not one item");
        const auto item = items->getObject(0);
        if (text_in(item, "state") != "done")
            throw std::runtime_error("the read failed: " + text_in(item, "detail"));
        return text_in(item, "detail");
    }
    throw std::runtime_error("job " + job + " is not done");
}

}  // namespace wattmesh::sim
