#include "terminal-sim/meter/keypad.h"

#include <fmt/format.h>

#include "protocol/sts/amount.h"

namespace wattmesh::sim {
namespace {

using namespace sts;

std::string status_line(const Meter& meter, Instant now) {
    const PrepaidMeter prepaid = meter.prepaid_at(now);
    return fmt::format(
        R"("balance_wh":{},"relay":"{}","breaker":"{}","low":{},"emergency":{},"krn":{},"ti":{})",
        prepaid.balance(), to_string(prepaid.relay()), meter.closed(now) ? "closed" : "open",
        prepaid.balance() <= prepaid.settings().low_credit, prepaid.state().emergency,
        prepaid.state().key.revision, prepaid.state().key.tariff_index);
}

std::string entry_line(Meter& meter, const std::string& digits, Instant now) {
    const TokenEntry entry =
        meter.enter_token(digits, cosem::token_gateway::DeliveryMethod::manual_entry, now);
    std::string line =
        fmt::format(R"({{"ok":{},"result":"{}")", entry.refusal == Refusal::none, to_string(entry.refusal));
    if (entry.refusal != Refusal::none) line += fmt::format(R"(,"why":"{}")", explain(entry.refusal));
    const auto* credit = entry.content ? std::get_if<Credit>(&*entry.content) : nullptr;
    if (credit != nullptr) line += fmt::format(R"(,"kwh":"{}")", tenths_text(decode_units(credit->amount)));
    if (entry.sections > 0)
        line += fmt::format(R"(,"key_change":"{} of {}")", entry.sections, entry.sections_wanted);
    for (const auto& [name, value] : entry.shown) line += fmt::format(R"(,"{}":"{}")", name, value);
    return line + "," + status_line(meter, now) + "}";
}

}  // namespace

std::string keypad_answer(Meter& meter, std::string_view line, Instant now) {
    meter.advance(now);
    const auto blank = line.find(' ');
    const std::string_view word = line.substr(0, blank);
    if (word == "enter" && blank != std::string_view::npos)
        return entry_line(meter, std::string{line.substr(blank + 1)}, now);
    if (line == "status") return "{\"ok\":true," + status_line(meter, now) + "}";
    if (line == "emergency" || line == "button") {
        const bool done = line == "emergency" ? meter.take_emergency(now) : meter.reconnect_by_hand(now);
        return fmt::format(R"({{"ok":{},{}}})", done, status_line(meter, now));
    }
    if (line == "generator on" || line == "generator off") {
        meter.feed_from_behind(line == "generator on");
        return "{\"ok\":true," + status_line(meter, now) + "}";
    }
    return R"({"ok":false,"error":"say enter TOKEN, emergency, button, generator on, generator off or status"})";
}

}  // namespace wattmesh::sim
