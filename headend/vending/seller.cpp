#include "headend/vending/seller.h"

#include <algorithm>
#include <array>

#include "headend/database/deliveries.h"

namespace wattmesh::headend::vending {
namespace {

using database::Connection;
using database::Intended;
using database::Sale;
using database::SaleKind;
using database::SaleState;
constexpr int attempts_max = 20;

Objection objection(Reason reason, std::string words) { return {reason, std::move(words)}; }

/// Kinds of the ledger's accounts.
std::string_view account_kind(pricing::LineKind kind) {
    return kind == pricing::LineKind::credit ? "customer" : to_string(kind);
}

std::string account_name(const pricing::Line& line, const std::string& vendor, const std::string& customer) {
    if (line.kind == pricing::LineKind::fee) return vendor;
    if (line.kind == pricing::LineKind::credit) return customer;
    if (line.kind == pricing::LineKind::charge) return "monthly";
    if (line.kind == pricing::LineKind::debt) return "arrears";
    return line.name;
}

}  // namespace

std::string_view to_string(Reason reason) {
    constexpr std::array<std::string_view, 12> words{
        "unknown_meter", "blocked_meter",   "no_account", "no_key", "terminal_disabled", "tender",
        "vendor_credit", "too_many_tokens", "key_reused", "busy",   "module_away",       "not_possible"};
    return words[static_cast<std::size_t>(reason)];
}

SaleAnswer Seller::sell(Connection& connection, const Order& order) {
    database::Sales sales{connection};
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        if (const auto before = sales.find(order.terminal.id, order.key))
            return again(connection, *before, order);
        auto drafted = draft(connection, order);
        if (auto* no = std::get_if<Objection>(&drafted)) return std::move(*no);
        auto& draft = std::get<Draft>(drafted);
        reached(Step::read);
        switch (sales.intend(draft.sale, &draft.ground)) {
            case Intended::stored:
                reached(Step::intended);
                return finish(connection, draft, order.terminal);
            case Intended::credit:
                return credit_objection(order.terminal.vendor);
            case Intended::stale:
            case Intended::key_taken:
                break;
        }
    }
    return objection(Reason::busy,
                     "Others kept selling to this account, or the key of its meter is being changed. "
                     "Nothing was sold; try again.");
}

SaleAnswer Seller::again(Connection& connection, const Sale& before, const Order& order) {
    if (before.body_hash != order.body_hash)
        return objection(Reason::key_reused, "This Idempotency-Key came with another order before (sale " +
                                                 std::to_string(before.id.value) + ").");
    if (auto reply = stored(before)) return std::move(*reply);
    return resume(connection, before.id);
}

SaleAnswer Seller::resume(Connection& connection, database::SaleId id) {
    auto sale = database::Sales{connection}.find(id);
    if (!sale) throw std::logic_error("a sale that is not there is resumed");
    if (auto reply = stored(*sale)) return std::move(*reply);
    const auto terminal = database::Vendors{connection}.terminal(sale->terminal);
    const auto meter = sale->meter ? database::Customers{connection}.meter(*sale->meter) : std::nullopt;
    const auto ground = meter ? database::Sales{connection}.ground(meter->pan, sale->at) : std::nullopt;
    if (!terminal || !ground) throw std::logic_error("a sale lost its terminal or its meter");
    return finish(connection, {std::move(*sale), *ground}, *terminal);
}

SaleAnswer Seller::finish(Connection& connection, const Draft& draft,
                          const database::VendTerminal& terminal) {
    const auto now = this->now();
    std::vector<database::TokenMade> made;
    Digits digits;
    for (const auto& token : draft.sale.tokens) {
        try {
            const auto answer = make(ports_.module, token, now);
            if (const auto* refusal = std::get_if<security::ModuleRefusal>(&answer)) {
                if (made.empty()) return refuse(connection, draft, *refusal);
                return objection(Reason::module_away,
                                 "The sale is noted as number " + std::to_string(draft.sale.id.value) +
                                     ", but the vending module refuses its second token: " +
                                     std::string{explain(*refusal)} +
                                     " Tell whoever looks after the module, then ask again with the same "
                                     "key.");
            }
            const auto& issued = std::get<security::Issued>(answer);
            made.push_back({token.request, issued.sequence, issued.at});
            digits.push_back(issued.tokens);
        } catch (const security::ModuleUnreachable&) {
            return objection(Reason::module_away,
                             "The sale is noted as number " + std::to_string(draft.sale.id.value) +
                                 ", but its token is not made yet. Ask again with the same key.");
        }
        reached(Step::token_made);
    }
    reached(Step::tokens_made);
    const auto version = draft.sale.tariff.value_or(pricing::TariffVersionId{});
    const auto name =
        version == pricing::TariffVersionId{} ? std::string{} : tariff(connection, version).name;
    const auto reply = end(connection, draft, made, digits,
                           {200, receipt(draft.sale, draft.ground, terminal, name, digits)});
    reached(Step::completed);
    return reply;
}

