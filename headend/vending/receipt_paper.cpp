#include "headend/vending/receipt_paper.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <fmt/format.h>
#include <hpdf.h>

#include <numeric>
#include <stdexcept>

#include "headend/jobs/latin.h"

namespace wattmesh::headend::vending {
namespace {

using Receipt = Poco::JSON::Object::Ptr;
constexpr float paper_width = 227, paper_margin = 14;  // 80 mm, in points

/// One line on paper; `right` is set against the right edge.
struct PaperLine {
    std::string left, right{};
    float size = 8;
    bool bold = false;
};

Receipt opened_receipt(const std::string& text) {
    try {
        return Poco::JSON::Parser{}.parse(text).extract<Receipt>();
    } catch (const Poco::Exception& error) {
        throw std::runtime_error("a stored receipt cannot be read: " + error.displayText());
    }
}

std::string said(const Receipt& object, const char* name) { return object->optValue<std::string>(name, ""); }
std::int64_t counted(const Receipt& object, const char* name) {
    return object->optValue<Poco::Int64>(name, 0);
}
template <class Each>
void each_of(const Receipt& object, const char* name, Each&& take) {
    const auto array = object->getArray(name);
    for (unsigned i = 0; !array.isNull() && i < array->size(); ++i) take(array->getObject(i));
}
bool has_units(const std::string& units) { return !units.empty() && units != "0.0"; }

/// The digits of every token, those of key changes first: the meter takes the others only afterwards.
std::vector<std::pair<std::string, std::string>> digits_of(const Receipt& receipt) {
    std::vector<std::pair<std::string, std::string>> result;
    for (const bool keys : {true, false})
        each_of(receipt, "tokens", [&](const Receipt& token) {
            if ((said(token, "kind") == "key_change") != keys) return;
            const auto digits = token->getArray("digits");
            for (unsigned i = 0; i < digits->size(); ++i) {
                auto what = keys ? fmt::format("Key change {} of {}", i + 1, digits->size())
                            : said(token, "kind") == "management" ? "Command"
                                                                  : "Token";
                if (has_units(said(token, "units"))) what += " " + said(token, "units") + " kWh";
                if (said(token, "kind") == "free") what += ", free";
                if (said(token, "kind") == "transfer") what += ", moved";
                result.emplace_back(what, digits->getElement<std::string>(i));
            }
        });
    return result;
}

/// Parts of a million as "15 %".
std::string percent_text(std::int64_t ppm) {
    auto text = fmt::format("{}.{:04}", ppm / 10'000, ppm % 10'000);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text + " %";
}

std::string line_words(const Shopfront& front, const Receipt& line) {
    const auto kind = said(line, "kind");
    auto words = kind == "fee" ? "Fee" : kind == "rounding" ? "Rounding" : said(line, "name");
    if (kind == "charge") words = "Charge, " + words;
    Shopfront price = front;  // of a unit: three places more, in thousandths of a coin
    price.decimals += 3;
    price.currency.clear();
    if (has_units(said(line, "units"))) words += " " + said(line, "units") + " kWh";
    if (line->has("price_mills")) words += " at " + money_text(price, {counted(line, "price_mills")});
    if (line->has("ppm"))
        words +=
            " " + percent_text(counted(line, "ppm")) + " of " + money_text(front, {counted(line, "base")});
    if (line->has("balance"))
        words += (kind == "credit" ? ", balance then " : ", still owed ") +
                 money_text(front, {counted(line, "balance")});
    return words;
}

std::vector<PaperLine> paper_lines(const Shopfront& front, const Receipt& receipt, std::optional<int> copy) {
    std::vector<PaperLine> lines{{front.utility, "", 12, true}};
    for (const auto& part : {front.address, front.tax_number.empty() ? "" : "Tax no. " + front.tax_number})
        if (!part.empty()) lines.push_back({part});
    if (copy) lines.push_back({fmt::format("COPY {}", *copy), "", 12, true});
    const auto pair = [&](const std::string& name, const std::string& value) {
        if (!value.empty()) lines.push_back({name, value});
    };
    const auto customer = receipt->getObject("customer");
    auto at = said(receipt, "at").substr(0, 19);
    if (at.size() == 19) at[10] = ' ';
    pair("Receipt", said(receipt, "sale"));
    pair("Date", at + " UTC");
    pair("Sold by", said(receipt, "vendor") + ", " + said(receipt, "terminal"));
    pair("Operator", said(receipt, "operator"));
    pair("Customer", said(customer, "number"));
    pair("", said(customer, "name"));
    pair("", said(customer, "address"));
    pair("Meter", said(receipt, "meter"));
    pair("Tariff", said(receipt, "tariff"));
    each_of(receipt, "tokens", [&](const Receipt& token) {
        pair(said(token, "kind") == "key_change" ? "From key" : "Key",
             fmt::format("SGC {} KRN {} TI {:02}", said(token, "supply_group"),
                         counted(token, "key_revision"), counted(token, "tariff_index")));
    });
    lines.push_back({""});
    each_of(receipt, "lines", [&](const Receipt& line) {
        lines.push_back({line_words(front, line), money_text(front, {counted(line, "amount")})});
    });
    if (counted(receipt, "tender") > 0)
        lines.push_back(
            {"Paid, " + said(receipt, "pay_type"), money_text(front, {counted(receipt, "tender")}), 9, true});
    if (has_units(said(receipt, "units")))
        lines.push_back({"Units", said(receipt, "units") + " kWh", 9, true});
    if (has_units(said(receipt, "free_units")))
        lines.push_back({"Free units", said(receipt, "free_units") + " kWh", 9, true});
    if (const auto account = receipt->getObject("account"); !account.isNull())
        lines.push_back({"Balance", money_text(front, {counted(account, "balance")}), 12, true});
    const auto tokens = digits_of(receipt);
    if (tokens.size() > 1) lines.push_back({"Type them in, in this order:"});
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        lines.push_back({""});
        lines.push_back({fmt::format("{}. {}", i + 1, tokens[i].first)});
        lines.push_back({tokens[i].second, "", 15, true});
    }
    if (!front.help_line.empty()) lines.insert(lines.end(), {{""}, {"Help", front.help_line}});
    return lines;
}

[[noreturn]] void paper_failed(HPDF_STATUS error, HPDF_STATUS detail, void*) {
    throw std::runtime_error(fmt::format("cannot write a receipt: libharu error {:#x} ({})", error, detail));
}

struct PaperDocument {
    PaperDocument() : handle(HPDF_New(paper_failed, nullptr)) {
        if (handle == nullptr) throw std::runtime_error("cannot begin a PDF file");
    }
    ~PaperDocument() { HPDF_Free(handle); }
    PaperDocument(const PaperDocument&) = delete;
    PaperDocument& operator=(const PaperDocument&) = delete;
    HPDF_Doc handle;
};

void write_line(HPDF_Page page, HPDF_Font font, const PaperLine& line, float y) {
    const auto right = jobs::latin1(line.right);
    auto left = jobs::latin1(line.left);
    HPDF_Page_SetFontAndSize(page, font, line.size);
    const float edge = paper_width - paper_margin - HPDF_Page_TextWidth(page, right.c_str());
    const float room = edge - paper_margin - (right.empty() ? 0 : 6);
    while (left.size() > 1 && HPDF_Page_TextWidth(page, left.c_str()) > room) {
        left.resize(left.size() - 2);
        left += '~';
    }
    HPDF_Page_BeginText(page);
    HPDF_Page_TextOut(page, paper_margin, y, left.c_str());
    HPDF_Page_EndText(page);
    if (right.empty()) return;
    HPDF_Page_BeginText(page);
    HPDF_Page_TextOut(page, edge, y, right.c_str());
    HPDF_Page_EndText(page);
}

}  // namespace

