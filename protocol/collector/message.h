#pragma once
#include <cstdint>
#include <variant>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/id.h"
#include "protocol/base/result.h"

/// What a concentrator and a collector say to each other: payloads of the mesh's requests, answers and
/// notices, big endian. The first octet tells them apart; none of them is the SAP of a client, so what a
/// meter gets by mistake it leaves alone. No published standard: Wattmesh's own, see README.md.
namespace wattmesh::collector {

/// Places at one collector: sub-addresses 1 to this.
inline constexpr std::uint8_t attached_max = 64;
/// A request longer than this does not go over more than six relays; one with a single meter may be.
inline constexpr std::size_t request_size_max = 201;
/// What fits above the mesh's own headers in one frame up, and down over up to six relays.
inline constexpr std::size_t message_size_max = 208;
/// Of one meter: sap u8 | APDU.
inline constexpr std::size_t meter_payload_size_max = 201;

/// Tells a concentrator with an old table that a sub-address is somebody else's by now.
std::uint16_t check_of(const DeviceNumber& meter);

/// Concentrator: send the table from this sub-address on.
struct TableRequest {
    std::uint8_t first = 1;
    friend bool operator==(const TableRequest&, const TableRequest&) = default;
};
/// One page, in the order of sub-addresses.
struct TablePage {
    struct Row {
        std::uint8_t sub = 0;
        DeviceNumber meter;
        std::uint16_t silent_s = 0;  ///< since it was heard on the wire; unheard: not since we started
        friend bool operator==(const Row&, const Row&) = default;
    };
    static constexpr std::uint16_t unheard = 0xFFFF;
    static constexpr std::size_t rows_max = 20;
    std::uint16_t generation = 0;  ///< changes with every change of the table
    std::uint8_t refused = 0;      ///< meters on the wire for which there is no place, saturated
    std::uint8_t next = 0;         ///< where the next page begins; 0: this was the last one
    std::vector<Row> rows;         ///< <= rows_max, each within [first, next), ascending
    friend bool operator==(const TablePage&, const TablePage&) = default;
};

/// Concentrator: ask these meters, or hand over what they have answered meanwhile.
struct GroupRequest {
    struct Item {
        std::uint8_t sub = 0;
        std::uint16_t check = 0;  ///< check_of the meter that is meant
        Buffer payload;           ///< sap u8 | APDU, passed on unopened; empty: hand over
        friend bool operator==(const Item&, const Item&) = default;
    };
    static constexpr std::size_t items_max = 16;
    std::vector<Item> items;  ///< 1 to items_max, each sub-address once
    friend bool operator==(const GroupRequest&, const GroupRequest&) = default;
};
enum class ItemStatus : std::uint8_t {
    answered = 0,
    waiting = 1,   ///< not done yet, or no room in this frame: ask for it alone
    silent = 2,    ///< the meter did not answer on the wire
    absent = 3,    ///< nobody, or somebody else, has this sub-address
    nothing = 4,   ///< there is nothing to hand over
    too_long = 5,  ///< the meter's answer does not fit a frame
};
struct GroupAnswer {
    struct Item {
        std::uint8_t sub = 0;
        ItemStatus status{};
        Buffer payload;  ///< sap u8 | APDU when answered, else empty
        friend bool operator==(const Item&, const Item&) = default;
    };
    std::uint16_t generation = 0;
    std::vector<Item> items;  ///< <= GroupRequest::items_max
    friend bool operator==(const GroupAnswer&, const GroupAnswer&) = default;
};

/// Collector, unasked: the table is not what it was. Comes again until the table has been fetched.
struct Notice {
    std::uint16_t generation = 0;
    friend bool operator==(const Notice&, const Notice&) = default;
};

using Message = std::variant<TableRequest, TablePage, GroupRequest, GroupAnswer, Notice>;
Buffer encode(const Message& message);
Result<Message> decode(Bytes payload);

/// Octets that one item adds to its message.
inline constexpr std::size_t request_overhead = 2, request_item_overhead = 4;
inline constexpr std::size_t answer_overhead = 4, answer_item_overhead = 3;

}  // namespace wattmesh::collector
