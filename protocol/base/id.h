#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace wattmesh {

/// A number that names one kind of thing. Ids of different kinds do not compare or convert.
template <class Tag, class T>
struct Id {
    T value{};
    friend auto operator<=>(const Id&, const Id&) = default;
};

/// Row ids in the head-end's database; > 0 when assigned.
using MeterId = Id<struct MeterTag, std::int64_t>;
using ConcentratorId = Id<struct ConcentratorTag, std::int64_t>;
using TenantId = Id<struct TenantTag, std::int32_t>;
using AreaId = Id<struct AreaTag, std::int32_t>;

/// Position in one journal: the first entry is 1, 0 means "nothing yet".
using Sequence = Id<struct SequenceTag, std::uint64_t>;
/// Which front-end owns a concentrator's session; the higher one wins.
using OwnerEpoch = Id<struct OwnerEpochTag, std::int64_t>;

/// Random name of one journal, new at every start of the concentrator (design: journal, replication).
struct JournalId {
    std::array<std::uint8_t, 16> octets{};
    friend auto operator<=>(const JournalId&, const JournalId&) = default;
};

/// The twelve decimal digits on a device's plate, packed as BCD: the mesh meter-id, the E6 gateway address
/// and the identity in a concentrator's hello and certificate.
struct DeviceNumber {
    std::array<std::uint8_t, 6> bcd{};
    friend auto operator<=>(const DeviceNumber&, const DeviceNumber&) = default;

    /// Exactly twelve decimal digits, or nothing.
    static std::optional<DeviceNumber> parse(std::string_view digits);
    /// The number as an integer below 10^12; `bcd` must hold decimal digits only.
    std::uint64_t integer() const;
};
std::string to_string(const DeviceNumber& number);

/// DLMS system title: three letters of the manufacturer and five octets of serial number (Green Book 4.3.4).
struct SystemTitle {
    std::array<std::uint8_t, 8> octets{};
    friend auto operator<=>(const SystemTitle&, const SystemTitle&) = default;
};
/// Title of a Wattmesh device: "WMT" and the number as 40-bit big endian (10^12 < 2^40).
SystemTitle system_title(const DeviceNumber& number);

/// DLMS service access point = wrapper wPort = lower HDLC address.
using Sap = Id<struct SapTag, std::uint16_t>;
inline constexpr Sap management_client{1}, reading_client{2}, public_client{16};
inline constexpr Sap management_logical_device{1};

}  // namespace wattmesh

template <class Tag, class T>
struct std::hash<wattmesh::Id<Tag, T>> {
    std::size_t operator()(const wattmesh::Id<Tag, T>& id) const noexcept { return std::hash<T>{}(id.value); }
};