std::string sms_text(const Shopfront& front, const std::string& receipt) {
    const auto object = opened_receipt(receipt);
    auto text = front.utility + ": ";
    if (has_units(said(object, "units"))) text += said(object, "units") + " kWh ";
    if (counted(object, "tender") > 0) text += "for " + money_text(front, {counted(object, "tender")}) + ", ";
    text += "meter " + said(object, "meter") + ".";
    if (const auto account = object->getObject("account"); !account.isNull())
        text += " Balance of the account: " + money_text(front, {counted(account, "balance")}) + ".";
    for (const auto& [what, digits] : digits_of(object)) text += " " + what + ": " + digits + ".";
    return text + " Receipt " + said(object, "sale") + ".";
}

Buffer receipt_pdf(const Shopfront& front, const std::string& receipt, std::optional<int> copy) {
    const auto lines = paper_lines(front, opened_receipt(receipt), copy);
    const PaperDocument document;
    HPDF_SetCompressionMode(document.handle, HPDF_COMP_ALL);
    const auto font = HPDF_GetFont(document.handle, "Helvetica", "WinAnsiEncoding");
    const auto bold = HPDF_GetFont(document.handle, "Helvetica-Bold", "WinAnsiEncoding");
    const auto page = HPDF_AddPage(document.handle);
    const float high = std::accumulate(lines.begin(), lines.end(), 2 * paper_margin,
                                       [](float sum, const PaperLine& line) { return sum + line.size + 4; });
    HPDF_Page_SetWidth(page, paper_width);
    HPDF_Page_SetHeight(page, high);
    float y = high - paper_margin;
    for (const auto& line : lines) {
        y -= line.size + 4;
        write_line(page, line.bold ? bold : font, line, y);
    }
    HPDF_SaveToStream(document.handle);
    Buffer content(HPDF_GetStreamSize(document.handle));
    HPDF_ResetStream(document.handle);
    auto length = static_cast<HPDF_UINT32>(content.size());
    HPDF_ReadFromStream(document.handle, content.data(), &length);
    content.resize(length);
    return content;
}

}  // namespace wattmesh::headend::vending
