#include "tests/conformance/bench.h"

#include <catch2/catch.hpp>

#include "protocol/dlms/date_time.h"
#include "protocol/dlms/profile_select.h"

namespace wattmesh::conformance {

using namespace dlms;

namespace {

constexpr SystemTitle client_title{{'W', 'M', 'T', 'H', 'E', '0', '0', '1'}};
constexpr SystemTitle server_title{{'W', 'M', 'T', 0, 0, 0, 0, 1}};
constexpr Instant now = std::chrono::sys_days{std::chrono::year{2026} / 11 / 22};

}  // namespace

Objects::Objects() : columns{{8, obis::clock, 2, 0}, {3, obis::active_import_total, 2, 0}} {
    for (std::uint32_t i = 0; i < 40; ++i)
        rows.push_back(structure({date_time_octets({now + i * std::chrono::minutes{15}, 0, 0}), 1'000 + i}));
    values[obis::active_import_total] = std::uint32_t{5009};
    values[obis::logical_device_name] = octet_string(as_bytes("WMT540000000001"));
}

void Objects::get(const AttributeId& id, const Selection& selection, Sap, Instant,
                  std::function<void(ReadOutcome)> done) {
    if (id.object == obis::load_profile) return done(select_rows(rows, columns, selection));
    const auto found = values.find(id.object);
    if (found == values.end()) return done(AccessResult::object_undefined);
    done(found->second);
}

void Objects::set(const AttributeId& id, const Data& value, Sap, Instant,
                  std::function<void(AccessResult)> done) {
    if (id.object == obis::logical_device_name) return done(AccessResult::read_write_denied);
    values[id.object] = value;
    ++changes;
    done(AccessResult::success);
}

void Objects::act(const MethodId& id, const std::optional<Data>& argument, Sap, Instant,
                  std::function<void(ActionOutcome)> done) {
    called.emplace_back(id, argument);
    done({AccessResult::success, argument});
}

Bench::Bench(const Mode& mode, const LayerKind& kind, BenchSettings settings)
    : layer(kind.make()),
      server(),
      client_made([&] {
          ClientConfig config;
          ClientAccess access;
          config.own_title = client_title;
          config.server_title = server_title;
          config.general_blocks = settings.general_blocks;
          access.client = sap;
          access.client_title = client_title;
          access.pdu_size_max = std::max(settings.pdu_size, mode.pdu_size_min);
          access.send = &server_send;
          access.receive = &server_receive;
          mode.set(config, access);
          server.emplace(server_title, std::vector<ClientAccess>{access}, objects, ciphers, server_random);
          return Client{config, ciphers, client_random, client_send, client_receive};
      }()),
      client(*client_made) {
    client.associate();
    run();
    if (!client.associated()) FAIL("no association");
    client.take_event();
}

void Bench::run() {
    while (const auto request = client.take_output()) {
        std::vector<Buffer> answers;
        for (const Buffer& arrived : layer->to_server(*request))
            server->handle(sap, arrived, now, [&](Buffer answer) { answers.push_back(std::move(answer)); });
        if (answers.empty()) layer->no_answer();
        for (const Buffer& answer : answers)
            for (const Buffer& arrived : layer->to_client(answer)) client.receive(arrived);
    }
}

void Bench::fail(const std::vector<ClientEvent>& events) {
    std::string kinds;
    for (const auto& event : events) {
        kinds += " " + std::to_string(event.index());
        if (const auto* failed = std::get_if<RequestFailed>(&event))
            kinds += " (" + std::string{to_string(failed->error.fault)} + " at " +
                     std::to_string(failed->error.offset) + ")";
    }
    FAIL("unexpected events:" << kinds);
}

}  // namespace wattmesh::conformance
