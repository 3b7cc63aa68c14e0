#include "headend/exchange/reading_pieces.h"

#include <algorithm>
#include <stdexcept>

namespace wattmesh::headend::exchange {
namespace {

constexpr std::int64_t piece_rows = 20'000;  ///< in memory at once, about
constexpr int piece_meters_max = 1'000;

}  // namespace

ReadingPieces::ReadingPieces(RestDesk& desk, const database::Contract& contract, ReadingQuery query,
                             const std::optional<ReadingPlace>& after)
    : desk_(desk), contract_(contract), query_(std::move(query)), after_(after), again_(after.has_value()) {
    if (after) last_ = after->meter;
    const auto each = (query_.to - query_.from) / std::chrono::seconds{query_.bank.period_s} + 1;
    meters_at_once_ = static_cast<int>(std::clamp<std::int64_t>(piece_rows / each, 1, piece_meters_max));
    const auto connection = desk_.seen(contract_);
    channels_ = database::PartnerReadings{*connection}.channels(query_.bank);
}

std::optional<ReadingPiece> ReadingPieces::next() {
    if (desk_.stopping) throw std::runtime_error("the head-end stops");
    const auto connection = desk_.seen(contract_);
    database::PartnerReadings readings{*connection};
    ReadingPiece piece;
    auto from = query_.from;
    if (again_) {
        again_ = false;
        piece.meters = readings.meters({*last_}, std::nullopt, 1);
        from = std::max(from, after_->at);
        if (piece.meters.empty()) return next();  // it is not the contract's any more
    } else {
        piece.meters = readings.meters(query_.meters, last_, meters_at_once_);
        if (piece.meters.empty()) return std::nullopt;
        last_ = piece.meters.back().number;
    }
    piece.rows = readings.rows(piece.meters, query_.bank, from, query_.to);
    piece.findings = readings.findings(piece.meters, query_.bank, from, query_.to);
    return piece;
}

}  // namespace wattmesh::headend::exchange
