#include "headend/exchange/reading_line.h"

#include <algorithm>

#include "headend/console/json.h"
#include "headend/database/ingest_rows.h"
#include "headend/exchange/reading_text.h"
#include "protocol/cim/reading_type.h"
#include "protocol/cosem/units.h"

namespace wattmesh::headend::exchange {
namespace {

constexpr std::string_view device_clock_error = "1.1.9";  ///< IEC 61968-9 quality

std::string head_of(const database::ReadingBank& bank, const database::ReadingChannel& channel) {
    const auto type =
        cim::reading_type(channel.register_, bank.adds_up ? cim::Capture::period : cim::Capture::stored,
                          bank.period_s, channel.scaler, channel.unit);
    console::Json json;
    json.open_object().field("channel", channel.channel).field("register", channel.register_);
    json.field("reading_type", type ? std::optional{to_string(*type)} : std::nullopt);
    json.field("unit", std::string{cosem::unit_name(channel.unit)})
        .field("scaler", channel.scaler)
        .key("value");
    return json.take();
}

}  // namespace

ReadingLines::ReadingLines(const database::ReadingBank& bank,
                           const std::vector<database::ReadingChannel>& channels,
                           const std::vector<ObisCode>& registers) {
    for (const auto& channel : channels)
        if (registers.empty() ||
            std::find(registers.begin(), registers.end(), channel.register_) != registers.end())
            channels_[channel.model].push_back(
                {channel.channel, channel.valid_from, channel.valid_to, head_of(bank, channel)});
}

bool ReadingLines::write(std::string& out, const database::ReadingMeter& meter,
                         const database::ReadingRow& row, const std::vector<std::string_view>& codes) const {
    const auto found = channels_.find(meter.model);
    if (found == channels_.end()) return false;
    const auto start = out.size();
    out.append(R"({"meter":")").append(to_string(meter.number));
    out.append(R"(","at":")");
    append_iso(out, row.at);
    out += '"';
    if (row.status != 0) out.append(R"(,"status":)").append(std::to_string(row.status));
    out.append(R"(,"values":[)");
    bool any = false;
    for (const auto& channel : found->second) {
        const auto place = static_cast<std::size_t>(channel.channel - 1);
        const auto& value = row.values[place];
        if (!value || row.at < channel.valid_from || row.at >= channel.valid_to) continue;
        if (any) out += ',';
        any = true;
        out.append(channel.head);
        append_decimal(out, *value, 0);
        out.append(R"(,"quality":[)");
        bool first = true;
        if ((row.quality >> (8 * place) & database::quality::clock_doubtful) != 0) {
            out.append("\"").append(device_clock_error).append("\"");
            first = false;
        }
        for (const auto code : codes) {
            out.append(first ? "\"" : ",\"").append(code).append("\"");
            first = false;
        }
        out.append("]}");
    }
    if (!any) {
        out.resize(start);
        return false;
    }
    out.append("]}");
    return true;
}

}  // namespace wattmesh::headend::exchange
