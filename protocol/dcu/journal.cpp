#include "protocol/dcu/journal.h"

#include "protocol/dcu/fields.h"
#include "protocol/dcu/objects.h"
#include "protocol/dlms/date_time.h"

namespace wattmesh::dcu {
namespace {

constexpr std::size_t journal_count_max = 255;
constexpr std::size_t row_count_max = 4'096;

template <class T>
Result<T> checked(Fields& fields, T value) {
    if (!fields.done()) return fields.error();
    return value;
}

/// Decodes the payload as one A-XDR value and hands it to `read`.
template <class T, class Read>
Result<T> decode_payload(Bytes payload, Read read) {
    const auto data = dlms::decode_data(payload);
    if (!data) return data.error();
    return read(*data);
}

}  // namespace

dlms::Data to_data(const Entry& entry) {
    const dlms::DateTime time{entry.time, 0,
                              entry.clock_doubtful ? dlms::clock_status::doubtful : std::uint8_t{0}};
    return dlms::structure({entry.sequence.value, dlms::octet_string(entry.meter.bcd),
                            dlms::Enum{static_cast<std::uint8_t>(entry.kind)}, dlms::date_time_octets(time),
                            dlms::octet_string(entry.payload)});
}

Result<Entry> entry_from_data(const dlms::Data& row) {
    Fields fields{row};
    Entry entry;
    entry.sequence.value = fields.u64();
    entry.meter.bcd = fields.octets<6>();
    entry.kind = static_cast<EntryKind>(fields.number<std::uint8_t>());
    if (const auto time = dlms::decode_date_time(fields.octets(12))) {
        entry.time = time->at;
        entry.clock_doubtful = (time->status & dlms::clock_status::doubtful) != 0;
    } else {
        fields.fail(Fault::bad_value);
    }
    entry.payload = to_buffer(fields.octets(entry_payload_size_max));
    return checked(fields, std::move(entry));
}

Buffer encode(const ProfileRows& rows) {
    return dlms::encode_data(dlms::structure({dlms::octet_string(rows.profile), rows.rows}));
}

Result<ProfileRows> decode_profile_rows(Bytes payload) {
    return decode_payload<ProfileRows>(payload, [](const dlms::Data& data) -> Result<ProfileRows> {
        Fields fields{data};
        ProfileRows rows;
        rows.profile.groups = fields.octets<6>();
        rows.rows = fields.any();
        if (fields.ok() && rows.rows.as<dlms::Array>() == nullptr) fields.fail(Fault::bad_tag);
        return checked(fields, std::move(rows));
    });
}

namespace {

bool is_null(const dlms::Data& data) { return data.as<dlms::Null>() != nullptr; }

/// Null-data is "as in the row before", a clock one period later (Blue Book ed. 14, 4.3.6); in a first row
/// there is nothing before it. Dont-care is no value.
std::optional<std::int64_t> channel(Fields& fields, const std::optional<std::int64_t>& previous) {
    const auto& value = fields.any();
    if (is_null(value)) return previous;
    if (value.as<dlms::DontCare>() != nullptr) return std::nullopt;
    const auto number = value.integer();
    if (!number) fields.fail(Fault::bad_tag);
    return number;
}

Result<IntervalRow> interval_row(const dlms::Data& data, const std::optional<IntervalRow>& previous,
                                 Duration period) {
    Fields fields{data};
    IntervalRow row;
    const auto& clock = fields.any();
    if (is_null(clock) && previous) {
        row.at = previous->at + period;
    } else if (const auto time = dlms::date_time(clock)) {
        row.at = time->at;
    } else {
        fields.fail(Fault::bad_value);
    }
    const auto status =
        channel(fields, previous ? std::optional<std::int64_t>{previous->status} : std::nullopt);
    if (fields.ok() && !status) fields.fail(Fault::bad_tag);
    if (fields.ok() && !std::in_range<std::uint8_t>(*status)) fields.fail(Fault::bad_value);
    row.status = static_cast<std::uint8_t>(status.value_or(0));
    const auto count = fields.ok() ? data.elements()->size() - 2 : 0;
    if (fields.ok() && (count == 0 || count > IntervalRow::channel_count_max)) fields.fail(Fault::bad_value);
    for (std::size_t i = 0; fields.ok() && i < count; ++i)
        row.values[i] = channel(fields, previous ? previous->values[i] : std::nullopt);
    row.channels = static_cast<std::uint8_t>(count);
    return checked(fields, row);
}

}  // namespace

Result<std::vector<IntervalRow>> interval_rows(const ProfileRows& rows, Duration period) {
    const auto* elements = rows.rows.elements();
    if (elements == nullptr) return Error{Fault::bad_tag, 0};
    if (elements->size() > row_count_max) return Error{Fault::too_long, row_count_max};
    std::optional<IntervalRow> previous;
    return decode_each<IntervalRow>(*elements, [&](const dlms::Data& data) {
        auto row = interval_row(data, previous, period);
        if (row) previous = *row;
        return row;
    });
}

Buffer encode(const MeterLink& link) {
    std::vector<dlms::Data> route;
    for (const auto& relay : link.route) route.push_back(dlms::octet_string(relay.bcd));
    return dlms::encode_data(
        dlms::structure({link.short_address, dlms::octet_string(link.parent.bcd), link.hops, link.rssi_dbm,
                         link.sub_address, dlms::Array{std::move(route)}, link.join_counter}));
}

Result<MeterLink> decode_meter_link(Bytes payload) {
    return decode_payload<MeterLink>(payload, [](const dlms::Data& data) {
        Fields fields{data};
        MeterLink link;
        link.short_address = fields.number<std::uint16_t>();
        link.parent.bcd = fields.octets<6>();
        link.hops = fields.number<std::uint8_t>();
        link.rssi_dbm = fields.number<std::int8_t>();
        // Entries of earlier versions end here, or after one of the next.
        if (fields.more()) link.sub_address = fields.number<std::uint8_t>();
        const auto* relays = fields.more() ? fields.array(route_length_max) : nullptr;
        for (std::size_t i = 0; relays != nullptr && i < relays->size(); ++i) {
            const Bytes number = (*relays)[i].octets();
            if (number.size() != 6) {
                fields.fail(Fault::bad_value);
                break;
            }
            DeviceNumber relay;
            std::copy(number.begin(), number.end(), relay.bcd.begin());
            link.route.push_back(relay);
        }
        if (fields.more()) link.join_counter = fields.number<std::uint32_t>();
        return checked(fields, link);
    });
}

std::string_view to_string(ReadFault fault) {
    switch (fault) {
        case ReadFault::not_joined:
            return "not_joined";
        case ReadFault::no_answer:
            return "no_answer";
        case ReadFault::not_authentic:
            return "not_authentic";
        case ReadFault::refused:
            return "refused";
        case ReadFault::malformed:
            return "malformed";
        case ReadFault::no_key:
            return "no_key";
        case ReadFault::outage:
            return "outage";
    }
    return "unknown";
}

Buffer encode(const ReadFailure& failure) {
    return dlms::encode_data(dlms::structure({dlms::Enum{static_cast<std::uint8_t>(failure.fault)},
                                              instant_data(failure.from), instant_data(failure.to)}));
}

Result<ReadFailure> decode_read_failure(Bytes payload) {
    return decode_payload<ReadFailure>(payload, [](const dlms::Data& data) {
        Fields fields{data};
        ReadFailure failure;
        failure.fault = static_cast<ReadFault>(fields.number<std::uint8_t>());
        if (to_string(failure.fault) == "unknown") fields.fail(Fault::bad_value);
        failure.from = fields.instant();
        failure.to = fields.instant();
        return checked(fields, failure);
    });
}

Buffer encode(const PowerLoss& loss) {
    return dlms::encode_data(dlms::structure({dlms::Enum{static_cast<std::uint8_t>(loss.inferred ? 1 : 0)}}));
}

Result<PowerLoss> decode_power_loss(Bytes payload) {
    return decode_payload<PowerLoss>(payload, [](const dlms::Data& data) {
        Fields fields{data};
        const auto inferred = fields.number<std::uint8_t>();
        if (inferred > 1) fields.fail(Fault::bad_value);
        return checked(fields, PowerLoss{inferred == 1});
    });
}

Buffer encode(const Outage& outage) {
    return dlms::encode_data(dlms::structure({outage.members, outage.reported, outage.inferred}));
}

Result<Outage> decode_outage(Bytes payload) {
    return decode_payload<Outage>(payload, [](const dlms::Data& data) {
        Fields fields{data};
        Outage outage;
        outage.members = fields.number<std::uint16_t>();
        outage.reported = fields.number<std::uint16_t>();
        outage.inferred = fields.number<std::uint16_t>();
        return checked(fields, outage);
    });
}

Buffer encode(const OutageEnd& end) { return dlms::encode_data(dlms::structure({end.back, end.missing})); }

Result<OutageEnd> decode_outage_end(Bytes payload) {
    return decode_payload<OutageEnd>(payload, [](const dlms::Data& data) {
        Fields fields{data};
        OutageEnd end;
        end.back = fields.number<std::uint16_t>();
        end.missing = fields.number<std::uint16_t>();
        return checked(fields, end);
    });
}

Buffer encode(const PanClash& clash) {
    return dlms::encode_data(
        dlms::structure({dlms::octet_string(clash.other.bcd), clash.pan, clash.moved_to}));
}

Result<PanClash> decode_pan_clash(Bytes payload) {
    return decode_payload<PanClash>(payload, [](const dlms::Data& data) {
        Fields fields{data};
        PanClash clash;
        clash.other.bcd = fields.octets<6>();
        clash.pan = fields.number<std::uint16_t>();
        clash.moved_to = fields.number<std::uint16_t>();
        return checked(fields, clash);
    });
}

Buffer encode(const GapRange& gap) {
    return dlms::encode_data(dlms::structure({gap.first.value, gap.last.value}));
}

Result<GapRange> decode_gap_range(Bytes payload) {
    return decode_payload<GapRange>(payload, [](const dlms::Data& data) {
        Fields fields{data};
        GapRange gap;
        gap.first.value = fields.u64();
        gap.last.value = fields.u64();
        return checked(fields, gap);
    });
}

dlms::Data to_data(const JournalInfo& info) {
    return dlms::structure({dlms::octet_string(info.id.octets), dlms::octet_string(info.profile),
                            info.first.value, info.last.value, info.acknowledged.value});
}

Result<std::vector<JournalInfo>> directory_from_data(const dlms::Data& directory) {
    const auto* array = directory.as<dlms::Array>();
    if (array == nullptr) return Error{Fault::bad_tag, 0};
    if (array->elements.size() > journal_count_max) return Error{Fault::too_long, journal_count_max};
    return decode_each<JournalInfo>(array->elements, [](const dlms::Data& line) {
        Fields fields{line};
        JournalInfo info;
        info.id.octets = fields.octets<16>();
        info.profile.groups = fields.octets<6>();
        info.first.value = fields.u64();
        info.last.value = fields.u64();
        info.acknowledged.value = fields.u64();
        return checked(fields, info);
    });
}

dlms::Data to_data(const Acknowledgement& acknowledgement) {
    return dlms::structure({dlms::octet_string(acknowledgement.id.octets), acknowledgement.sequence.value});
}

Result<Acknowledgement> acknowledgement_from_data(const dlms::Data& data) {
    Fields fields{data};
    Acknowledgement acknowledgement;
    acknowledgement.id.octets = fields.octets<16>();
    acknowledgement.sequence.value = fields.u64();
    return checked(fields, acknowledgement);
}

dlms::RangeSelection entries_after(Sequence after, std::uint32_t count) {
    const dlms::CaptureObject sequence{1, objects::journal_sequence, 2, 0};
    return {sequence, dlms::Data{after.value + 1}, dlms::Data{after.value + count}, {}};
}

}  // namespace wattmesh::dcu
