#include "headend/exchange/reading_pieces.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace wattmesh::headend::exchange {
namespace {

constexpr std::int64_t piece_rows = 20'000;  ///< in memory at once, about
constexpr int piece_meters_max = 1'000;

}  // namespace

ReadingPieces::ReadingPieces(RestDesk& desk, const database::Contract& contract, ReadingQuery query,
                             const std::optional<ReadingPlace>& after)
    : desk_(desk), contract_(contract), query_(std::move(query)), after_(after), again_(after.has_value()) {
    begin();
}

ReadingPieces::ReadingPieces(RestDesk& desk, const database::Contract& contract, ReadingQuery query,
                             const std::optional<ReadingPlace>& after, std::int64_t rows_wanted)
    : desk_(desk),
      contract_(contract),
      query_(std::move(query)),
      rows_wanted_(rows_wanted),
      after_(after),
      again_(after.has_value()) {
    begin();
}

void ReadingPieces::begin() {
    if (after_) last_ = after_->meter;
    const auto each = (query_.to - query_.from) / std::chrono::seconds{query_.bank.period_s} + 1;
    const auto rows = std::min(rows_wanted_.value_or(piece_rows), piece_rows);
    meters_at_once_ = static_cast<int>(std::clamp<std::int64_t>(rows / each, 1, piece_meters_max));
    const auto connection = desk_.seen(contract_);
    channels_ = database::PartnerReadings{*connection}.channels(query_.bank);
}

std::optional<ReadingPiece> ReadingPieces::next() {
    if (rows_wanted_) return load();
    auto piece = ahead_.valid() ? ahead_.get() : load();
    if (piece) ahead_ = std::async(std::launch::async, [this] { return load(); });
    return piece;
}

std::optional<ReadingPiece> ReadingPieces::load() {
    if (desk_.stopping) throw std::runtime_error("the head-end stops");
    const auto connection = desk_.seen(contract_);
    database::PartnerReadings readings{*connection};
    ReadingPiece piece;
    auto from = query_.from;
    if (std::exchange(again_, false)) {
        piece.meters = readings.meters({*last_}, std::nullopt, 1);  // none: it is not the contract's any more
        from = std::max(from, after_->at);
    }
    if (piece.meters.empty()) {
        from = query_.from;
        piece.meters = readings.meters(query_.meters, last_, meters_at_once_);
        if (piece.meters.empty()) return std::nullopt;
        last_ = piece.meters.back().number;
    }
    const auto most = piece.meters.size() == 1 ? rows_wanted_.value_or(INT64_MAX) : INT64_MAX;
    piece.rows = readings.rows(piece.meters, query_.bank, from, query_.to, most);
    piece.findings = readings.findings(piece.meters, query_.bank, from, query_.to);
    if (static_cast<std::int64_t>(piece.rows.size()) == most) {
        again_ = true;
        after_ = {*last_, piece.rows.back().at};
    }
    return piece;
}

}  // namespace wattmesh::headend::exchange
