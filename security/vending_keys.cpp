#include "security/vending_keys.h"

#include <sstream>

namespace wattmesh::security {
namespace {

using namespace sts;

constexpr std::string_view heading = "wattmesh vending keys 1\n";
constexpr std::size_t file_size_max = 1 << 20, wrapped_plain_size = 24;  // length, key, zeros

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
    return line;
}

std::string purpose_of(const VendingKeyTerms& terms, const CheckValue& check) {
    return "sts vending key " + text_of(terms, check);
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
        const auto plain = master_.unwrap(purpose_of(line->terms, line->check), line->wrapped);
        if (!plain || plain->reveal().size() != wrapped_plain_size || plain->reveal()[0] > 20) {
            throw FileError(file_.string() + ": vending key " + to_string(line->terms.name) +
                            " does not open: its terms were changed, or it belongs to another master key");
        }
        const auto key = VendingKey::from(plain->reveal().subspan(1, plain->reveal()[0]));
        if (!key) throw FileError(file_.string() + " is damaged");
        entries_[line->terms.name] = {
            line->terms, line->check,
            std::make_unique<KeyDerivation>(line->terms.derivation, *key, ciphers_)};
        lines_[line->terms.name] = text;
    }
}

CheckValue VendingKeyFile::check_value(Derivation derivation, const VendingKey& key) {
    OpensslDerivationCiphers ciphers;
    CheckValue check{};
    if (derivation == Derivation::dkga02) {
        const std::uint64_t block = ciphers.des_encrypt(*Secret<8>::from(key.reveal().first(8)), 0);
        for (unsigned i = 0; i < 3; ++i) check[i] = static_cast<std::uint8_t>(block >> (56 - 8 * i));
    } else {
        const std::array<std::uint8_t, 8> zeros{};
        const auto hash = ciphers.hmac_sha256(key.reveal())->compute(zeros);
        std::copy(hash.begin(), hash.begin() + 3, check.begin());
    }
    return check;
}

void VendingKeyFile::load(const VendingKeyTerms& terms, const VendingKey& key, const CheckValue& expected) {
    const std::string name = "vending key " + to_string(terms.name);
    if (!possible(terms)) throw VendingKeyError(name + ": its terms are impossible");
    if (key.size() != (terms.derivation == Derivation::dkga02 ? 8u : 20u))
        throw VendingKeyError(name + ": has the wrong length for its derivation");
    const CheckValue check = check_value(terms.derivation, key);
    if (check != expected)
        throw VendingKeyError(name + ": the check value is " + to_hex(check) + " and not " +
                              to_hex(expected) + ", so a digit of the key is wrong");
    if (const Entry* old = find(terms.name)) {
        if (old->check_value != check)
            throw VendingKeyError(name + ": there is another key of this supply group and revision");
        // Key change tokens that were made say the expiry, and are made again from the log.
        if (old->terms.base != terms.base || old->terms.type != terms.type ||
            old->terms.expiry != terms.expiry)
            throw VendingKeyError(name + ": a refresh changes neither base date, type nor expiry number");
    }
    Buffer plain(wrapped_plain_size);
    plain[0] = static_cast<std::uint8_t>(key.size());
    std::copy(key.reveal().begin(), key.reveal().end(), plain.begin() + 1);
    const Buffer wrapped = master_.wrap(purpose_of(terms, check), plain);
    wipe(plain);
    auto lines = lines_;
    lines[terms.name] = text_of(terms, check) + " " + to_hex(wrapped);
    std::string content{heading};
    for (const auto& [ignored, line] : lines) content += line + "\n";
    write_private_file(file_, as_bytes(content));
    lines_ = std::move(lines);
    entries_[terms.name] = {terms, check, std::make_unique<KeyDerivation>(terms.derivation, key, ciphers_)};
}

const VendingKeyFile::Entry* VendingKeyFile::find(const VendingKeyName& name) const {
    const auto found = entries_.find(name);
    return found == entries_.end() ? nullptr : &found->second;
}

}  // namespace wattmesh::security
