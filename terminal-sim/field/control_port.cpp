#include "terminal-sim/field/control_port.h"

#include <fmt/format.h>

#include "platform/log.h"

namespace wattmesh::sim {
namespace {

const platform::Log& log() {
    static const platform::Log source{"field.control"};
    return source;
}

std::string refusal(std::string_view why) { return fmt::format(R"({{"ok":false,"error":"{}"}})", why); }

std::string status_line(const Field& field, Duration behind) {
    const Field::Status status = field.status();
    std::string dead;
    for (const auto& device : status.dead)
        dead += fmt::format(R"({}"{}")", dead.empty() ? "" : ",", to_string(device));
    return fmt::format(
        R"({{"ok":true,"now_s":{},"behind_ms":{},"meters":{},"alive":{},"joined":{},"wired":{},"unreachable":{},"hops_max":{},)"
        R"("frames_sent":{},"frames_delivered":{},"frames_lost":{},"airtime_ms":{},"dead":[{}]}})",
        epoch_us(field.now()) / 1'000'000, std::max<std::int64_t>(0, behind.count() / 1000), status.meters,
        status.alive, status.joined, status.wired, status.unreachable, status.hops_max,
        status.radio.frames_sent, status.radio.frames_delivered, status.radio.frames_lost,
        status.radio.airtime_us / 1000, dead);
}

/// "NUMBER COLLECTOR", "NUMBER radio", or "NUMBER".
std::string rewire(Field& field, bool move, std::string_view words) {
    const auto blank = words.find(' ');
    const auto meter = DeviceNumber::parse(words.substr(0, blank));
    const auto target = blank == std::string_view::npos ? std::string_view{} : words.substr(blank + 1);
    const auto collector = target == "radio" ? std::nullopt : DeviceNumber::parse(target);
    if (!meter || (move && target != "radio" && !collector) || (!move && !target.empty()))
        return refusal(move ? "say move NUMBER COLLECTOR or move NUMBER radio; numbers have twelve digits"
                            : "a device number has twelve decimal digits");
    const bool done = move ? field.move(*meter, collector) : field.unplug(*meter);
    if (!done)
        return refusal("no such meter in this field, or no such collector with room at its concentrator: " +
                       std::string{words});
    return fmt::format(R"({{"ok":true,"{}":"{}","to":"{}"}})", move ? "moved" : "unplugged",
                       to_string(*meter), target);
}

/// "NUMBER LINE".
std::string type(Field& field, std::string_view words) {
    const auto blank = words.find(' ');
    const auto meter = DeviceNumber::parse(words.substr(0, blank));
    if (!meter || blank == std::string_view::npos)
        return refusal(
            "say keypad NUMBER enter TOKEN, or emergency, button, generator on, generator off or "
            "status instead of enter TOKEN");
    if (auto answer = field.keypad(*meter, words.substr(blank + 1))) return std::move(*answer);
    return refusal("no meter with a keypad in this field: " + to_string(*meter));
}

}  // namespace

std::string ControlPort::answer(Field& field, Duration behind, std::string_view line) {
    const auto blank = line.find(' ');
    const std::string_view word = line.substr(0, blank);
    if (word == "status" && blank == std::string_view::npos) return status_line(field, behind);
    if (word == "keypad") return type(field, blank == std::string_view::npos ? "" : line.substr(blank + 1));
    if (word == "move" || word == "unplug")
        return rewire(field, word == "move", blank == std::string_view::npos ? "" : line.substr(blank + 1));
    if (word != "kill" && word != "revive" && word != "darken")
        return refusal(
            "unknown command; say kill NUMBER, darken NUMBER, revive NUMBER, move NUMBER COLLECTOR, "
            "move NUMBER radio, unplug NUMBER, keypad NUMBER LINE or status");
    const auto number =
        blank == std::string_view::npos ? std::nullopt : DeviceNumber::parse(line.substr(blank + 1));
    if (!number) return refusal("a device number has twelve decimal digits");
    const bool known = word == "kill"     ? field.kill(*number)
                       : word == "darken" ? field.darken(*number)
                                          : field.revive(*number);
    if (!known) return refusal("no such device in this field: " + to_string(*number));
    return fmt::format(R"({{"ok":true,"{}":"{}"}})",
                       word == "kill"     ? "killed"
                       : word == "darken" ? "darkened"
                                          : "revived",
                       to_string(*number));
}

ControlPort::ControlPort(platform::Loop& loop, Field& field, std::function<Duration()> behind,
                         const std::string& address, std::uint16_t port)
    : lines_(
          loop,
          [&field, behind = std::move(behind)](std::string_view line) {
              return answer(field, behind(), line);
          },
          address, port) {
    log().information("listening port={}", lines_.port());
}

}  // namespace wattmesh::sim
