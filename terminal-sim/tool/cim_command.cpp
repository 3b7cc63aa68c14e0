// mis cim: everything that the contract lets a partner do in IEC 61968-9, against itself.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <stdexcept>

#include "platform/arguments.h"
#include "security/private_file.h"
#include "terminal-sim/tool/cim_partner.h"
#include "terminal-sim/tool/command.h"
#include "terminal-sim/tool/data_text.h"

namespace wattmesh::sim {
namespace {

constexpr int exit_wrong = 3;
constexpr auto reply_wait = std::chrono::seconds{90};
/// What the channels of the simulated load profile hold, in Wh and varh, quarters of an hour.
const std::vector<std::string> channel_types{
    "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0", "0.0.2.4.19.1.12.0.0.0.0.0.0.0.0.0.72.0",
    "0.0.2.4.2.1.12.0.0.0.0.0.0.0.0.0.73.0", "0.0.2.4.3.1.12.0.0.0.0.0.0.0.0.0.73.0"};

void require(bool good, const std::string& what) {
    if (!good) throw std::runtime_error(what);
}

/// Whole seconds of UTC.
std::int64_t epoch_of(const std::string& text) {
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    char end = 0;
    require(std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%d%c", &year, &month, &day, &hour, &minute, &second,
                        &end) == 7 &&
                end == 'Z',
            "'" + text + "' is no instant of UTC; this check needs a contract with --zone UTC");
    const std::chrono::sys_days date{std::chrono::year{year} / month / day};
    return std::chrono::sys_seconds{date + std::chrono::hours{hour} + std::chrono::minutes{minute} +
                                    std::chrono::seconds{second}}
        .time_since_epoch()
        .count();
}

/// One run against one head-end.
class Check {
public:
    explicit Check(const platform::Settings& settings)
        : sink_(settings.optional<std::string>("address", "127.0.0.1"),
                settings.required_in<std::uint16_t>("port", 0, 65535)),
          partner_(
              base_of(settings), client_of(settings),
              {.answer_max = std::chrono::minutes{2}, .ca_file = settings.optional<std::string>("ca", "")}),
          reply_address_("http://" + settings.optional<std::string>("address", "127.0.0.1") + ":" +
                         std::to_string(sink_.port()) + "/cim"),
          run_(std::to_string(
              epoch_us(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now())))),
          from_(settings.required_in<std::int64_t>("from", 0, 7'258'118'400)),
          to_(settings.required_in<std::int64_t>("to", 0, 7'258'118'400)) {}

    /// Stored readings: hour by hour synchronously, and all at once in a reply; the same values.
    void readings(const std::vector<std::string>& meters, std::ofstream& csv) {
        constexpr std::int64_t at_once_s = 86'400;
        std::vector<CimSaid::Reading> synchronous, asynchronous;
        for (auto from = from_; from < to_; from += at_once_s) {
            const auto said = partner_.ask(get(meters, from, std::min(from + at_once_s, to_)));
            require(said.result == "OK" || said.has("5.7"), "stored readings: " + words(said));
            synchronous.insert(synchronous.end(), said.readings.begin(), said.readings.end());
        }
        auto request = get(meters, from_, to_);
        request.reply_address = reply_address_;
        const auto taken = partner_.post(request);
        require(parse_said(taken).has("0.3"), "an asynchronous request: " + words(parse_said(taken)));
        const auto more = [](const CimSaid& said) { return !said.has("0.1"); };
        const auto replies = sink_.wait_for("c-" + request.message_id, more, reply_wait);
        require(!replies.empty() && more(replies.back()), "the reply did not come whole");
        for (const auto& said : replies)
            asynchronous.insert(asynchronous.end(), said.readings.begin(), said.readings.end());
        require(partner_.post(request) == taken, "a message that came twice was answered otherwise");
        for (const auto& one : synchronous) {
            const auto type = std::find(channel_types.begin(), channel_types.end(), one.type);
            require(type != channel_types.end(), "a reading of type " + one.type + " was not asked for");
            csv << one.meter << "," << epoch_of(one.at) << "," << type - channel_types.begin() + 1 << ","
                << one.value << "\n";
        }
        values_ = synchronous.size();
        replies_ = replies.size();
        const auto order = [](const CimSaid::Reading& a, const CimSaid::Reading& b) {
            return std::tie(a.meter, a.type, a.at) < std::tie(b.meter, b.type, b.at);
        };
        std::sort(synchronous.begin(), synchronous.end(), order);
        std::sort(asynchronous.begin(), asynchronous.end(), order);
        require(synchronous == asynchronous, "the reply holds other readings than the answers");
    }

    /// A meter is read, and pinged, now; what is nobody's meter is said line by line.
    void ask_now(const std::string& meter) {
        CimRequestText read{.verb = "get",
                            .noun = "MeterReadings",
                            .message_id = id(),
                            .reply_address = reply_address_,
                            .request = get_meter_readings({meter}, {})};
        const auto taken = partner_.ask(read);
        require(taken.has("0.3"), "reading a meter now: " + words(taken));
        const auto any = [](const CimSaid&) { return true; };
        const auto replies = sink_.wait_for("c-" + read.message_id, any, reply_wait);
        require(replies.size() == 1 && replies[0].readings.size() == 1,
                "reading a meter now: " + (replies.empty() ? "no reply" : words(replies[0])));
        read_ = replies[0].readings[0].value;
        CimRequestText ping{.verb = "create",
                            .noun = "EndDeviceControls",
                            .message_id = id(),
                            .reply_address = reply_address_,
                            .request = {},
                            .payload = end_device_controls(
                                {{"ping", "3.1.0.30", meter}, {"nobody", "3.1.0.30", "999999999999"}}),
                            .wrapping = CimRequestText::Wrapping::soap_1_2};
        const auto accepted = partner_.ask(ping);
        require(accepted.result == "PARTIAL" && accepted.has("0.3") && accepted.has("2.4"),
                "pinging a meter: " + words(accepted));
        const auto told = sink_.wait_for("c-" + ping.message_id, any, reply_wait);
        require(told.size() == 1 && told[0].events.size() == 2, "the outcome of a ping did not come");
        require(told[0].events[0].control == "ping" && told[0].events[0].reply_code == "0.0",
                "the ping failed: " + told[0].events[0].reason);
        require(told[0].events[1].reply_code == "2.4", "a meter that nobody has was pinged");
    }

    /// What makes no sense is refused in words, and nothing happens.
    void refusals(const std::string& meter) {
        CimRequestText wrong{.verb = "delete",
                             .noun = "MeterReadings",
                             .message_id = id(),
                             .reply_address = {},
                             .request = get_meter_readings({meter}, {})};
        require(partner_.ask(wrong).has("2.9"), "a strange verb was taken");
        wrong = {.verb = "get",
                 .noun = "MeterReadings",
                 .message_id = id(),
                 .reply_address = "http://127.0.0.1:1/",
                 .request = get_meter_readings({meter}, {})};
        require(partner_.ask(wrong).has("7.5"), "an address that is not in the contract was taken");
    }

    void print() const {
        std::printf(R"({"values":%zu,"replies":%zu,"read":"%s"})"
                    "\n",
                    values_, replies_, json_escaped(read_).c_str());
    }

private:
    static platform::HttpUrl base_of(const platform::Settings& settings) {
        const auto url = platform::HttpUrl::parse(settings.required<std::string>("url"));
        if (!url) throw platform::UsageError("--url: an address like http://127.0.0.1:8086");
        return *url;
    }
    static PartnerClient client_of(const platform::Settings& settings) {
        const auto held =
            security::read_private_file(settings.required<std::filesystem::path>("client-file"));
        return parse_client({reinterpret_cast<const char*>(held.reveal().data()), held.reveal().size()});
    }
    std::string id() { return "ts-" + run_ + "-" + std::to_string(++messages_); }
    CimRequestText get(const std::vector<std::string>& meters, std::int64_t from, std::int64_t to) {
        return {
            .verb = "get",
            .noun = "MeterReadings",
            .message_id = id(),
            .reply_address = {},
            .request = get_meter_readings(meters, channel_types, iso_text(from_epoch_us(from * 1'000'000)),
                                          iso_text(from_epoch_us(to * 1'000'000)))};
    }
    static std::string words(const CimSaid& said) {
        std::string text = said.result;
        for (const auto& error : said.errors) text += " " + error.code + " " + error.reason;
        return text;
    }

    CimSink sink_;
    CimPartner partner_;
    const std::string reply_address_, run_;
    const std::int64_t from_, to_;
    int messages_ = 0;
    std::size_t values_ = 0, replies_ = 0;
    std::string read_;
};

}  // namespace

int check_cim(const platform::Settings& settings) {
    std::vector<std::string> meters;
    const auto given = settings.required<std::string>("meters");
    for (std::size_t at = 0; at < given.size();) {
        const auto end = std::min(given.find(',', at), given.size());
        meters.push_back(given.substr(at, end - at));
        at = end + 1;
    }
    std::ofstream csv;
    if (const auto path = settings.optional<std::string>("csv", ""); !path.empty()) {
        csv.open(path);
        if (!csv) throw std::runtime_error(path + ": cannot be written");
    }
    try {
        Check check{settings};
        check.readings(meters, csv);
        check.ask_now(meters.front());
        check.refusals(meters.front());
        check.print();
        return 0;
    } catch (const std::runtime_error& error) {
        std::fprintf(stderr, "mis cim: %s\n", error.what());
        return exit_wrong;
    }
}

}  // namespace wattmesh::sim
