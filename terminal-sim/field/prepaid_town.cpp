#include "terminal-sim/field/prepaid_town.h"

#include <fmt/format.h>

#include "protocol/cosem/models/models.h"
#include "protocol/sts/derivation.h"
#include "security/sts_ciphers.h"
#include "terminal-sim/field/json_file.h"

namespace wattmesh::sim {
namespace {

constexpr std::int64_t little_wh = 300, plenty_wh = 20'000;

sts::MeterPan pan_of(const DeviceNumber& meter) {
    const auto payload = "54" + to_string(meter).substr(4);  // two digits of the maker, eight of the meter
    return std::get<sts::MeterPan>(sts::MeterPan::parse(payload + sts::check_digit(payload)));
}

int year_of(sts::BaseDate base) {
    const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(sts::start_of(base))};
    return static_cast<int>(day.year());
}

}  // namespace

void make_prepaid(Shipment& shipment, const Town& town, std::size_t count,
                  const sts::VendingKey& vending_key) {
    security::OpensslDerivationCiphers ciphers;
    sts::KeyDerivation derivation{sts::Derivation::dkga04, vending_key, ciphers};
    std::size_t made = 0;
    for (const auto& meter : town.meters) {
        if (made == count) return;
        if (meter.kind != LoadKind::household || meter.solar || meter.collector) continue;
        PrepaidSettings prepaid{.pan = pan_of(meter.number),
                                .key = {.supply_group = town_supply_group, .base = sts::BaseDate::y2014},
                                .decoder_key = {}};
        prepaid.decoder_key =
            std::get<sts::DecoderKey>(derivation.derive(prepaid.key, sts::Algorithm::ea11, prepaid.pan));
        prepaid.balance = made % 2 == 0 ? little_wh : plenty_wh;
        if (made % 4 == 2) prepaid.reconnection = cosem::Reconnection::by_command;
        shipment.prepaid.emplace(meter.number, std::move(prepaid));
        ++made;
    }
    if (made < count)
        throw std::runtime_error("--prepaid: the town has only " + std::to_string(made) +
                                 " households on radio that could sell by token");
}

void write_books(const std::filesystem::path& file, const Town& town, const Shipment& shipment) {
    std::string out =
        "{\"kind\":\"tariff\",\"tariff\":\"home\",\"name\":\"Home "
        "2020\",\"valid_from\":\"2020-01-01T00:00:00Z\","
        "\"steps\":[{\"up_to\":50,\"price_mills\":200000},{\"price_mills\":350000}],"
        "\"taxes\":[{\"name\":\"VAT\",\"ppm\":150000}]}\n"
        "{\"kind\":\"vendor\",\"vendor\":\"Corner\",\"terminals\":[\"T1\",\"T2\"]}\n";
    for (const auto& meter : town.meters) {
        const auto prepaid = shipment.prepaid.find(meter.number);
        if (prepaid == shipment.prepaid.end()) continue;
        const auto number = to_string(meter.number);
        const auto& key = prepaid->second.key;
        out += fmt::format(
            R"({{"kind":"customer","customer":"P-{}","name":"Customer {}","address":"Meter {}","tariff":"home","opened":"2020-01"}})"
            "\n"
            R"({{"kind":"meter","meter":"{}","customer":"P-{}","device":"{}","supply_group":{},"key_revision":{},"tariff_index":{}}})"
            "\n",
            number.substr(6), number.substr(6), number, prepaid->second.pan.meter_number(), number.substr(6),
            number, key.supply_group.value, key.revision, key.tariff_index);
    }
    write_private_file(file, out);
}

const cosem::MeterModel& cosem_model(const PrepaidSettings& prepaid) {
    return prepaid.reconnection == cosem::Reconnection::by_command ? cosem::models::prepaid_remote
                                                                   : cosem::models::prepaid;
}

std::string_view registry_model(const Shipment& shipment, const DeviceNumber& meter) {
    const auto prepaid = shipment.prepaid.find(meter);
    if (prepaid == shipment.prepaid.end()) return "WM-SIM-3";
    return &cosem_model(prepaid->second) == &cosem::models::prepaid ? "WM-SIM-3P" : "WM-SIM-3R";
}

std::string prepaid_json(const PrepaidSettings& prepaid) {
    return fmt::format(
        R"({{"pan":"{}","sgc":{},"krn":{},"ti":{},"base_year":{},"decoder_key":"{}","balance_wh":{},"reconnection":"{}"}})",
        prepaid.pan.digits(), prepaid.key.supply_group.value, prepaid.key.revision, prepaid.key.tariff_index,
        year_of(prepaid.key.base), to_hex(prepaid.decoder_key.reveal()), prepaid.balance,
        to_string(prepaid.reconnection));
}

PrepaidSettings prepaid_of(const std::filesystem::path& file, const Poco::JSON::Object::Ptr& object) {
    if (object.isNull()) throw file_trouble(file, "member \"prepaid\" is not an object");
    const auto pan = sts::MeterPan::parse(text_member(file, *object, "pan"));
    if (const auto* fault = std::get_if<sts::PanFault>(&pan))
        throw file_trouble(file, "member \"pan\": " + std::string{explain(*fault)});
    const auto octets = from_hex(text_member(file, *object, "decoder_key"));
    const auto key = octets ? sts::DecoderKey::from(*octets) : std::nullopt;
    if (!key) throw file_trouble(file, "member \"decoder_key\" is not a key of 16 or 32 hexadecimal digits");
    const auto base = sts::base_date(static_cast<unsigned>(number_member(file, *object, "base_year")));
    if (!base) throw file_trouble(file, "member \"base_year\" is none of 1993, 2014, 2035");
    PrepaidSettings prepaid{.pan = std::get<sts::MeterPan>(pan), .key = {}, .decoder_key = *key};
    prepaid.key.supply_group = {static_cast<std::uint32_t>(number_member(file, *object, "sgc"))};
    prepaid.key.revision = static_cast<std::uint8_t>(number_member(file, *object, "krn"));
    prepaid.key.tariff_index = static_cast<std::uint8_t>(number_member(file, *object, "ti"));
    prepaid.key.base = *base;
    prepaid.balance = number_member(file, *object, "balance_wh");
    const auto word = text_member(file, *object, "reconnection");
    for (const auto how :
         {cosem::Reconnection::by_itself, cosem::Reconnection::by_hand, cosem::Reconnection::by_command})
        if (word == to_string(how)) {
            prepaid.reconnection = how;
            return prepaid;
        }
    throw file_trouble(file, "member \"reconnection\" is none of by_itself, by_hand, by_command");
}

}  // namespace wattmesh::sim
