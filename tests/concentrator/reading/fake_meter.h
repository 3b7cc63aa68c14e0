#pragma once
#include <map>
#include <memory>
#include <random>

#include "concentrator/reading/meter_talk.h"
#include "protocol/dlms/date_time.h"
#include "protocol/dlms/profile_select.h"
#include "protocol/dlms/server.h"

namespace wattmesh::concentrator {

/// Counters in memory.
class PlainCounter final : public CounterStore {
public:
    std::optional<std::uint32_t> next() override { return ++sent_; }
    bool accept(std::uint32_t received) override {
        if (received <= received_) return false;
        received_ = received;
        return true;
    }
    void raise(std::uint32_t next) override {
        if (next > sent_) sent_ = next - 1;
    }

private:
    std::uint32_t sent_ = 0, received_ = 0;
};

/// Octets from a seed.
class SeededRandom final : public Random {
public:
    explicit SeededRandom(std::uint32_t seed) : engine_(seed) {}
    void fill(std::span<std::uint8_t> out) override {
        for (auto& octet : out) octet = static_cast<std::uint8_t>(engine_());
    }
    std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(engine_()) % limit; }

private:
    std::mt19937 engine_;
};

inline MeterKeys meter_keys(int seed) {
    std::array<std::uint8_t, 16> ek{}, ak{}, join{};
    ek.fill(static_cast<std::uint8_t>(seed));
    ak.fill(static_cast<std::uint8_t>(seed + 100));
    join.fill(static_cast<std::uint8_t>(seed + 200));
    return {{Key128{ek}, Key128{ak}}, Key128{join}};
}

/// A meter with a load profile of 15 minutes whose value is known for every instant: (instant / 900 s) * 7 +
/// n.
class FakeMeter final : public dlms::ObjectModel {
public:
    FakeMeter(DeviceNumber number, int n, SystemTitle concentrator, Instant first_row, Ciphers& ciphers,
              Random& random)
        : number_(number),
          n_(n),
          first_row_(first_row),
          server_(system_title(number), access(concentrator), *this, ciphers, random) {}

    static std::uint32_t value(int n, Instant at) {
        return static_cast<std::uint32_t>(epoch_us(at) / 900'000'000 * 7 + n);
    }
    const DeviceNumber& number() const { return number_; }
    bool take_key(dlms::KeyKind kind, const SymmetricKey& key) {
        return server_.replace_keys(reading_client, kind, key);
    }
    std::optional<dlms::AccessResult> refuses;  ///< answers every GET with this
    Duration clock_behind{};
    int requests = 0;

    /// sap u8 | APDU both ways; nothing when the meter keeps silent.
    std::optional<Buffer> ask(Bytes payload, Instant now) {
        ++requests;
        std::optional<Buffer> answer;
        const Sap sap{payload[0]};
        server_.handle(sap, payload.subspan(1), now, [&](const Buffer& apdu) {
            answer = Buffer{payload[0]};
            answer->insert(answer->end(), apdu.begin(), apdu.end());
        });
        return answer;
    }

    void get(const dlms::AttributeId& id, const dlms::Selection& selection, Sap, Instant now,
             std::function<void(dlms::ReadOutcome)> done) override {
        if (refuses) return done(*refuses);
        if (id == dlms::AttributeId{1, obis::logical_device_name, 2})
            return done(dlms::octet_string(as_bytes("WMT")));
        if (id != dlms::AttributeId{7, obis::load_profile, 2})
            return done(dlms::AccessResult::object_undefined);
        const std::vector<dlms::CaptureObject> columns{{8, obis::clock, 2, 0},
                                                       {1, obis::profile_status, 2, 0},
                                                       {3, obis::active_import_total, 2, 0},
                                                       {3, obis::active_export_total, 2, 0},
                                                       {3, obis::reactive_import_total, 2, 0},
                                                       {3, obis::reactive_export_total, 2, 0}};
        std::vector<dlms::Data> rows;
        for (Instant at = first_row_; at <= now - clock_behind; at += std::chrono::seconds{900}) {
            if (at > outage_from && at <= outage_to) continue;
            const std::uint32_t number = value(n_, at);
            rows.push_back(dlms::structure({dlms::date_time_octets({at, 0, 0}), std::uint8_t{0}, number,
                                            std::uint32_t{0}, std::uint32_t{1}, std::uint32_t{2}}));
        }
        auto outcome = dlms::select_rows(rows, columns, selection);
        if (auto* data = std::get_if<dlms::Data>(&outcome)) leave_out_clocks(*data);
        done(std::move(outcome));
    }
    void set(const dlms::AttributeId&, const dlms::Data&, Sap, Instant,
             std::function<void(dlms::AccessResult)> done) override {
        done(dlms::AccessResult::read_write_denied);
    }
    void act(const dlms::MethodId&, const std::optional<dlms::Data>&, Sap, Instant,
             std::function<void(dlms::ActionOutcome)> done) override {
        done({dlms::AccessResult::read_write_denied, {}});
    }
    Instant outage_from{}, outage_to{};

private:
    /// As meters do: a null clock is the row before and one period.
    static void leave_out_clocks(dlms::Data& rows) {
        auto& elements = std::get<dlms::Array>(rows.value).elements;
        std::optional<Instant> previous;
        for (auto& row : elements) {
            auto& columns = std::get<dlms::Structure>(row.value).elements;
            const auto at = dlms::date_time(columns[0])->at;
            if (previous && at == *previous + std::chrono::seconds{900}) columns[0] = dlms::Null{};
            previous = at;
        }
    }

    std::vector<dlms::ClientAccess> access(SystemTitle concentrator) {
        dlms::ClientAccess reading;
        reading.client = reading_client;
        reading.ciphered = true;
        reading.pre_established = true;
        reading.keys = meter_keys(n_).reading;
        reading.client_title = concentrator;
        reading.pdu_size_max = 200;
        reading.send = &send_;
        reading.receive = &receive_;
        dlms::ClientAccess open;
        open.client = public_client;
        return {reading, open};
    }

    DeviceNumber number_;
    int n_;
    Instant first_row_;
    PlainCounter send_, receive_;
    dlms::Server server_;
};

}  // namespace wattmesh::concentrator
