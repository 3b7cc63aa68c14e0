#include "headend/database/ingest_rows.h"

#include <algorithm>
#include <tuple>

#include "protocol/base/writer.h"

namespace wattmesh::headend::database {
namespace {

/// at, status, channel count and each value with a presence octet: enough to store the row by hand later.
Buffer raw_of(const dcu::IntervalRow& row) {
    Writer out;
    out.i64(epoch_us(row.at)).u8(row.status).u8(row.channels);
    for (const auto& value : row.values) {
        out.u8(value ? 1 : 0);
        if (value) out.i64(*value);
    }
    return out.take();
}

/// Why the row cannot be stored; empty when it can.
std::string fault_of(const dcu::IntervalRow& row, const KnownBank& bank, Instant received) {
    if (row.at > received + ahead_max) return "the instant is more than a day ahead";
    if (row.at < received - age_max) return "the instant is more than 400 days ago";
    if (row.channels == 0 || row.channels > dcu::IntervalRow::channel_count_max)
        return "no or too many channels";
    if (row.channels > bank.channels) return "more channels than the bank has";
    for (const auto& value : row.values)
        if (value && (*value > value_max || *value < -value_max)) return "a value is out of range";
    return {};
}

PendingRow pending_row(const dcu::IntervalRow& row, const KnownMeter& meter, const KnownBank& bank,
                       const frontend::StoredMeterRows& source) {
    PendingRow out{.meter = meter.id,
                   .bank = bank.id,
                   .at = row.at,
                   .sequence = source.sequence,
                   .tenant = meter.tenant,
                   .area = meter.area,
                   .owner = meter.concentrator,
                   .status = row.status};
    std::uint64_t octet = source.clock_doubtful ? quality::clock_doubtful : 0;
    if (row.status != 0) octet |= quality::meter_status;
    std::uint64_t all = 0;
    for (std::size_t channel = 0; channel < row.channels; ++channel) {
        out.values[channel] = row.values[channel];
        if (row.values[channel]) all |= octet << 8 * channel;
    }
    out.quality = static_cast<std::int64_t>(all);
    return out;
}

void add_rows(PendingBatch& out, const frontend::StoredMeterRows& source, const KnownMeter& meter,
              const KnownBank& bank, Instant received) {
    for (const auto& row : source.rows) {
        const auto fault = fault_of(row, bank, received);
        if (!fault.empty()) {
            out.rejected.push_back({source.sequence, source.meter, raw_of(row), fault});
            continue;
        }
        out.rows.push_back(pending_row(row, meter, bank, source));
        out.days.insert(utc_day(row.at));
    }
}

}  // namespace

std::int32_t utc_day(Instant at) {
    return static_cast<std::int32_t>(std::chrono::floor<std::chrono::days>(at).time_since_epoch().count());
}

PendingBatch pending_batch(Connection& connection, IngestCatalog& catalog,
                           const KnownConcentrator& concentrator, const frontend::Batch& batch) {
    PendingBatch out;
    out.rejected = batch.rejected;
    std::set<DeviceNumber> numbers;
    for (const auto& source : batch.intervals) numbers.insert(source.meter);
    const auto meters = catalog.meters(connection, numbers, batch.received);
    for (const auto& source : batch.intervals) {
        const auto meter = meters.find(source.meter);
        const auto bank = catalog.bank(connection, source.profile);
        std::string fault;
        if (meter == meters.end())
            fault = "the meter is not registered";
        else if (meter->second.tenant != concentrator.tenant)
            fault = "the meter belongs to another tenant";
        else if (!bank)
            fault = "no bank captures profile " + to_string(source.profile);
        if (fault.empty())
            add_rows(out, source, meter->second, *bank, batch.received);
        else
            for (const auto& row : source.rows)
                out.rejected.push_back({source.sequence, source.meter, raw_of(row), fault});
    }
    std::sort(out.rows.begin(), out.rows.end(), [](const PendingRow& a, const PendingRow& b) {
        return std::tie(a.meter, a.bank, a.at, a.sequence) < std::tie(b.meter, b.bank, b.at, b.sequence);
    });
    return out;
}

}  // namespace wattmesh::headend::database
