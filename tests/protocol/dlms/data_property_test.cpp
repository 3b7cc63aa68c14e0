#include <catch2/catch.hpp>
#include <random>

#include "protocol/dlms/data.h"

using namespace wattmesh;
using namespace wattmesh::dlms;

namespace {

/// Random values of every type, the same ones for the same seed.
class AnyData {
public:
    explicit AnyData(unsigned seed) : random_(seed) {}

    Data value(int depth) {
        switch (below(depth > 0 ? 31 : 27)) {
            case 27:
                return array(list(depth - 1));
            case 28:
                return structure(list(depth - 1));
            case 29:
                return array(std::vector<Data>(below(4), value(depth - 1)));
            case 30:
                return compact(depth - 1);
            default:
                return scalar();
        }
    }
    Data scalar() {
        switch (below(27)) {
            case 0:
                return Null{};
            case 1:
                return DontCare{};
            case 2:
                return below(2) == 1;
            case 3:
                return bits(below(40));
            case 4:
                return integer<std::int8_t>();
            case 5:
                return integer<std::int16_t>();
            case 6:
                return integer<std::int32_t>();
            case 7:
                return integer<std::int64_t>();
            case 8:
                return integer<std::uint8_t>();
            case 9:
                return integer<std::uint16_t>();
            case 10:
                return integer<std::uint32_t>();
            case 11:
                return integer<std::uint64_t>();
            case 12:
                return OctetString{octets(below(300))};
            case 13:
                return VisibleString{text(below(140))};
            case 14:
                return Utf8String{text(below(20))};
            case 15:
                return Bcd{integer<std::uint8_t>()};
            case 16:
                return Enum{integer<std::uint8_t>()};
            case 17:
                return static_cast<float>(integer<std::int32_t>());
            case 18:
                return static_cast<double>(integer<std::int64_t>());
            default:
                return date_or_delta();
        }
    }

private:
    Data date_or_delta() {
        switch (below(9)) {
            case 0:
                return RawDateTime{fixed<12>()};
            case 1:
                return RawDate{fixed<5>()};
            case 2:
                return RawTime{fixed<4>()};
            case 3:
                return Delta<std::int8_t>{integer<std::int8_t>()};
            case 4:
                return Delta<std::int16_t>{integer<std::int16_t>()};
            case 5:
                return Delta<std::int32_t>{integer<std::int32_t>()};
            case 6:
                return Delta<std::uint8_t>{integer<std::uint8_t>()};
            case 7:
                return Delta<std::uint16_t>{integer<std::uint16_t>()};
            default:
                return Delta<std::uint32_t>{integer<std::uint32_t>()};
        }
    }
    /// Rows of one value, or an ordinary array where there is no compact one.
    Data compact(int depth) {
        std::vector<Data> rows(1 + below(4), value(depth));
        if (auto array = compact_array(rows)) return *std::move(array);
        return array(std::move(rows));
    }
    std::vector<Data> list(int depth) {
        std::vector<Data> values;
        for (std::size_t count = below(6); count > 0; --count) values.push_back(value(depth));
        return values;
    }
    std::size_t below(std::size_t bound) { return random_() % bound; }
    template <class T>
    T integer() {
        return static_cast<T>(std::uint64_t{random_()} << 32 | random_());
    }
    Buffer octets(std::size_t size) {
        Buffer out(size);
        for (auto& octet : out) octet = integer<std::uint8_t>();
        return out;
    }
    std::string text(std::size_t size) {
        const Buffer raw = octets(size);
        return {raw.begin(), raw.end()};
    }
    BitString bits(std::size_t count) { return {count, octets((count + 7) / 8)}; }
    template <std::size_t N>
    std::array<std::uint8_t, N> fixed() {
        std::array<std::uint8_t, N> out{};
        for (auto& octet : out) octet = integer<std::uint8_t>();
        return out;
    }

    std::mt19937 random_;
};

}  // namespace

TEST_CASE("data: whatever is encoded decodes to itself and to the same octets", "[dlms]") {
    int compact = 0;
    for (unsigned seed = 1; seed <= 3'000; ++seed) {
        INFO("seed " << seed);
        const Data value = AnyData{seed}.value(4);
        const Buffer bytes = encode_data(value);
        const auto decoded = decode_data(bytes);
        REQUIRE(decoded);
        REQUIRE(*decoded == value);
        REQUIRE(encode_data(*decoded) == bytes);
        compact += value.as<CompactArray>() != nullptr;
    }
    CHECK(compact > 20);
}

TEST_CASE("data: no prefix of a random value decodes", "[dlms]") {
    for (unsigned seed = 1; seed <= 200; ++seed) {
        INFO("seed " << seed);
        const Buffer bytes = encode_data(AnyData{seed}.value(3));
        for (std::size_t size = 0; size < bytes.size(); ++size)
            REQUIRE_FALSE(decode_data(Bytes{bytes}.first(size)));
    }
}