SaleAnswer Seller::refuse(Connection& connection, const Draft& draft, security::ModuleRefusal refusal) {
    console::Json json;
    const std::string words{explain(refusal)};
    json.open_object()
        .field("type", "about:blank")
        .field("title", "The vending module refuses")
        .field("status", 409);
    json.field("detail", words + " Nothing was sold.").field("reason", std::string{to_string(refusal)});
    const Reply reply{409, json.field("sale", draft.sale.id.value).close_object().take()};
    const auto& sale = draft.sale;
    const bool ours =
        database::Sales{connection}.refuse(sale.id, now(), sale.operator_, words, seal(sale, reply));
    return ours ? reply : stored_end(connection, sale.id);
}

Reply Seller::end(Connection& connection, const Draft& draft, const std::vector<database::TokenMade>& made,
                  const Digits& digits, const Reply& reply) {
    const auto& sale = draft.sale;
    const auto sealed = seal(sale, reply);
    const auto sent = parcel(draft, digits);
    database::Sales sales{connection};
    if (sale.kind != SaleKind::key_change) {
        return sales.complete(sale.id, now(), sealed, made, sent) ? reply : stored_end(connection, sale.id);
    }
    const auto target = target_of(sale.tokens.front());
    const auto base = target ? base_of(target->vending_key) : std::nullopt;
    if (!base) throw std::runtime_error("the module lost the key that it changed a meter to");
    database::Transaction transaction{connection};
    const bool ours = sales.complete(sale.id, now(), sealed, made, sent);
    if (ours)
        database::Customers{connection}.set_key(*sale.meter, target->vending_key.supply_group,
                                                target->vending_key.revision, target->tariff_index, *base);
    transaction.commit();
    return ours ? reply : stored_end(connection, sale.id);
}

database::Parcel Seller::parcel(const Draft& draft, const Digits& digits) const {
    database::Parcel parcel{{}, now() + delivered_within};
    if (!draft.ground.meter.gateway) return parcel;
    for (const auto& set : digits)
        for (const auto& token : set) {
            auto text = to_string(token);
            text.resize((text.size() + 7) / 8 * 8, ' ');
            const auto place = static_cast<int>(parcel.sealed.size());
            parcel.sealed.push_back(
                ports_.master.wrap(database::parcel_purpose(draft.sale.id, place), as_bytes(text)));
        }
    return parcel;
}

Reply Seller::stored_end(Connection& connection, database::SaleId id) {
    const auto sale = database::Sales{connection}.find(id);
    auto reply = sale ? stored(*sale) : std::nullopt;
    if (!reply) throw std::runtime_error("sale " + std::to_string(id.value) + " has ended without an answer");
    return std::move(*reply);
}

Buffer Seller::seal(const Sale& sale, const Reply& reply) const {
    auto text = std::to_string(reply.status) + reply.body;
    text.resize((text.size() + 7) / 8 * 8, ' ');  // a body ends with a brace
    return ports_.master.wrap("sale " + std::to_string(sale.id.value), as_bytes(text));
}

std::optional<Reply> Seller::stored(const Sale& sale) const {
    if (sale.response.empty()) return std::nullopt;
    const auto opened = ports_.master.unwrap("sale " + std::to_string(sale.id.value), sale.response);
    if (!opened)
        throw std::runtime_error("the answer of sale " + std::to_string(sale.id.value) + " was altered");
    const auto octets = opened->reveal();
    std::string text{octets.begin(), octets.end()};
    text.erase(text.find_last_not_of(' ') + 1);
    return Reply{std::stoi(text.substr(0, 3)), text.substr(3)};
}

database::LedgerAccountId Seller::account(Connection& connection, TenantId tenant, pricing::LineKind kind,
                                          const std::string& name) {
    const std::tuple key{tenant, kind, name};
    {
        const std::lock_guard lock{mutex_};
        if (const auto known = accounts_.find(key); known != accounts_.end()) return known->second;
    }
    const auto id = database::Vendors{connection}.account(tenant, account_kind(kind), name);
    const std::lock_guard lock{mutex_};
    accounts_.emplace(key, id);
    return id;
}

