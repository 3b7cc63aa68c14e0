#include "headend/console/http.h"

#include <charconv>

#include "headend/console/json.h"

namespace wattmesh::headend::console {

std::string Request::text(std::string_view name, const std::string& otherwise) const {
    const auto found = query.find(name);
    return found == query.end() ? otherwise : found->second;
}

DeviceNumber Request::device(std::string_view name) const {
    const auto found = captured.find(name);
    const auto number = found == captured.end() ? std::nullopt : DeviceNumber::parse(found->second);
    if (!number) throw Problem{404, "No such device", "A device number has exactly twelve digits."};
    return *number;
}

std::chrono::sys_days Request::day(std::string_view name, std::chrono::sys_days otherwise) const {
    const auto found = captured.find(name);
    const auto given = found != captured.end() ? found->second : text(name);
    if (given.empty()) return otherwise;
    const auto day = parse_day(given);
    if (!day) throw Problem{400, "Bad request", "'" + std::string{name} + "' must be a day like 2026-11-22."};
    return *day;
}

Instant Request::instant(std::string_view name) const {
    const auto at = parse_iso(text(name));
    if (!at)
        throw Problem{400, "Bad request",
                      "'" + std::string{name} + "' must be an instant like 2026-11-22T14:15:00Z."};
    return *at;
}

int Request::number(std::string_view name, int otherwise, int low, int high) const {
    const auto given = text(name);
    if (given.empty()) return otherwise;
    int value = 0;
    const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), value);
    if (error != std::errc{} || end != given.data() + given.size() || value < low || value > high)
        throw Problem{400, "Bad request",
                      "'" + std::string{name} + "' must be a number from " + std::to_string(low) + " to " +
                          std::to_string(high) + "."};
    return value;
}

std::optional<std::int64_t> parse_id(std::string_view text) {
    std::int64_t id = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), id);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || id < 1) return std::nullopt;
    return id;
}

std::optional<std::map<std::string, std::string, std::less<>>> match(std::string_view pattern,
                                                                     std::string_view path) {
    std::map<std::string, std::string, std::less<>> captured;
    while (true) {
        const auto wanted_end = pattern.find('/'), given_end = path.find('/');
        const auto wanted = pattern.substr(0, wanted_end), given = path.substr(0, given_end);
        if (wanted.size() > 2 && wanted.front() == '{') {
            if (given.empty()) return std::nullopt;
            captured.emplace(wanted.substr(1, wanted.size() - 2), given);
        } else if (wanted != given) {
            return std::nullopt;
        }
        if ((wanted_end == std::string_view::npos) != (given_end == std::string_view::npos))
            return std::nullopt;
        if (wanted_end == std::string_view::npos) return captured;
        pattern.remove_prefix(wanted_end + 1);
        path.remove_prefix(given_end + 1);
    }
}

Answer answer_of(const Problem& problem) {
    Json json;
    json.open_object()
        .field("type", "about:blank")
        .field("title", problem.title)
        .field("status", problem.status);
    if (!problem.detail.empty()) json.field("detail", problem.detail);
    if (!problem.reason.empty()) json.field("reason", problem.reason);
    json.close_object();
    Answer answer{.status = problem.status, .body = json.take(), .type = "application/problem+json"};
    if (problem.retry_after_s > 0)
        answer.headers.emplace_back("Retry-After", std::to_string(problem.retry_after_s));
    return answer;
}

}  // namespace wattmesh::headend::console
