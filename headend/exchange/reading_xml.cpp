#include "headend/exchange/reading_xml.h"

#include <algorithm>

#include "headend/database/ingest_rows.h"
#include "platform/xml_writer.h"

namespace wattmesh::headend::exchange {
namespace {

using namespace database;
constexpr std::string_view device_clock_doubtful = "1.1.9";  ///< IEC 61968-9 quality
constexpr int cim_volt_ampere_hour = 71, cim_watt_hour = 72, cim_var_hour = 73;

bool is_energy(int unit) {
    return unit == cim_watt_hour || unit == cim_var_hour || unit == cim_volt_ampere_hour;
}

void append_quality(std::string& out, std::string_view code) {
    out.append("<ReadingQualities><ReadingQualityType ref=\"");
    platform::append_xml_text(out, code);
    out.append("\"/></ReadingQualities>");
}

}  // namespace

CimForm cim_form(Connection& connection, const Contract& contract, Instant from, Instant to) {
    CimDialects dialects{connection};
    CimForm form{.dialect = dialects.of(contract.id), .offsets = {}};
    // The start of an interval may lie before what is asked for.
    form.offsets = dialects.offsets(form.dialect.zone, from - std::chrono::hours{24}, to);
    return form;
}

CimForm cim_form(RestDesk& desk, const Contract& contract, Instant from, Instant to) {
    const auto connection = desk.tables.lease();
    return cim_form(*connection, contract, from, to);
}

cim::ReadingType dialect_type(cim::ReadingType type, const CimDialect& dialect) {
    if (is_energy(type.unit)) type.multiplier = dialect.energy_multiplier;
    return type;
}

std::string dialect_code(const cim::ReadingType& type, const CimDialect& dialect) {
    auto plain = type;
    plain.multiplier = 0;
    const auto own = dialect.readings.find(to_string(plain));
    return own == dialect.readings.end() ? to_string(dialect_type(type, dialect)) : own->second;
}

std::optional<cim::ReadingType> known_type(const std::string& code, const CimDialect& dialect) {
    for (const auto& [ours, theirs] : dialect.readings)
        if (theirs == code) return cim::parse_reading_type(ours);
    auto type = cim::parse_reading_type(code);
    if (type) type->multiplier = 0;
    return type;
}

void append_instant(std::string& out, Instant at, const std::vector<ZoneOffset>& offsets) {
    int offset_s = 0;
    for (const auto& one : offsets)
        if (one.from <= at) offset_s = one.offset_s;
    const auto local = std::chrono::floor<std::chrono::seconds>(at) + std::chrono::seconds{offset_s};
    append_date_time(out, local);
    if (offset_s == 0) {
        out += 'Z';
        return;
    }
    const auto minutes = std::abs(offset_s) / 60;
    const auto digit = [](int value) { return static_cast<char>('0' + value); };
    out.append({offset_s < 0 ? '-' : '+', digit(minutes / 600), digit(minutes / 60 % 10), ':',
                digit(minutes % 60 / 10), digit(minutes % 10)});
}

ReadingXml::ReadingXml(const ReadingBank& bank, const std::vector<ReadingChannel>& channels,
                       const CimForm& form, const Wants& wants)
    : intervals_(bank.adds_up),
      stamp_back_(form.dialect.stamp_is_end || !bank.adds_up ? Duration{}
                                                             : std::chrono::seconds{bank.period_s}),
      form_(form) {
    for (const auto& channel : channels) {
        const auto type =
            cim::reading_type(channel.register_, bank.adds_up ? cim::Capture::period : cim::Capture::stored,
                              bank.period_s, channel.scaler, channel.unit);
        if (!type || !wants(channel.register_, *type)) continue;
        std::string element = "<ReadingType ref=\"";
        platform::append_xml_text(element, dialect_code(*type, form.dialect));
        channels_[channel.model].push_back(
            {.channel = channel.channel,
             .valid_from = channel.valid_from,
             .valid_to = channel.valid_to,
             .exponent = channel.scaler - dialect_type(*type, form.dialect).multiplier,
             .type = element + "\"/>"});
    }
}

void ReadingXml::each(const ReadingPiece& piece, const std::function<bool(const MeterRows&)>& take) {
    const std::span rows{piece.rows};
    const std::span findings{piece.findings};
    std::size_t finding = 0;
    for (std::size_t row = 0; row < rows.size();) {
        const auto meter = rows[row].meter;
        auto end = row;
        while (end < rows.size() && rows[end].meter == meter) ++end;
        while (finding < findings.size() && findings[finding].meter < meter) ++finding;
        auto last = finding;
        while (last < findings.size() && findings[last].meter == meter) ++last;
        if (!take({piece.meters[meter], rows.subspan(row, end - row),
                   findings.subspan(finding, last - finding)}))
            return;
        row = end;
    }
}

int ReadingXml::write_channel(std::string& out, const MeterRows& of, const Channel& channel) {
    const auto place = static_cast<std::size_t>(channel.channel - 1);
    const auto start = out.size();
    int readings = 0;
    if (intervals_) out.append("<IntervalBlocks>").append(channel.type);
    for (std::size_t i = 0; i < of.rows.size(); ++i) {
        const auto& row = of.rows[i];
        const auto& value = row.values[place];
        if (!value || row.at < channel.valid_from || row.at >= channel.valid_to) continue;
        ++readings;
        out.append(intervals_ ? "<IntervalReadings><timeStamp>" : "<Readings><timeStamp>").append(stamps_[i]);
        out.append("</timeStamp><value>");
        append_decimal(out, *value, channel.exponent);
        out.append("</value>");
        if ((row.quality >> (8 * place) & quality::clock_doubtful) != 0)
            append_quality(out, device_clock_doubtful);
        for (const auto& finding : of.findings)
            if (row.at >= finding.first && row.at <= finding.last) append_quality(out, finding.code);
        if (intervals_)
            out.append("</IntervalReadings>");
        else
            out.append(channel.type).append("</Readings>");
    }
    if (readings == 0)
        out.resize(start);
    else if (intervals_)
        out.append("</IntervalBlocks>");
    return readings;
}

std::size_t ReadingXml::width(const ReadingMeter& meter) const {
    const auto found = channels_.find(meter.model);
    return found == channels_.end() ? 0 : found->second.size();
}

int ReadingXml::write(std::string& out, const MeterRows& of) {
    const auto found = channels_.find(of.meter.model);
    if (found == channels_.end()) return 0;
    stamps_.resize(std::max(stamps_.size(), of.rows.size()));
    for (std::size_t i = 0; i < of.rows.size(); ++i) {
        stamps_[i].clear();
        append_instant(stamps_[i], of.rows[i].at - stamp_back_, form_.offsets);
    }
    const auto start = out.size();
    out.append("<MeterReading><Meter><Names><name>").append(to_string(of.meter.number));
    out.append("</name></Names></Meter>");
    int readings = 0;
    for (const auto& channel : found->second) readings += write_channel(out, of, channel);
    if (readings == 0)
        out.resize(start);
    else
        out.append("</MeterReading>");
    return readings;
}

}  // namespace wattmesh::headend::exchange