const pricing::Tariff& Seller::tariff(Connection& connection, pricing::TariffVersionId version) {
    {
        const std::lock_guard lock{mutex_};
        if (const auto known = tariffs_.find(version); known != tariffs_.end()) return known->second;
    }
    auto read = database::Tariffs{connection}.version(version);
    if (!read) throw std::logic_error("a tariff's version is not there");
    const std::lock_guard lock{mutex_};
    return tariffs_.emplace(version, std::move(*read)).first->second;  // versions never change, and stay
}

std::optional<sts::BaseDate> Seller::base_of(const security::VendingKeyName& key) {
    {
        const std::lock_guard lock{mutex_};
        if (const auto known = bases_.find(key); known != bases_.end()) return known->second;
    }
    const auto keys = ports_.module.keys();
    const std::lock_guard lock{mutex_};
    for (const auto& state : keys) bases_[state.terms.name] = state.terms.base;
    const auto known = bases_.find(key);
    return known == bases_.end() ? std::nullopt : std::optional{known->second};
}

void Seller::post(Connection& connection, const Order& order, Draft& draft,
                  const std::vector<pricing::Line>& lines) {
    auto& sale = draft.sale;
    const auto& vendor = order.terminal.vendor;
    sale.lines.reserve(lines.size());
    for (const auto& line : lines) {
        if (line.amount == pricing::Money{}) continue;
        sale.lines.push_back({line, vendor.account,
                              account(connection, sale.tenant, line.kind,
                                      account_name(line, vendor.name, draft.ground.account_number))});
    }
}

std::variant<database::SaleGround, Objection> Seller::ground(Connection& connection,
                                                             const database::VendTerminal& terminal,
                                                             const sts::MeterPan& meter, Instant at) {
    if (terminal.disabled || terminal.vendor.disabled)
        return objection(Reason::terminal_disabled, "Terminal " + terminal.name + " may not sell.");
    auto found = database::Sales{connection}.ground(meter, at);
    const std::string number{meter.meter_number()};
    if (!found || found->meter.tenant != terminal.vendor.tenant)
        return objection(Reason::unknown_meter, "There is no meter " + number + " here.");
    if (found->meter.blocked_why)
        return objection(Reason::blocked_meter,
                         "Meter " + number + " is blocked: " + *found->meter.blocked_why + ".");
    if (!found->account)
        return objection(Reason::no_account,
                         "Meter " + number + " has no account, or its tariff is not in force yet.");
    return std::move(*found);
}

Objection Seller::tender_objection(const pricing::Tariff& tariff, const pricing::Fee& fee,
                                   const pricing::Standing& standing, pricing::Refusal refusal) const {
    if (refusal == pricing::Refusal::tender_too_small)
        if (const auto least = pricing::least_tender(tariff, fee, standing, {1}))
            return objection(Reason::tender, "The least that buys something here now is " +
                                                 money_text(ports_.front, *least) + ".");
    return objection(Reason::tender, "This sum is refused: " + std::string{to_string(refusal)} + ".");
}

std::optional<Objection> Seller::price(Connection& connection, const Order& order, Draft& draft) {
    const auto& tariff = this->tariff(connection, draft.ground.tariff);
    const auto& fee = order.terminal.vendor.fee;
    if (draft.ground.counted) return price_credit(connection, order, draft);
    auto priced = pricing::quote(tariff, fee, draft.ground.standing, order.tender);
    if (const auto* refusal = std::get_if<pricing::Refusal>(&priced))
        return tender_objection(tariff, fee, draft.ground.standing, *refusal);
    const auto& quote = std::get<pricing::Quote>(priced);
    draft.sale.units = quote.units;
    draft.sale.free_units = quote.free_units;
    draft.sale.counted = tariff.free_units_count ? quote.units + quote.free_units : quote.units;
    post(connection, order, draft, quote.lines);
    return std::nullopt;
}

std::optional<Objection> Seller::pay_debts(Connection& connection, const Order& order, Draft& draft) {
    auto left = order.tender;
    std::vector<pricing::Line> lines;
    for (const auto& debt : draft.ground.standing.debts) {
        const auto paid = std::min(left, debt.balance);
        left -= paid;
        lines.push_back({.kind = pricing::LineKind::debt,
                         .name = debt.name,
                         .amount = paid,
                         .debt = debt.id,
                         .balance = debt.balance - paid});
    }
    if (order.tender <= pricing::Money{} || left > pricing::Money{})
        return objection(Reason::tender,
                         "This account owes " + money_text(ports_.front, order.tender - left) + ".");
    post(connection, order, draft, lines);
    return std::nullopt;
}

