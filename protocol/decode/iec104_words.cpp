#include "protocol/decode/iec104_words.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace wattmesh::decode {
namespace {

using namespace iec104;

constexpr const char* double_states[]{"in between", "off", "on", "indeterminate"};
constexpr const char* freezes[]{"read", "freeze", "freeze and reset", "reset"};

std::string_view kind_words(Type type) {
    switch (without_time(type)) {
        case Type::single_point:
            return "single point";
        case Type::double_point:
            return "double point";
        case Type::bitstring:
            return "bit string";
        case Type::normalized:
            return "normalized value";
        case Type::scaled:
            return "scaled value";
        case Type::short_float:
            return "short float";
        case Type::integrated_total:
            return "integrated total";
        case Type::single_command:
            return "single command";
        case Type::double_command:
            return "double command";
        case Type::float_setpoint:
            return "set-point, short float";
        case Type::end_of_initialisation:
            return "end of initialisation";
        case Type::interrogation:
            return "interrogation";
        case Type::counter_interrogation:
            return "counter interrogation";
        case Type::read:
            return "read";
        case Type::clock_sync:
            return "clock synchronisation";
        case Type::reset_process:
            return "reset process";
        default:
            return "test";
    }
}

std::string select_words(bool select) { return select ? "select" : "execute"; }

std::string qualifier_words(int qualifier) {
    return qualifier == 0 ? "" : fmt::format(", qualifier {}", qualifier);
}

struct Words {
    std::string operator()(const SinglePoint& point) const { return point.on ? "on" : "off"; }
    std::string operator()(const DoublePoint& point) const {
        return double_states[static_cast<int>(point.state)];
    }
    std::string operator()(const Bitstring& value) const { return fmt::format("{:08X}", value.bits); }
    std::string operator()(const Normalized& value) const { return fmt::format("{}", value.raw / 32768.0); }
    std::string operator()(const Scaled& value) const { return fmt::format("{}", value.value); }
    std::string operator()(const Float& value) const { return fmt::format("{}", value.value); }
    std::string operator()(const Counter& counter) const {
        return fmt::format("{}, sequence {}", counter.value, counter.sequence);
    }
    std::string operator()(const EndOfInitialisation& end) const {
        return fmt::format("cause {}", end.cause);
    }
    std::string operator()(const SingleCommand& command) const {
        return fmt::format("{} {}{}", select_words(command.select), command.on ? "on" : "off",
                           qualifier_words(command.qualifier));
    }
    std::string operator()(const DoubleCommand& command) const {
        return fmt::format("{} {}{}", select_words(command.select),
                           double_states[static_cast<int>(command.state)],
                           qualifier_words(command.qualifier));
    }
    std::string operator()(const FloatSetpoint& point) const {
        return fmt::format("{} {}{}", select_words(point.select), point.value,
                           qualifier_words(point.qualifier));
    }
    std::string operator()(const Interrogation& request) const {
        if (request.qualifier == whole_station) return "of the whole station";
        return request.qualifier > whole_station && request.qualifier <= 36
                   ? fmt::format("of group {}", request.qualifier - whole_station)
                   : fmt::format("qualifier {}", request.qualifier);
    }
    std::string operator()(const CounterInterrogation& request) const {
        const auto* what = freezes[static_cast<int>(request.freeze)];
        return request.request == all_counters ? fmt::format("{} all counters", what)
                                               : fmt::format("{} counter group {}", what, request.request);
    }
    std::string operator()(const ReadRequest&) const { return "read"; }
    std::string operator()(const ClockSync&) const { return "set to"; }
    std::string operator()(const ResetProcess& request) const {
        return fmt::format("qualifier {}", request.qualifier);
    }
    std::string operator()(const TestCommand& test) const {
        return fmt::format("pattern {:04X}", test.pattern);
    }
};

}  // namespace

std::string type_words(std::uint8_t type) {
    const auto* form = form_of(type);
    if (form == nullptr) return fmt::format("type {}", type);
    return fmt::format("{} {}{}", form->name, kind_words(form->type),
                       with_time(without_time(form->type)) == form->type ? " with time" : "");
}

std::string cause_words(Cause cause) {
    const int number = static_cast<int>(cause);
    if (number > 20 && number <= 36) return fmt::format("{} interrogation of group {}", number, number - 20);
    if (number > 37 && number <= 41)
        return fmt::format("{} interrogation of counter group {}", number, number - 37);
    return fmt::format("{} {}", number, to_string(cause));
}

std::string quality_words(const Object& object) {
    std::string words;
    const auto add = [&words](bool flag, const char* word) {
        if (flag) words += (words.empty() ? "" : ", ") + std::string{word};
    };
    if (const auto* counter = std::get_if<Counter>(&object.value)) {
        add(counter->carry, "carried");
        add(counter->adjusted, "adjusted");
        add(counter->invalid, "invalid");
    }
    add(object.quality.overflow, "overflow");
    add(object.quality.blocked, "blocked");
    add(object.quality.substituted, "substituted");
    add(object.quality.not_topical, "not topical");
    add(object.quality.invalid, "invalid");
    return words;
}

std::string object_words(const Object& object) {
    const auto quality = quality_words(object);
    return std::visit(Words{}, object.value) + (quality.empty() ? "" : ", " + quality);
}

std::string time_words(const Time56& time) {
    const auto second = std::chrono::floor<std::chrono::seconds>(time.at);
    const auto ms = std::chrono::floor<std::chrono::milliseconds>(time.at - second).count();
    return fmt::format("{:%FT%T}.{:03}Z{}{}{}", second, ms, time.invalid ? ", clock not synchronised" : "",
                       time.substituted ? ", substituted" : "", time.summer ? ", summer time" : "");
}

}  // namespace wattmesh::decode
