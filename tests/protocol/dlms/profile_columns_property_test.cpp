#include <catch2/catch.hpp>
#include <random>

#include "protocol/dlms/profile_columns.h"
#include "protocol/dlms/profile_expand.h"
#include "tests/protocol/dlms/allocations.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using namespace std::chrono_literals;

namespace {

constexpr Instant start = std::chrono::sys_days{std::chrono::year{2026} / 11 / 22};
constexpr Duration period = 15min;

/// Profiles with random columns whose rows keep their layout for a while and then change it.
struct AnyProfile {
    explicit AnyProfile(unsigned seed) : random(seed) {
        for (std::size_t count = 1 + below(7); count > 0; --count)
            plan.kinds.push_back(static_cast<ColumnKind>(below(4)));
        plan.capture_period = period;
        std::vector<int> forms(plan.kinds.size());
        for (std::size_t rows_left = below(40); rows_left > 0; --rows_left) {
            if (rows.empty() || below(5) == 0)
                for (int& form : forms) form = static_cast<int>(below(24));
            std::vector<Data> cells;
            for (std::size_t i = 0; i < forms.size(); ++i) cells.push_back(cell(plan.kinds[i], forms[i]));
            rows.push_back(structure(std::move(cells)));
        }
    }

    ColumnPlan plan;
    std::vector<Data> rows;

private:
    std::size_t below(std::size_t bound) { return random() % bound; }
    template <class T>
    T any() {
        return static_cast<T>(std::uint64_t{random()} << 32 | random());
    }
    Data cell(ColumnKind kind, int form) {
        if (form == 0) return DontCare{};
        if (form < 5) return Null{};
        switch (kind) {
            case ColumnKind::clock:
                return clock(form);
            case ColumnKind::integer:
                return number(form);
            case ColumnKind::real:
                if (form < 12) return static_cast<float>(any<std::int32_t>());
                return static_cast<double>(any<std::int32_t>());
            case ColumnKind::skipped:
                break;
        }
        if (form < 10) return VisibleString{std::string(below(5), 'x')};
        if (form < 14) return array({number(form), Null{}});
        return number(form);
    }
    Data clock(int form) {
        const DateTime time{start + std::chrono::minutes{below(100'000)},
                            static_cast<std::int16_t>(60 * static_cast<int>(below(5)) - 120),
                            static_cast<std::uint8_t>(below(4))};
        auto octets = encode_date_time(time);
        if (form == 5) return OctetString{};
        if (form == 6) octets[5] = 0xFF;                  // no hour
        if (form == 7) octets[9] = 0x80, octets[10] = 0;  // no deviation
        if (form == 8) octets[8] = 0xFF;                  // no hundredths
        return form % 2 ? Data{RawDateTime{octets}} : octet_string(octets);
    }
    Data number(int form) {
        switch (form) {
            case 5:
                return any<std::int8_t>();
            case 6:
                return any<std::int16_t>();
            case 7:
                return any<std::int64_t>();
            case 8:
                return any<std::uint16_t>();
            case 9:
                return any<std::uint64_t>();
            case 10:
                return Enum{any<std::uint8_t>()};
            case 11:
                return Bcd{any<std::uint8_t>()};
            case 12:
                return Delta<std::int8_t>{any<std::int8_t>()};
            case 13:
                return Delta<std::int16_t>{any<std::int16_t>()};
            case 14:
                return Delta<std::int32_t>{any<std::int32_t>()};
            case 15:
                return Delta<std::uint8_t>{any<std::uint8_t>()};
            case 16:
                return Delta<std::uint16_t>{any<std::uint16_t>()};
            case 17:
                return Delta<std::uint32_t>{any<std::uint32_t>()};
            case 18:
                return any<std::int32_t>();
            case 19:
                return any<std::uint8_t>();
            default:
                return any<std::uint32_t>();
        }
    }

    std::mt19937 random;
};

double real_of(const Data& cell) {
    if (const auto* single = cell.as<float>()) return *single;
    const auto* value = cell.as<double>();
    REQUIRE(value);
    return *value;
}

/// Whether a decoded cell says what the expanded tree says.
bool agrees(const Column& column, std::size_t row, const Data& came, const Data& expanded) {
    const Cell cell = column.cells[row];
    if (has_value(cell) && (came == expanded) != (cell == Cell::given)) return false;
    if (column.kind == ColumnKind::clock) {
        const auto time = date_time(expanded);
        const DateTime decoded{column.at[row], column.deviation_minutes[row], column.status[row]};
        return time.has_value() == has_value(cell) && decoded == time.value_or(DateTime{});
    }
    if (column.kind == ColumnKind::integer) {
        const auto value = expanded.integer();
        return value.has_value() == has_value(cell) && column.integers[row] == value.value_or(0);
    }
    const bool told = expanded.as<float>() || expanded.as<double>();
    return told == has_value(cell) && column.reals[row] == (told ? real_of(expanded) : 0.0);
}

void check_rows(const ProfileColumns& columns, const std::vector<Data>& rows) {
    const auto expanded = expand_rows(array(rows), period);
    REQUIRE(expanded);
    REQUIRE(columns.rows() == rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row)
        for (std::size_t i = 0; i < columns.columns().size(); ++i) {
            const Column& column = columns.columns()[i];
            if (column.kind == ColumnKind::skipped) continue;
            const Data& came = (*rows[row].elements())[i];
            if (!agrees(column, row, came, (*(*expanded->elements())[row].elements())[i]))
                FAIL("row " << row << ", column " << i << ": " << to_hex(encode_data(came)));
        }
}

}  // namespace

TEST_CASE("profile columns: say what the expanded tree says, whatever the rows look like", "[dlms]") {
    std::size_t cells = 0;
    for (unsigned seed = 1; seed <= 1'000; ++seed) {
        INFO("seed " << seed);
        const AnyProfile profile{seed};
        const Buffer bytes = encode_data(array(profile.rows));
        ProfileColumns columns{profile.plan};
        REQUIRE(columns.decode(bytes));
        check_rows(columns, profile.rows);
        cells += profile.rows.size() * profile.plan.kinds.size();
    }
    CHECK(cells > 40'000);
}

TEST_CASE("profile columns: rows of one layout decode in one run as they do alone", "[dlms]") {
    // A row of another layout in between breaks every run into rows of one.
    for (unsigned seed = 1; seed <= 300; ++seed) {
        INFO("seed " << seed);
        AnyProfile profile{seed};
        std::vector<Data> twice;
        for (const Data& row : profile.rows) twice.insert(twice.end(), 3, row);
        ProfileColumns columns{profile.plan};
        REQUIRE(columns.decode(encode_data(array(twice))));
        check_rows(columns, twice);
    }
}

TEST_CASE("profile columns: a compact array decodes like the array of the same rows", "[dlms]") {
    int compared = 0;
    for (unsigned seed = 1; seed <= 1'200; ++seed) {
        INFO("seed " << seed);
        const AnyProfile profile{seed};
        std::vector<Data> rows;
        for (const Data& row : profile.rows) {
            if (!rows.empty() && !compact_array({rows[0], row})) break;
            rows.push_back(row);
        }
        const auto compact = compact_array(rows);
        if (!compact || rows.size() < 2) continue;
        ProfileColumns columns{profile.plan};
        const auto decoded = columns.decode(encode_data(*compact));
        if (!decoded) {  // a nested value in a skipped column
            REQUIRE(decoded.error().fault == Fault::unsupported);
            continue;
        }
        check_rows(columns, rows);
        ++compared;
    }
    CHECK(compared > 100);
}

TEST_CASE("profile columns: no prefix of a profile decodes, any changed octet is survived", "[dlms]") {
    for (unsigned seed = 1; seed <= 6; ++seed) {
        INFO("seed " << seed);
        const AnyProfile profile{seed};
        Buffer bytes = encode_data(array(profile.rows));
        ProfileColumns columns{profile.plan};
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            const Buffer prefix{bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)};
            REQUIRE_FALSE(columns.decode(prefix));
        }
        for (std::uint8_t& octet : bytes) {
            const std::uint8_t kept = octet;
            for (const int value : {0x00, 0x01, 0x02, 0x09, 0x7F, 0x84, 0xFF}) {
                octet = static_cast<std::uint8_t>(value);
                static_cast<void>(columns.decode(bytes));
            }
            octet = kept;
        }
    }
}

TEST_CASE("profile columns: what is encoded from columns decodes to the same columns", "[dlms]") {
    for (unsigned seed = 1; seed <= 500; ++seed) {
        INFO("seed " << seed);
        const AnyProfile profile{seed};
        ProfileColumns columns{profile.plan}, again{profile.plan};
        REQUIRE(columns.decode(encode_data(array(profile.rows))));
        std::vector<std::uint8_t> tags;
        for (const ColumnKind kind : profile.plan.kinds)
            tags.push_back(kind == ColumnKind::clock ? 0x09 : kind == ColumnKind::real ? 0x18 : 0x14);
        Buffer out;
        encode_rows(columns.columns(), tags, out);
        REQUIRE(again.decode(out));
        for (std::size_t i = 0; i < tags.size(); ++i) {
            CHECK(again.columns()[i].at == columns.columns()[i].at);
            CHECK(again.columns()[i].status == columns.columns()[i].status);
            CHECK(again.columns()[i].integers == columns.columns()[i].integers);
            CHECK(again.columns()[i].reals == columns.columns()[i].reals);
        }
    }
}

TEST_CASE("profile columns: allocate per decode at most, and nothing when used again", "[dlms]") {
    const auto profile = [](int rows) {
        std::vector<Data> out;
        for (int i = 0; i < rows; ++i) {
            // every seventh row has another layout
            const Data value = i % 7 ? Data{static_cast<std::uint32_t>(i)} : Data{std::int64_t{i}};
            out.push_back(structure({date_time_octets({start + i * period, 0, 0}), std::uint8_t{0}, value}));
        }
        return encode_data(array(std::move(out)));
    };
    const Buffer small = profile(96), large = profile(4'000);
    const auto first_decode = [](Bytes bytes) {
        ProfileColumns columns{{.kinds = {ColumnKind::clock, ColumnKind::integer, ColumnKind::integer},
                                .capture_period = period}};
        const std::size_t before = test::allocations();
        const bool decoded = columns.decode(bytes).has_value();
        const std::size_t of_first = test::allocations() - before;
        const bool again = columns.decode(bytes).has_value();
        CHECK(test::allocations() - before == of_first);
        CHECK((decoded && again));
        return of_first;
    };
    CHECK(first_decode(small) > 0);
    CHECK(first_decode(large) == first_decode(small));
    CHECK(first_decode(large) < 20);
}