std::optional<Objection> Seller::add_tokens(const Order& order, Draft& draft) {
    auto& tokens = draft.sale.tokens;
    const auto& meter = draft.ground.meter;
    const auto now_tid = sts::tid_at(meter.base, draft.sale.at);
    auto last = meter.last_tid;
    const auto name = [&] { return request_name(order.terminal.name, order.key, tokens.size()); };
    const auto next = [&] {
        const auto tid = now_tid ? sts::next_tid(*now_tid, last) : std::nullopt;
        if (tid) last = tid;
        return tid;
    };
    const auto ahead = objection(
        Reason::too_many_tokens,
        "This meter got so many tokens that their numbers run ahead of the clock, or the clock was set back. "
        "Nothing was sold; try again later.");
    if (draft.sale.units > pricing::Tenths{}) {
        const auto tid = next();
        if (!tid) return ahead;
        const char* kind = draft.sale.kind == SaleKind::free       ? "free"
                           : draft.sale.kind == SaleKind::transfer ? "transfer"
                                                                   : "credit";
        tokens.push_back(credit_order(meter, name(), kind, *tid, draft.sale.units));
    }
    if (draft.sale.free_units > pricing::Tenths{}) {
        const auto tid = next();
        if (!tid) return ahead;
        tokens.push_back(credit_order(meter, name(), "free", *tid, draft.sale.free_units));
    }
    if (order.command) {
        const auto tid = next();
        if (!tid) return ahead;
        tokens.push_back(command_order(meter, name(), *tid, *order.command));
    }
    if (order.target) tokens.push_back(key_order(meter, name(), *order.target));
    return std::nullopt;
}

std::optional<Objection> Seller::key_objection(const database::PrepaidMeter& meter) {
    const auto key = key_of(meter).vending_key;
    const auto base = base_of(key);
    if (base == meter.base) return std::nullopt;
    return objection(
        Reason::no_key,
        base ? "The record of this meter says another base date than vending key " + to_string(key) + "."
             : "The vending module has no key " + security::to_string(key) + " for this meter.");
}

/// A module refuses each token by itself: of two, the first could use up what the second needs.
std::optional<Objection> Seller::over_limit(const Draft& draft) {
    if (draft.sale.tokens.size() < 2) return std::nullopt;
    const auto name = key_of(draft.ground.meter).vending_key;
    std::uint64_t wanted = 0;
    for (const auto& token : draft.sale.tokens)
        if (const auto units = units_on(token)) wanted += static_cast<std::uint64_t>(units->count);
    for (const auto& key : ports_.module.keys())
        if (key.terms.name == name && key.units + wanted > key.terms.units_limit)
            return objection(
                Reason::not_possible,
                std::string{explain(security::ModuleRefusal::limit_reached)} + " Nothing was sold.");
    return std::nullopt;
}

std::variant<Seller::Draft, Objection> Seller::draft(Connection& connection, const Order& order) {
    const auto at = now();
    auto grounds = ground(connection, order.terminal, order.meter, at);
    if (auto* no = std::get_if<Objection>(&grounds)) return std::move(*no);
    Draft draft{{}, std::move(std::get<database::SaleGround>(grounds))};
    const bool without_token =
        order.kind == SaleKind::payment || (draft.ground.counted && order.kind == SaleKind::sale);
    if (auto no = counted_objection(order.kind, draft.ground)) return std::move(*no);
    if (!without_token)
        if (auto no = key_objection(draft.ground.meter)) return std::move(*no);
    if (order.target && !base_of(order.target->vending_key))
        return objection(Reason::no_key, "The vending module has no key " +
                                             security::to_string(order.target->vending_key) + ".");
    auto& sale = draft.sale;
    sale.tenant = order.terminal.vendor.tenant;
    sale.kind = order.kind;
    sale.terminal = order.terminal.id;
    sale.key = order.key;
    sale.body_hash = order.body_hash;
    sale.operator_ = order.operator_;
    sale.vendor = order.terminal.vendor.id;
    sale.account = draft.ground.account;
    sale.meter = draft.ground.meter.id;
    sale.tariff = draft.ground.tariff;
    sale.at = at;
    sale.day = draft.ground.day;
    sale.tender = order.tender;
    sale.pay_type = order.pay_type;
    sale.reason = order.reason;
    sale.charged_before = draft.ground.standing.charged_until;
    sale.units = order.units;
    std::optional<Objection> no;
    if (order.kind == SaleKind::sale) no = price(connection, order, draft);
    if (order.kind == SaleKind::payment) no = pay_debts(connection, order, draft);
    if (order.kind == SaleKind::claim) no = claim(connection, draft);
    if (order.kind == SaleKind::transfer) no = transfer(connection, order, draft);
    if (!no) no = add_tokens(order, draft);
    if (!no) no = over_limit(draft);
    if (no) return std::move(*no);
    return draft;
}

}  // namespace wattmesh::headend::vending
