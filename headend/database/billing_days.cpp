// The readings that files are made of; the files' own tables are in billing_files.cpp.
#include "headend/database/billing_files.h"
#include "headend/database/binary_rows.h"
#include "headend/database/bindings.h"
#include "headend/database/ingest_rows.h"

namespace wattmesh::headend::database {
namespace {

constexpr int load_bank = 1, first_value = 3;

/// Where a meter's lines stand, and which of its columns each shows.
struct Place {
    std::size_t first = 0;
    std::vector<int> channels;
};
using Places = std::map<std::int64_t, Place>;

Places put_lines(Connection& connection, const std::string& list, const FileDay& day,
                 std::vector<DayLine>& lines) {
    const BinaryRows rows{
        connection,
        "select m.id, m.number, coalesce(u.number, ''), c.channel, c.register, c.scaler, c.unit, b.period_s "
        "from "
        "meter m join bank b on b.id = " +
            std::to_string(load_bank) +
            " join channel_map c on c.model = m.model and c.bank = b.id and c.valid_from_us <= $1 and "
            "c.valid_to_us > $1 left join lateral (select n.number from meter_installation i join "
            "network_node n "
            "on n.id = i.node where i.meter = m.id and i.kind = 4 and i.from_us < $2 and i.to_us > $1 order "
            "by "
            "i.from_us desc limit 1) u on true where m.id = any ('" +
            list + "') order by m.number, c.channel",
        {epoch_us(day.from), epoch_us(day.to)},
        "reading what a file's meters measure"};
    Places places;
    for (int i = 0; i < rows.size(); ++i) {
        DayLine line;
        line.meter = rows.integer(i, 0);
        line.number = device_number(rows.integer(i, 1));
        line.usage_point = rows.text(i, 2);
        line.register_ = ObisCode::parse(rows.text(i, 4)).value_or(ObisCode{});
        line.scaler = static_cast<int>(rows.integer(i, 5));
        line.unit = static_cast<int>(rows.integer(i, 6));
        line.period_s = static_cast<int>(rows.integer(i, 7));
        const auto count =
            static_cast<std::size_t>((day.to - day.from) / std::chrono::seconds{line.period_s});
        line.values.resize(count);
        line.quality.assign(count, 'N');
        auto& place = places[line.meter];
        if (place.channels.empty()) place.first = lines.size();
        place.channels.push_back(static_cast<int>(rows.integer(i, 3)) - 1);
        lines.push_back(std::move(line));
    }
    return places;
}

void put_values(Connection& connection, const std::string& list, const FileDay& day, const Places& places,
                std::vector<DayLine>& lines) {
    const BinaryRows rows{
        connection,
        "select meter, at_us, quality, v1, v2, v3, v4, v5, v6, v7, v8 from interval_row where "
        "meter = any ('" +
            list + "') and bank = $1 and at_us > $2 and at_us <= $3",
        {load_bank, epoch_us(day.from), epoch_us(day.to)},
        "reading the intervals of a file"};
    auto place = places.end();
    for (int i = 0; i < rows.size(); ++i) {
        const auto meter = rows.integer(i, 0);  // mostly the one of the row before
        if (place == places.end() || place->first != meter) place = places.find(meter);
        if (place == places.end()) continue;
        const auto at = from_epoch_us(rows.integer(i, 1)) - day.from;
        const auto quality = static_cast<std::uint64_t>(rows.integer(i, 2));
        for (std::size_t c = 0; c < place->second.channels.size(); ++c) {
            auto& line = lines[place->second.first + c];
            const auto period = std::chrono::seconds{line.period_s};
            if (at % period != Duration{}) continue;  // not of this day's quarters
            const auto slot = static_cast<std::size_t>(at / period) - 1;
            const int channel = place->second.channels[c];
            line.values[slot] = rows.maybe(i, first_value + channel);
            if (!line.values[slot]) continue;
            const bool doubtful = (quality >> (8 * channel) & quality::clock_doubtful) != 0;
            line.quality[slot] = doubtful ? 'E' : 'A';
        }
    }
}

void put_findings(Connection& connection, const std::string& list, const FileDay& day, const Places& places,
                  std::vector<DayLine>& lines) {
    const BinaryRows rows{connection,
                          "select meter, first_us, last_us from validation_finding where meter = any ('" +
                              list +
                              "') and bank = $1 and verdict = 'fail' and last_us > $2 and first_us <= $3",
                          {load_bank, epoch_us(day.from), epoch_us(day.to)},
                          "reading what rules say of a file's intervals"};
    for (int i = 0; i < rows.size(); ++i) {
        const auto place = places.find(rows.integer(i, 0));
        if (place == places.end()) continue;
        for (std::size_t c = 0; c < place->second.channels.size(); ++c) {
            auto& line = lines[place->second.first + c];
            for (std::size_t slot = 0; slot < line.values.size(); ++slot) {
                const auto end = epoch_us(day.from + std::chrono::seconds{line.period_s} * (slot + 1));
                if (end >= rows.integer(i, 1) && end <= rows.integer(i, 2) && line.quality[slot] == 'A')
                    line.quality[slot] = 'E';
            }
        }
    }
}

}  // namespace

std::vector<DayLine> BillingFiles::load(const std::vector<std::int64_t>& meters, const FileDay& day) {
    std::vector<DayLine> lines;
    if (meters.empty()) return lines;
    const auto list = array_text(meters);
    const auto places = put_lines(connection_, list, day, lines);
    put_values(connection_, list, day, places, lines);
    put_findings(connection_, list, day, places, lines);
    return lines;
}

}  // namespace wattmesh::headend::database
