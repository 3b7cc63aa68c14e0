#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "platform/arguments.h"
#include "protocol/decode/iec104_words.h"
#include "security/private_file.h"
#include "terminal-sim/tool/command.h"
#include "terminal-sim/tool/data_text.h"
#include "terminal-sim/tool/running.h"
#include "terminal-sim/tool/scada_call.h"

namespace wattmesh::sim {
namespace {

using namespace iec104;
using platform::Settings;
using platform::UsageError;

constexpr int exit_failed = 1, exit_senseless = 3;

std::string number_text(const Value& value) {
    if (const auto* point = std::get_if<SinglePoint>(&value)) return point->on ? "1" : "0";
    if (const auto* point = std::get_if<DoublePoint>(&value))
        return std::to_string(static_cast<int>(point->state));
    if (const auto* measured = std::get_if<Float>(&value))
        return std::isfinite(measured->value) ? fmt::format("{}", measured->value) : "null";
    if (const auto* measured = std::get_if<Scaled>(&value)) return std::to_string(measured->value);
    if (const auto* measured = std::get_if<Normalized>(&value))
        return fmt::format("{}", measured->raw / 32768.0);
    if (const auto* counter = std::get_if<Counter>(&value)) return std::to_string(counter->value);
    if (const auto* bits = std::get_if<Bitstring>(&value)) return std::to_string(bits->bits);
    return "null";
}

/// What was asked for, and what came of it.
class Visit {
public:
    Visit(ScadaCall& call, const Settings& settings)
        : call_(call),
          station_(settings.required_in<std::uint16_t>("station", 1, broadcast)),
          json_(settings.optional<bool>("json", false)),
          quiet_(settings.optional<bool>("quiet", false)),
          answer_max_(std::chrono::seconds{settings.optional_in<int>("timeout", 10, 1, 3'600)}) {}

    void interrogate(const Settings& settings) {
        const auto group = settings.optional_in<int>("group", 0, 0, 16);
        const auto request = call_.master().interrogate(
            station_, static_cast<std::uint8_t>(whole_station + group), call_.now());
        finish("interrogation", request, answer_max_);
    }
    void read_counters(bool freeze) {
        if (freeze)
            finish("freeze",
                   call_.master().interrogate_counters(station_, {all_counters, Freeze::freeze}, call_.now()),
                   answer_max_);
        finish("counters",
               call_.master().interrogate_counters(station_, {all_counters, Freeze::read}, call_.now()),
               answer_max_);
    }
    void sync_clock(const Settings& settings) {
        const auto civil = clock_of(settings)->now();
        confirm("clock", call_.master().sync_clock(station_, civil));
    }
    void read(std::uint32_t address) {
        const auto request = call_.master().read(station_, address, call_.now());
        const auto begun = begin();
        bool refused = false;
        const bool heard = call_.hear(
            [&](const Asdu& asdu) {
                print(asdu);
                refused = refused || reply_to(request, asdu) == Reply::refused;
                return refused || (asdu.header.cause == Cause::request && asdu.objects[0].address == address);
            },
            answer_max_);
        step("read", begun, heard && !refused, refused ? "refused" : heard ? "" : "no answer");
    }
    void command(const Settings& settings) {
        const auto [address, on] = target(settings);
        const auto value = [&](bool select) -> Value {
            if (settings.optional<std::string>("kind", "double") == "single")
                return SingleCommand{on, 0, select};
            return DoubleCommand{on ? DoubleState::on : DoubleState::off, 0, select};
        };
        if (!settings.optional<bool>("direct", false) &&
            !confirm("select", call_.master().command(station_, address, value(true), call_.now())))
            return;
        finish("execute", call_.master().command(station_, address, value(false), call_.now()),
               std::chrono::seconds{settings.optional_in<int>("command-timeout", 120, 1, 86'400)});
    }
    void watch(Duration real) {
        call_.hear(
            [this](const Asdu& asdu) {
                print(asdu);
                return false;
            },
            real);
    }
    void stop() {
        const auto begun = begin();
        const bool stopped = call_.stop();
        step("stop", begun, stopped, stopped ? "" : "no answer");
    }
    int exit_status() {
        if (call_.master().malformed() > 0) return exit_senseless;
        return failed_ == 0 ? 0 : exit_failed;
    }

private:
    static std::pair<std::uint32_t, bool> target(const Settings& settings) {
        const auto text = settings.required<std::string>("command");
        const auto middle = text.find('=');
        const auto state = middle == std::string::npos ? "" : text.substr(middle + 1);
        if ((state != "on" && state != "off") || middle == 0 || middle > 8 ||
            text.find_first_not_of("0123456789") != middle)
            throw UsageError("--command " + text + ": write ADDRESS=on or ADDRESS=off");
        const auto address = static_cast<std::uint32_t>(std::stoul(text.substr(0, middle)));
        if (address > object_address_max) throw UsageError("--command " + text + ": addresses have 24 bits");
        return {address, state == "on"};
    }
    Instant begin() {
        objects_ = 0;
        return call_.now();
    }
    /// Until the request has ended.
    void finish(const char* name, const Asdu& request, Duration real_max) {
        const auto begun = begin();
        auto last = Reply::none;
        bool confirmed = false;
        // A broadcast ends once for each station, and nobody says how many there are: the first end counts.
        call_.hear(
            [&](const Asdu& asdu) {
                print(asdu);
                const auto reply = reply_to(request, asdu);
                if (reply == Reply::none) return false;
                last = reply;
                confirmed = confirmed || reply == Reply::confirmed;
                return reply != Reply::confirmed;
            },
            real_max);
        const bool passed = last == Reply::terminated && confirmed;
        step(name, begun, passed,
             passed                   ? ""
             : last == Reply::refused ? "refused"
             : last == Reply::failed  ? "confirmed, then failed"
             : last == Reply::none    ? "no answer"
                                      : "confirmed, but no end came");
    }
    bool confirm(const char* name, const Asdu& request) {
        const auto begun = begin();
        auto last = Reply::none;
        call_.hear(
            [&](const Asdu& asdu) {
                print(asdu);
                if (const auto reply = reply_to(request, asdu); reply != Reply::none) last = reply;
                return last != Reply::none;
            },
            answer_max_);
        const bool passed = last == Reply::confirmed;
        step(name, begun, passed, passed ? "" : last == Reply::none ? "no answer" : "refused");
        return passed;
    }
    void print(const Asdu& asdu) {
        const auto* form = form_of(static_cast<std::uint8_t>(asdu.header.type));
        if (form->is_command || asdu.header.type == Type::end_of_initialisation) return;
        objects_ += asdu.objects.size();
        if (quiet_) return;
        for (const auto& object : asdu.objects) {
            const auto time = form->has_time ? decode::time_words(object.time) : "";
            if (json_)
                fmt::print(
                    "{{\"station\":{},\"address\":{},\"type\":\"{}\",\"cause\":{},\"value\":{},"
                    "\"quality\":\"{}\"{}}}\n",
                    asdu.header.common_address, object.address, form->name,
                    static_cast<int>(asdu.header.cause), number_text(object.value),
                    decode::quality_words(object),
                    time.empty() ? "" : ",\"time\":\"" + iso_text(object.time.at) + '"');
            else
                fmt::print("{} {:>8}  {}  {}{}  ({})\n", asdu.header.common_address, object.address,
                           form->name, decode::object_words(object), time.empty() ? "" : "  " + time,
                           decode::cause_words(asdu.header.cause));
        }
    }
    void step(const char* name, Instant begun, bool passed, const std::string& why) {
        const auto ms = static_cast<double>((call_.now() - begun).count()) / 1000;
        failed_ += passed ? 0 : 1;
        if (json_)
            fmt::print("{{\"step\":\"{}\",\"passed\":{},\"why\":\"{}\",\"objects\":{},\"ms\":{:.1f}}}\n",
                       name, passed, why, objects_, ms);
        else
            fmt::print("{}  {}{}, {} objects, {:.1f} ms\n", passed ? "pass" : "FAIL", name,
                       why.empty() ? "" : ": " + why, objects_, ms);
    }

    ScadaCall& call_;
    std::uint16_t station_;
    bool json_, quiet_;
    Duration answer_max_;
    std::size_t objects_ = 0;
    int failed_ = 0;
};

std::string text_of(const std::filesystem::path& file) {
    std::ifstream in{file};
    std::ostringstream text;
    if (!(text << in.rdbuf())) throw std::runtime_error(file.string() + ": cannot be read");
    return text.str();
}

platform::TlsLink::Context tls_of(const Settings& settings) {
    if (!settings.has("ca")) return nullptr;
    security::TlsSettings tls;
    tls.role = security::TlsRole::client;
    tls.ca_pem = text_of(settings.required<std::filesystem::path>("ca"));
    tls.certificate_pem = text_of(settings.required<std::filesystem::path>("certificate"));
    tls.key_pem = security::read_private_file(settings.required<std::filesystem::path>("key-file"));
    tls.protocols = {};
    tls.without_protocol = true;
    return std::make_shared<security::TlsContext>(std::move(tls));
}

}  // namespace

int run_scada(const Call& call) {
    const auto& settings = call.settings;
    const auto kind = settings.optional<std::string>("kind", "double");
    if (kind != "double" && kind != "single")
        throw UsageError("--kind " + kind + ": is neither double nor single");
    if (!call.words.empty()) throw UsageError("scada: '" + call.words[0] + "' is no option");
    ScadaLine line;
    line.outstation = settings.required<platform::HostPort>("tcp");
    line.tls = tls_of(settings);
    line.originator = static_cast<std::uint8_t>(settings.optional_in<int>("originator", 0, 0, 255));
    line.link.k = settings.optional_in<int>("k", 12, 1, 32'767);
    line.link.w = settings.optional_in<int>("w", 8, 1, 32'767);
    line.answer_real_max = std::chrono::seconds{settings.optional_in<int>("timeout", 10, 1, 3'600)};
    ScadaCall line_to{std::move(line)};
    Visit visit{line_to, settings};
    visit.interrogate(settings);
    const bool freeze = settings.optional<bool>("freeze", false);
    if (freeze || settings.optional<bool>("counters", false)) visit.read_counters(freeze);
    if (settings.optional<bool>("clock", false)) visit.sync_clock(settings);
    if (settings.has("read")) visit.read(settings.required_in<std::uint32_t>("read", 0, object_address_max));
    if (settings.has("command")) visit.command(settings);
    if (settings.has("watch"))
        visit.watch(std::chrono::seconds{settings.required_in<int>("watch", 1, 86'400)});
    visit.stop();
    return visit.exit_status();
}

}  // namespace wattmesh::sim
