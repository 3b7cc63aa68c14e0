#pragma once
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "headend/database/cim_dialects.h"
#include "headend/exchange/reading_pieces.h"
#include "headend/exchange/reading_text.h"
#include "protocol/cim/reading_type.h"

namespace wattmesh::headend::exchange {

/// How a contract wants readings written.
struct CimForm {
    database::CimDialect dialect;
    std::vector<database::ZoneOffset> offsets;  ///< of its zone, for the time in question
};
CimForm cim_form(database::Connection& connection, const database::Contract& contract, Instant from,
                 Instant to);
CimForm cim_form(RestDesk& desk, const database::Contract& contract, Instant from, Instant to);

/// The type with the contract's unit, and its code in the contract's words.
cim::ReadingType dialect_type(cim::ReadingType type, const database::CimDialect& dialect);
std::string dialect_code(const cim::ReadingType& type, const database::CimDialect& dialect);
/// Ours, with multiplier 0; nothing when it is neither his nor eighteen numbers.
std::optional<cim::ReadingType> known_type(const std::string& code, const database::CimDialect& dialect);
/// Appends "2026-03-10T00:15:00+01:00"; "Z" for UTC. Whole seconds.
void append_instant(std::string& out, Instant at, const std::vector<database::ZoneOffset>& offsets);

inline constexpr std::string_view xml_declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
inline constexpr std::string_view meter_readings_open =
    "<MeterReadings xmlns=\"http://iec.ch/TC57/2011/MeterReadings#\">";
inline constexpr std::string_view meter_readings_close = "</MeterReadings>";

/// Writes elements MeterReading of IEC 61968-9: of one profile, one for each meter. Values are exact
/// decimals in the contract's unit. Registers that we know no ReadingType of are left out.
class ReadingXml {
public:
    using Wants = std::function<bool(const ObisCode&, const cim::ReadingType&)>;
    /// `form` outlives it.
    ReadingXml(const database::ReadingBank& bank, const std::vector<database::ReadingChannel>& channels,
               const CimForm& form, const Wants& wants);

    struct MeterRows {
        const database::ReadingMeter& meter;
        std::span<const database::ReadingRow> rows;  ///< at least one
        std::span<const database::ReadingFinding> findings;
    };
    /// The meters of a piece that have rows, until `take` has enough (returns false).
    static void each(const ReadingPiece& piece, const std::function<bool(const MeterRows&)>& take);
    /// Readings that a row of the meter has at most.
    std::size_t width(const database::ReadingMeter& meter) const;
    /// Appends the meter's element; how many readings it has. Nothing is written when there are none.
    int write(std::string& out, const MeterRows& of);

private:
    struct Channel {
        int channel = 0;
        Instant valid_from{}, valid_to{};
        int exponent = 0;
        std::string type;  ///< the element ReadingType
    };
    int write_channel(std::string& out, const MeterRows& of, const Channel& channel);

    const bool intervals_;
    const Duration stamp_back_;
    const CimForm& form_;
    std::map<std::string, std::vector<Channel>, std::less<>> channels_;  ///< by model
    std::vector<std::string> stamps_;  ///< of the rows at hand, made once for all channels
};

}  // namespace wattmesh::headend::exchange
