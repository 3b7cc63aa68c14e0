#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <set>
#include <thread>
#include <unordered_map>

#include "tests/security/soft_hsm.h"
#include "tests/security/vending_house.h"

namespace wattmesh::security {
namespace {

/// The line to the module breaks after it has done its work.
class Losing final : public VendingModule {
public:
    explicit Losing(VendingModule& inner) : inner_(inner) {}
    ModuleAnswer issue(const TokenRequest& request, Instant now) override {
        static_cast<void>(inner_.issue(request, now));
        throw ModuleUnreachable("no answer within 5 s");
    }
    ModuleAnswer change_key(const KeyChangeRequest& request, Instant now) override {
        static_cast<void>(inner_.change_key(request, now));
        throw ModuleUnreachable("no answer within 5 s");
    }
    std::optional<Issued> resolve(const std::string& id) override { return inner_.resolve(id); }
    std::variant<Opening, ModuleRefusal> inspect(const Token& token, const MeterKeyName& key) override {
        return inner_.inspect(token, key);
    }
    std::vector<VendingKeyState> keys() override { return inner_.keys(); }
    std::vector<ModuleCall> calls_after(std::uint64_t sequence, std::size_t count) override {
        return inner_.calls_after(sequence, count);
    }

private:
    VendingModule& inner_;
};

}  // namespace

TEST_CASE("vending module: makes the published tokens and key changes", "[security]") {
    House house;
    auto& module = house.with(terms_n());
    CHECK(digits(module.issue(request("a"), noon)) == "58625789986991357486");  // T5
    auto water = request("b", 1, noon + 5min);
    std::get<Credit>(water.content).commodity = Commodity::water;
    CHECK(digits(module.issue(water, noon)) == "51132789436787861315");
    house.with({.name = {{123456}, 1},
                .derivation = Derivation::dkga02,
                .base = BaseDate::y1993,
                .units_limit = 10});
    const TokenRequest old{
        "c", {meter(), {{123456}, 1}, 1, Algorithm::ea07}, Credit{Commodity::electricity, 5, {0x599863}, 1}};
    CHECK(digits(module.issue(old, noon)) == "23716100501183194197");  // T1
    // T9, PAN3: SGC 201457/1, base 2014, TI 01 to SGC 203557/6, base 2035, TI 02
    house.with({.name = {{203557}, 6}, .base = BaseDate::y2035});
    const KeyChangeRequest change{
        "d", {meter("600727111111111153"), {{201457}, 1}}, {meter("600727111111111153"), {{203557}, 6}, 2}};
    const Instant era = std::chrono::sys_days{std::chrono::year{2036} / 1 / 1};
    const auto set = std::get<Issued>(module.change_key(change, era));
    REQUIRE(set.tokens.size() == 4);
    CHECK(to_string(set.tokens[0]) == "36644361098412374610");
    CHECK(to_string(set.tokens[1]) == "70739203554146369967");
    CHECK(to_string(set.tokens[2]) == "62502430273256463906");
    CHECK(to_string(set.tokens[3]) == "01467733765526095667");
    CHECK(set.sequence == 4);
    CHECK(module.resolve("d") == set);
    const auto looked = module.inspect(*parse_token("58625789986991357486"), key_n());
    CHECK(std::get<Opening>(looked).refusal == Refusal::none);
}

TEST_CASE("vending module: one request is one token, however often it is asked for", "[security]") {
    House house;
    auto& module = house.with(terms_n());
    CHECK_FALSE(module.resolve("sale-1"));
    const auto first = std::get<Issued>(module.issue(request("sale-1", 100), noon));
    CHECK(std::get<Issued>(module.issue(request("sale-1", 100), noon + 1h)) == first);
    CHECK(module.resolve("sale-1") == first);
    CHECK(module.keys().at(0).units == 100);
    CHECK(module.keys().at(0).tokens == 1);
    CHECK(refusal(module.issue(request("sale-1", 101), noon)) == ModuleRefusal::conflict);
    CHECK(refusal(module.issue(request("sale-1", 100, noon + 1min), noon)) == ModuleRefusal::conflict);
    CHECK(refusal(module.change_key({"sale-1", key_n(), key_n()}, noon)) == ModuleRefusal::conflict);
    for (const char* id : {"", "with blank", "line\nbreak"})
        CHECK(refusal(module.issue(request(id), noon)) == ModuleRefusal::bad_request);
    CHECK(refusal(module.issue(request(std::string(65, 'x')), noon)) == ModuleRefusal::bad_request);
    CHECK(refusal(module.issue({"t", key_n(), MeterTest{}}, noon)) == ModuleRefusal::bad_request);
    CHECK(refusal(module.issue({"t", key_n(), Management{Command::tariff_rate, 0, {9}, 0}}, noon)) ==
          ModuleRefusal::bad_request);
}

TEST_CASE("vending module: an answer that was lost is found by the request, before and after a restart",
          "[security]") {
    House house;
    Losing lost{house.with(terms_n())};
    CHECK_THROWS_AS(lost.issue(request("sale-7", 256), noon), ModuleUnreachable);
    const auto resolved = lost.resolve("sale-7");
    REQUIRE(resolved);
    CHECK_FALSE(lost.resolve("sale-8"));
    house.open();
    CHECK(house.module->resolve("sale-7") == resolved);
    CHECK(std::get<Issued>(house.module->issue(request("sale-7", 256), noon + 24h)) == *resolved);
    CHECK(house.module->keys().at(0).units == 256);
    CHECK(house.module->keys().at(0).highest_tid == tid_of_minute(noon));
    const auto next = std::get<Issued>(house.module->issue(request("sale-8", 1, noon + 1min), noon));
    CHECK(next.sequence == 2);
}

TEST_CASE("vending module: names of the same hash are calls of their own, over a restart too", "[security]") {
    std::unordered_map<CallIndex::Hash, std::string> names;
    std::string one, other;
    for (int i = 0; other.empty(); ++i) {
        auto name = "sale." + std::to_string(i);
        const auto [known, fresh] = names.emplace(CallIndex::hash_of(name), name);
        if (!fresh) one = known->second, other = std::move(name);
    }
    House house;
    auto* module = &house.with(terms_n());
    CHECK_FALSE(module->resolve(one));
    const auto first = digits(module->issue(request(one, 1), noon));
    CHECK_FALSE(module->resolve(other));
    const auto second = digits(module->issue(request(other, 2), noon));
    CHECK(first != second);
    for (int turn = 0; turn < 2; ++turn) {
        CHECK(to_string(module->resolve(one)->tokens.front()) == first);
        CHECK(to_string(module->resolve(other)->tokens.front()) == second);
        CHECK(refusal(module->issue(request(other, 1), noon)) == ModuleRefusal::conflict);
        CHECK(module->calls_after(0, 10).size() == 2);
        house.open();
        module = house.module.get();
    }
}

TEST_CASE("call index: finds every call while it grows, and those of one hash in their order", "[security]") {
    CallIndex index;
    CHECK_FALSE(index.next(7, 0));
    constexpr std::uint64_t calls = 20'000;
    const auto hash = [](std::uint64_t sequence) {
        return static_cast<CallIndex::Hash>(sequence % 5'000 * 77);
    };
    for (std::uint64_t i = 1; i <= calls; ++i) index.add(hash(i), i);
    bool all = true;
    for (std::uint64_t i = 1; i <= calls; ++i) all = all && index.next(hash(i), i - 1) == i;
    CHECK(all);
    CHECK(index.next(hash(1), 1) == 5'001);
    CHECK_FALSE(index.next(hash(1), 15'001));
    CHECK_FALSE(index.next(3, 0));
}

TEST_CASE("vending module: killed at any octet of its log it has a call whole or not at all", "[security]") {
    House house;
    auto& module = house.with(terms_n());
    std::vector<Issued> made;
    for (int i = 0; i < 3; ++i)
        made.push_back(
            std::get<Issued>(module.issue(request("s" + std::to_string(i), 10, noon + i * 1min), noon)));
    const Buffer whole = content_of(house.log());
    const auto line_end = [&](std::size_t lines) {
        std::size_t at = 0;
        for (; lines > 0; ++at) lines -= whole[at] == '\n' ? 1u : 0u;
        return at;
    };
    for (std::size_t cut = 0; cut <= whole.size(); cut += 3) {
        CAPTURE(cut);
        house.module.reset();
        put(house.log(), Bytes{whole}.first(cut));
        house.open();
        std::size_t kept = 0;
        while (kept < 3 && line_end(kept + 1) <= cut) ++kept;
        const auto state = house.module->keys().at(0);
        REQUIRE(state.tokens == kept);
        REQUIRE(state.units == 10 * kept);
        for (std::size_t i = 0; i < 3; ++i) {
            const std::string id = "s" + std::to_string(i);
            REQUIRE(house.module->resolve(id).has_value() == (i < kept));
            // the same request is the same digits, whether it was kept or is made again
            const auto again = house.module->issue(request(id, 10, noon + i * 1min), noon);
            REQUIRE(std::get<Issued>(again) == made[i]);
        }
        REQUIRE(content_of(house.log()) == whole);
    }
}

TEST_CASE("vending module: a log or a key file that was changed does not open", "[security]") {
    House house;
    auto& module = house.with(terms_n());
    for (int i = 0; i < 3; ++i) CHECK(module.issue(request("s" + std::to_string(i)), noon).index() == 0);
    const Buffer log = content_of(house.log()), keys = content_of(house.keys());
    house.module.reset();
    for (std::size_t at = 0; at < log.size(); at += 7) {
        CAPTURE(at);
        Buffer changed = log;
        changed[at] ^= 1;
        put(house.log(), changed);
        if (at + 1 < log.size()) REQUIRE_THROWS_AS(house.open(), FileError);
    }
    const auto second = std::find(log.begin(), log.end(), '\n') + 1;
    put(house.log(), Bytes{second, log.end()});  // the first call left out
    CHECK_THROWS_WITH(house.open(), Catch::Contains("changed behind call 0"));
    put(house.log(), log);
    std::string text{keys.begin(), keys.end()};
    text.replace(text.find(" 1000000 "), 9, " 9999999 ");  // a higher limit
    put(house.keys(), as_bytes(text));
    CHECK_THROWS_WITH(house.open(), Catch::Contains("terms were changed"));
    put(house.keys(), keys);
    CHECK_NOTHROW(house.open());
    CHECK_THROWS_WITH(
        SoftwareModule(SoftwareModuleSettings{house.folder.path / "module"}, house.master, house.random),
        Catch::Contains("in use"));
    house.module.reset();
    const FileMasterKey other{*Key256::from(Buffer(32, 9))};
    CHECK_THROWS_AS(SoftwareModule(SoftwareModuleSettings{house.folder.path / "module"}, other, house.random),
                    FileError);
    CHECK(text.find("ABABAB") == std::string::npos);
}

TEST_CASE("vending module: limits hold to the last unit, and over a restart", "[security]") {
    House house;
    auto terms = terms_n();
    terms.units_limit = 100;
    terms.currency_limit = 200'000;
    auto& module = house.with(terms);
    CHECK(module.issue(request("a", 60), noon).index() == 0);
    CHECK(refusal(module.issue(request("b", 41), noon)) == ModuleRefusal::limit_reached);
    house.open();
    CHECK(refusal(house.module->issue(request("b", 41), noon)) == ModuleRefusal::limit_reached);
    CHECK(house.module->issue(request("c", 40), noon).index() == 0);
    CHECK(refusal(house.module->issue(request("d", 1), noon)) == ModuleRefusal::limit_reached);
    const auto money = [&](const char* id, CurrencyCount count) {
        return house.module->issue(
            {id, key_n(),
             CurrencyCredit{Commodity::electricity, tid_of_minute(noon), *encode_currency(count)}},
            noon);
    };
    CHECK(money("e", 100'000).index() == 0);  // 100 004 are counted
    CHECK(money("f", -100'000).index() == 0);
    CHECK(refusal(money("g", 100'000)) == ModuleRefusal::limit_reached);
    CHECK(refusal(money("h", decode_currency(0x7FFFF))) == ModuleRefusal::limit_reached);
    CHECK(house.module->keys().at(0).currency == 100'004);
    terms.units_limit = 200;  // a refreshed key file
    house.with(terms);
    CHECK(house.module->issue(request("d", 100), noon).index() == 0);
    const auto alarms = alarms_of(house.module->keys().at(0), noon);
    CHECK(alarms == std::vector{ModuleAlarm::units_low});
}

TEST_CASE("vending module: a key is used for what its terms say, while they say it", "[security]") {
    House house;
    auto terms = terms_n();
    terms.active_from = noon;
    terms.issued_until = noon + 24h;
    auto& module = house.with(terms);
    CHECK(refusal(module.issue(request("a"), noon - 1us)) == ModuleRefusal::not_active);
    CHECK(refusal(module.issue(request("a"), noon + 24h)) == ModuleRefusal::issuing_ended);
    CHECK(module.issue(request("a"), noon).index() == 0);
    CHECK(alarms_of(module.keys().at(0), noon) == std::vector{ModuleAlarm::issuing_ends_soon});
    auto unknown = request("b");
    unknown.key.vending_key.revision = 2;
    CHECK(refusal(module.issue(unknown, noon)) == ModuleRefusal::unknown_key);
    CHECK(refusal(module.change_key({"b", key_n(), unknown.key}, noon)) == ModuleRefusal::unknown_key);
    // a default key: commands, but no credit
    house.with({.name = {{100}, 1}, .type = KeyType::normal, .units_limit = 10});
    const MeterKeyName by_default{meter(), {{100}, 1}};
    CHECK(refusal(module.issue({"c", by_default, request("").content}, noon)) == ModuleRefusal::key_type);
    CHECK(module.issue({"d", by_default, Management{Command::clear_tamper, 1, tid_of_minute(noon), 0}}, noon)
              .index() == 0);
    // nothing but credit
    house.with({.name = {{101}, 1}, .units_limit = 10, .management = false, .key_change = false});
    const MeterKeyName credit_only{meter(), {{101}, 1}};
    CHECK(refusal(module.issue({"e", credit_only, Management{Command::clear_tamper, 1, {9}, 0}}, noon)) ==
          ModuleRefusal::function);
    CHECK(refusal(module.change_key({"f", credit_only, key_n()}, noon)) == ModuleRefusal::function);
    // another meter's key, another algorithm
    auto elsewhere = key_n();
    elsewhere.meter = meter("000001000000000082");
    CHECK(refusal(module.change_key({"g", key_n(), elsewhere}, noon)) == ModuleRefusal::bad_request);
    house.with(
        {.name = {{102}, 1}, .derivation = Derivation::dkga02, .base = BaseDate::y1993, .units_limit = 10});
    CHECK(refusal(module.issue({"h", {meter(), {{102}, 1}, 1, Algorithm::ea11}, request("").content},
                               noon)) == ModuleRefusal::not_derivable);
}

TEST_CASE("vending module: an expired key makes no token, and still lets a meter go", "[security]") {
    House house;
    // KEN 85 of base date 2014 ends on 2024-09-18, 46 days after KEN 84
    auto& module = house.with({.name = {{201460}, 7}, .expiry = 85, .units_limit = 100});
    house.with({.name = {{201461}, 8}, .units_limit = 100});
    const Instant late = end_of(BaseDate::y2014, 85);
    const MeterKeyName expired{meter("600727111111111153"), {{201460}, 7}};
    const MeterKeyName fresh{meter("600727111111111153"), {{201461}, 8}};
    const auto credit = [&](Instant at) { return Credit{Commodity::electricity, 5, tid_of_minute(at), 1}; };
    CHECK(module.issue({"a", expired, credit(late - 1min)}, late).index() == 0);
    CHECK(refusal(module.issue({"b", expired, credit(late)}, late)) == ModuleRefusal::key_expired);
    CHECK(refusal(module.change_key({"c", fresh, expired}, late)) == ModuleRefusal::key_expired);
    const auto set = std::get<Issued>(module.change_key({"d", expired, fresh}, late));
    CHECK(to_string(set.tokens.at(0)) == "42459678114844702446");  // T9, last row
    CHECK(to_string(set.tokens.at(3)) == "33434270821941461228");
    CHECK(alarms_of(module.keys().at(0), late - 24h) == std::vector{ModuleAlarm::key_expires_soon});
}

TEST_CASE("vending module: a key is loaded with its check value, and stays what it is", "[security]") {
    House house;
    const CheckValue right = VendingKeyFile::check_value(Derivation::dkga04, vk_b());
    CHECK_THROWS_WITH(house.module->load_key(terms_n(), vk_b(), {1, 2, 3}),
                      Catch::Contains("010203") && !Catch::Contains("abab", Catch::CaseSensitive::No));
    CHECK_THROWS_AS(house.module->load_key(terms_n(), vk_a(), right), VendingKeyError);
    house.module->load_key(terms_n(), vk_b(), right);
    const auto other = *VendingKey::from(Buffer(20, 7));
    CHECK_THROWS_WITH(
        house.module->load_key(terms_n(), other, VendingKeyFile::check_value(Derivation::dkga04, other)),
        Catch::Contains("another key"));
    auto later = terms_n();
    later.base = BaseDate::y2035;
    CHECK_THROWS_AS(house.module->load_key(later, vk_b(), right), VendingKeyError);
    // DES of zeros, by the openssl program
    CHECK(to_hex(VendingKeyFile::check_value(Derivation::dkga02, vk_a())) ==
          output_of(
              "printf '\\0\\0\\0\\0\\0\\0\\0\\0' | openssl enc -des-ede3-ecb -nopad -K "
              "abababababababababababababababababababababababab | od -An -tx1 | tr -d ' \\n' | cut -c1-6 | "
              "tr a-f A-F | tr -d '\\n'"));
    struct stat facts{};
    REQUIRE(stat(house.keys().c_str(), &facts) == 0);
    CHECK((facts.st_mode & 077) == 0);
}

TEST_CASE("vending module: does not start in production unless somebody decided so", "[security]") {
    Folder folder;
    const FileMasterKey master{Key256{}};
    Fixed random;
    CHECK_THROWS_WITH(SoftwareModule({folder.path / "m", true}, master, random),
                      Catch::Contains("production"));
    CHECK_FALSE(std::filesystem::exists(folder.path / "m"));
    CHECK_NOTHROW(SoftwareModule({folder.path / "m", true, true}, master, random));
}

TEST_CASE("vending module: every call can be compared with a journal, in order and without gaps",
          "[security]") {
    House house;
    auto terms = terms_n();
    auto& module = house.with(terms);
    constexpr int threads = 4, each = 25;
    {
        std::vector<std::jthread> tills;
        for (int till = 0; till < threads; ++till) {
            tills.emplace_back([&, till] {
                for (int i = 0; i < each; ++i)  // every request twice, as a till does that got no answer
                    for (int twice = 0; twice < 2; ++twice)
                        static_cast<void>(module.issue(
                            request("t" + std::to_string(till) + "." + std::to_string(i), 3, noon + i * 1min),
                            noon));
            });
        }
    }
    std::set<std::string> ids;
    std::uint64_t sequence = 0, units = 0;
    while (true) {
        const auto calls = module.calls_after(sequence, 7);
        if (calls.empty()) break;
        for (const auto& call : calls) {
            CHECK(call.sequence == ++sequence);
            CHECK(call.key == key_n());
            ids.insert(call.id);
            units += call.units;
        }
    }
    CHECK(sequence == threads * each);
    CHECK(ids.size() == threads * each);
    CHECK(units == module.keys().at(0).units);
    CHECK(units == 3 * threads * each);
}

}  // namespace wattmesh::security
