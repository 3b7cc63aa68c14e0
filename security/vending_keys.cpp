#include "security/vending_keys.h"

#include <sstream>

#include "security/pkcs11.h"

namespace wattmesh::security {
namespace {

using namespace sts;

constexpr std::string_view heading = "wattmesh vending keys 1\n";
constexpr std::size_t file_size_max = 1 << 20, wrapped_plain_size = 24;  // length, key, zeros
/// Of a key in a token the wrapped octets hold none: they only seal its terms and its place.
constexpr std::uint8_t elsewhere = 0;

bool possible(const VendingKeyTerms& terms) {
    return terms.name.supply_group <= supply_group_last && terms.name.revision >= 1 &&
           terms.name.revision <= 9 &&
           (terms.derivation == Derivation::dkga02 || terms.derivation == Derivation::dkga04) &&
           (terms.type == KeyType::normal || terms.type == KeyType::unique) &&
           terms.active_from <= terms.issued_until;
}

/// Everything that must not be changed, as the purpose of the wrapping.
std::string text_of(const VendingKeyTerms& terms, const CheckValue& check) {
    std::ostringstream out;
    out << to_string(terms.name) << ' ' << int(terms.derivation) << ' ' << int(terms.type) << ' '
        << int(terms.base) << ' ' << int{terms.expiry} << ' ' << epoch_us(terms.active_from) << ' '
        << epoch_us(terms.issued_until) << ' ' << terms.units_limit << ' ' << terms.currency_limit << ' '
        << (terms.credit ? 'c' : '-') << (terms.management ? 'm' : '-') << (terms.key_change ? 'k' : '-')
        << ' ' << to_hex(check);
    return out.str();
}

struct Line {
    VendingKeyTerms terms;
    CheckValue check{};
    Buffer wrapped;
    std::string place;  ///< of a key in a token
};

std::optional<Line> parse(const std::string& text) {
    std::istringstream in{text};
    unsigned group = 0, revision = 0, derivation = 0, type = 0, base = 0, expiry = 0;
    char slash = 0;
    std::int64_t from = 0, until = 0;
    Line line;
    VendingKeyTerms& terms = line.terms;
    std::string functions, check, wrapped;
    in >> group >> slash >> revision >> derivation >> type >> base >> expiry >> from >> until >>
        terms.units_limit >> terms.currency_limit >> functions >> check >> wrapped;
    const auto base_value = base_date(base);
    const auto check_octets = from_hex(check), wrapped_octets = from_hex(wrapped);
    if (!in || !base_value || functions.size() != 3 || !check_octets || check_octets->size() != 3 ||
        !wrapped_octets || expiry > 255 || revision > 9)
        return std::nullopt;
    terms.name = {{group}, static_cast<std::uint8_t>(revision)};
    terms.derivation = static_cast<Derivation>(derivation);
    terms.type = static_cast<KeyType>(type);
    terms.base = *base_value;
    terms.expiry = static_cast<KeyExpiry>(expiry);
    terms.active_from = from_epoch_us(from);
    terms.issued_until = from_epoch_us(until);
    terms.credit = functions[0] == 'c';
    terms.management = functions[1] == 'm';
    terms.key_change = functions[2] == 'k';
    std::copy(check_octets->begin(), check_octets->end(), line.check.begin());
    line.wrapped = *wrapped_octets;
    in >> line.place;
    return line;
}

std::string purpose_of(const VendingKeyTerms& terms, const CheckValue& check, const std::string& place) {
    return "sts vending key " + text_of(terms, check) + " " + place;
}

CheckValue check_value_of(KeyedHash& hash) {
    const auto octets = hash.compute(std::array<std::uint8_t, 8>{});
    return {octets[0], octets[1], octets[2]};
}

std::unique_ptr<Pkcs11HashKey> open_in_token(const VendingKeyName& name, const std::string& place) {
    const auto uri = Pkcs11Uri::parse(place);
    if (!uri || place.find(' ') != std::string::npos)
        throw VendingKeyError("vending key " + to_string(name) + ": its place is no PKCS#11 URI (RFC 7512)");
    return Pkcs11HashKey::open(*uri);
}

}  // namespace

VendingKeyFile::VendingKeyFile(std::filesystem::path file, const MasterKey& master)
    : file_(std::move(file)), master_(master) {
    if (std::filesystem::exists(file_)) read();
}

void VendingKeyFile::read() {
    const SecretBuffer content = read_private_file(file_, file_size_max);
    std::istringstream in{std::string{content.reveal().begin(), content.reveal().end()}};
    std::string text;
    if (!std::getline(in, text) || text + "\n" != heading)
        throw FileError(file_.string() + " is no file of vending keys");
    while (std::getline(in, text)) {
        const auto line = parse(text);
        if (!line || !possible(line->terms)) throw FileError(file_.string() + " is damaged");
        const VendingKeyName& name = line->terms.name;
        const auto plain = master_.unwrap(purpose_of(line->terms, line->check, line->place), line->wrapped);
        if (!plain || plain->reveal().size() != wrapped_plain_size || plain->reveal()[0] > 20) {
            throw FileError(file_.string() + ": vending key " + to_string(name) +
                            " does not open: its terms were changed, or it belongs to another master key");
        }
        std::unique_ptr<KeyDerivation> derivation;
        if (plain->reveal()[0] == elsewhere) {
            auto hash = open_in_token(name, line->place);
            if (check_value_of(*hash) != line->check)
                throw VendingKeyError("vending key " + to_string(name) +
                                      ": the token has another key there now");
            derivation = std::make_unique<KeyDerivation>(std::move(hash));
        } else {
            const auto key = VendingKey::from(plain->reveal().subspan(1, plain->reveal()[0]));
            if (!key) throw FileError(file_.string() + " is damaged");
            derivation = std::make_unique<KeyDerivation>(line->terms.derivation, *key, ciphers_);
        }
        entries_[name] = {line->terms, line->check, std::move(derivation)};
        lines_[name] = text;
    }
}

CheckValue VendingKeyFile::check_value(Derivation derivation, const VendingKey& key) {
    OpensslDerivationCiphers ciphers;
    CheckValue check{};
    if (derivation == Derivation::dkga02) {
        const std::uint64_t block = ciphers.des_encrypt(*Secret<8>::from(key.reveal().first(8)), 0);
        for (unsigned i = 0; i < 3; ++i) check[i] = static_cast<std::uint8_t>(block >> (56 - 8 * i));
    } else {
        check = check_value_of(*ciphers.hmac_sha256(key.reveal()));
    }
    return check;
}

void VendingKeyFile::load(const VendingKeyTerms& terms, const VendingKey& key, const CheckValue& expected) {
    if (key.size() != (terms.derivation == Derivation::dkga02 ? 8u : 20u))
        throw VendingKeyError("vending key " + to_string(terms.name) +
                              ": has the wrong length for its derivation");
    Buffer plain(wrapped_plain_size);
    plain[0] = static_cast<std::uint8_t>(key.size());
    std::copy(key.reveal().begin(), key.reveal().end(), plain.begin() + 1);
    take(terms, check_value(terms.derivation, key), expected, std::move(plain), "",
         std::make_unique<KeyDerivation>(terms.derivation, key, ciphers_));
}

void VendingKeyFile::load_from_token(const VendingKeyTerms& terms, const std::string& place,
                                     const CheckValue& expected) {
    if (terms.derivation != Derivation::dkga04)
        throw VendingKeyError("vending key " + to_string(terms.name) +
                              ": derivation 02 does not work in a token");
    auto hash = open_in_token(terms.name, place);
    const CheckValue check = check_value_of(*hash);
    take(terms, check, expected, Buffer(wrapped_plain_size), place,
         std::make_unique<KeyDerivation>(std::move(hash)));
}

/// `sealed` is wiped.
void VendingKeyFile::take(const VendingKeyTerms& terms, const CheckValue& check, const CheckValue& expected,
                          Buffer sealed, const std::string& place,
                          std::unique_ptr<KeyDerivation> derivation) {
    const SecretBuffer plain{std::move(sealed)};
    const std::string name = "vending key " + to_string(terms.name);
    if (!possible(terms)) throw VendingKeyError(name + ": its terms are impossible");
    if (check != expected)
        throw VendingKeyError(name + ": the check value is " + to_hex(check) + " and not " +
                              to_hex(expected) + ", so it is another key or a digit is wrong");
    if (const Entry* old = find(terms.name)) {
        if (old->check_value != check)
            throw VendingKeyError(name + ": there is another key of this supply group and revision");
        // Key change tokens that were made say the expiry, and are made again from the log.
        if (old->terms.base != terms.base || old->terms.type != terms.type ||
            old->terms.expiry != terms.expiry)
            throw VendingKeyError(name + ": a refresh changes neither base date, type nor expiry number");
    }
    const Buffer wrapped = master_.wrap(purpose_of(terms, check, place), plain.reveal());
    auto lines = lines_;
    lines[terms.name] = text_of(terms, check) + " " + to_hex(wrapped) + (place.empty() ? "" : " " + place);
    std::string content{heading};
    for (const auto& [ignored, line] : lines) content += line + "\n";
    write_private_file(file_, as_bytes(content));
    lines_ = std::move(lines);
    entries_[terms.name] = {terms, check, std::move(derivation)};
}

const VendingKeyFile::Entry* VendingKeyFile::find(const VendingKeyName& name) const {
    const auto found = entries_.find(name);
    return found == entries_.end() ? nullptr : &found->second;
}

}  // namespace wattmesh::security
