#pragma once
#include <map>
#include <memory>

#include "protocol/base/obis.h"
#include "protocol/collector/collector.h"
#include "protocol/dlms/server.h"
#include "security/ciphers.h"

namespace wattmesh::collector::test {

/// Shows a logical device name and nothing else.
class NameModel final : public dlms::ObjectModel {
public:
    explicit NameModel(std::string name) : name_(std::move(name)) {}
    void get(const dlms::AttributeId& id, const dlms::Selection&, Sap, Instant,
             std::function<void(dlms::ReadOutcome)> done) override {
        if (id.object == obis::logical_device_name)
            return done(dlms::Data{dlms::octet_string(as_bytes(name_))});
        done(dlms::AccessResult::object_undefined);
    }
    void set(const dlms::AttributeId&, const dlms::Data&, Sap, Instant,
             std::function<void(dlms::AccessResult)> done) override {
        done(dlms::AccessResult::read_write_denied);
    }
    void act(const dlms::MethodId&, const std::optional<dlms::Data>&, Sap, Instant,
             std::function<void(dlms::ActionOutcome)> done) override {
        done({dlms::AccessResult::read_write_denied, {}});
    }

private:
    std::string name_;
};

class CountingRandom final : public Random {
public:
    void fill(std::span<std::uint8_t> out) override {
        for (auto& octet : out) octet = next_++;
    }

private:
    std::uint8_t next_ = 1;
};

inline dlms::ClientAccess open_access() {
    dlms::ClientAccess access;
    access.client = public_client;
    return access;
}

/// A meter behind HDLC: the public client meets a COSEM server, of every other client it repeats the APDU,
/// turned around, so that a test sees whose answer it has.
struct FakeMeter {
    FakeMeter(std::uint16_t address, std::string name, Ciphers& ciphers, Random& random)
        : model(std::move(name)),
          server(system_title({}), {open_access()}, model, ciphers, random),
          link([&] {
              link::HdlcLink::Config config;
              config.role = link::HdlcLink::Role::server;
              config.own = {.upper = 1, .lower = address};
              return config;
          }()) {}
    Buffer feed(Bytes octets, Instant now) {
        link.feed(octets);
        while (const auto apdu = link.take_apdu()) {
            const Sap client{link.peer().upper};
            if (client == public_client) {
                server.handle(client, *apdu, now, [&](Buffer answer) { link.send_apdu(answer); });
                continue;
            }
            ++asked;
            Buffer answer{apdu->rbegin(), apdu->rend()};
            if (answer_size != 0) answer.resize(answer_size, 0x55);
            if (!mute) link.send_apdu(answer);
        }
        Buffer out;
        while (const auto frame = link.take_output()) out.insert(out.end(), frame->begin(), frame->end());
        return mute ? Buffer{} : out;
    }
    NameModel model;
    dlms::Server server;
    link::HdlcLink link;
    int asked = 0;
    std::size_t answer_size = 0;
    bool mute = false;
};

/// Meters at their addresses, a collector and a clock. Octets take no time; silence does.
struct Bus {
    explicit Bus(Bytes state = {}, const BusSettings& settings = {})
        : collector(settings, state, ciphers, random) {
        collector.start(now);
    }
    void plug(std::uint16_t address, const std::string& name) {
        meters[address] = std::make_unique<FakeMeter>(address, name, ciphers, random);
    }
    void run_for(Duration span) {
        const Instant end = now + span;
        for (;;) {
            collector.tick(now);
            while (const auto octets = collector.take_bus_output())
                for (auto& [address, meter] : meters)
                    if (const auto answer = meter->feed(*octets, now); !answer.empty())
                        collector.bus_received(answer, now);
            while (auto answer = collector.take_answer()) answers[answer->ticket] = *decode(answer->payload);
            while (auto notice = collector.take_notice())
                notices.push_back(std::get<Notice>(*decode(*notice)));
            const Instant next = std::max(collector.next_deadline(), now + Duration{1'000});
            if (next > end) break;
            now = next;
        }
        now = end;
    }
    template <class T>
    std::optional<T> ask(const Message& message, Duration patience = std::chrono::seconds{3}) {
        collector.request(++ticket, encode(message), now);
        const Instant end = now + patience;
        while (!answers.contains(ticket) && now < end) run_for(Duration{10'000});
        if (!answers.contains(ticket)) return std::nullopt;
        return std::get<T>(answers.at(ticket));
    }
    security::OpensslCiphers ciphers;
    CountingRandom random;
    Instant now{std::chrono::hours{500'000}};
    std::map<std::uint16_t, std::unique_ptr<FakeMeter>> meters;
    Collector collector;
    std::uint16_t ticket = 0;
    std::map<std::uint16_t, Message> answers;
    std::vector<Notice> notices;
};

inline DeviceNumber meter_number(int index) {
    return *DeviceNumber::parse(std::to_string(540'000'000'000 + index));
}
inline std::string device_name(int index) { return "WMT" + to_string(meter_number(index)); }

}  // namespace wattmesh::collector::test
