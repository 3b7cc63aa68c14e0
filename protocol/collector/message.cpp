#include "protocol/collector/message.h"

#include <bitset>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"

namespace wattmesh::collector {
namespace {

constexpr std::uint8_t tag_table_request = 0xC1, tag_group_request = 0xC2, tag_table_page = 0xD1,
                       tag_group_answer = 0xD2, tag_notice = 0xD3;

/// A sub-address that this message has not named before.
std::uint8_t get_sub(Reader& in, std::bitset<attached_max + 1>& seen) {
    const auto sub = in.u8();
    if (in.ok() && (sub < 1 || sub > attached_max || seen.test(sub))) in.fail(Fault::bad_value);
    if (in.ok()) seen.set(sub);
    return sub;
}

Buffer get_payload(Reader& in) {
    const std::size_t size = in.u8();
    if (size > meter_payload_size_max) in.fail(Fault::too_long);
    return to_buffer(in.bytes(in.ok() ? size : 0));
}

Message get_table_request(Reader& in) {
    const TableRequest request{.first = in.u8()};
    if (request.first < 1 || request.first > attached_max) in.fail(Fault::bad_value);
    return request;
}

Message get_table_page(Reader& in) {
    TablePage page;
    page.generation = in.u16();
    page.refused = in.u8();
    page.next = in.u8();
    const std::size_t count = in.u8();
    if (count > TablePage::rows_max) in.fail(Fault::too_long);
    if (page.next > attached_max) in.fail(Fault::bad_value);
    std::bitset<attached_max + 1> seen;
    std::uint8_t last = 0;
    for (std::size_t i = 0; i < count && in.ok(); ++i) {
        TablePage::Row row;
        row.sub = get_sub(in, seen);
        row.meter.bcd = in.array<6>();
        for (const auto octet : row.meter.bcd)
            if ((octet >> 4) > 9 || (octet & 0x0F) > 9) in.fail(Fault::bad_value);
        row.silent_s = in.u16();
        if (row.sub <= last || (page.next != 0 && row.sub >= page.next)) in.fail(Fault::bad_value);
        last = row.sub;
        page.rows.push_back(row);
    }
    return page;
}

std::size_t get_items(Reader& in) {
    const std::size_t count = in.u8();
    if (count > GroupRequest::items_max) in.fail(Fault::too_long);
    return in.ok() ? count : 0;
}

Message get_group_request(Reader& in) {
    GroupRequest request;
    const auto count = get_items(in);
    if (count == 0) in.fail(Fault::bad_value);
    std::bitset<attached_max + 1> seen;
    for (std::size_t i = 0; i < count && in.ok(); ++i) {
        GroupRequest::Item item;
        item.sub = get_sub(in, seen);
        item.check = in.u16();
        item.payload = get_payload(in);
        request.items.push_back(std::move(item));
    }
    return request;
}

Message get_group_answer(Reader& in) {
    GroupAnswer answer;
    answer.generation = in.u16();
    const auto count = get_items(in);
    std::bitset<attached_max + 1> seen;
    for (std::size_t i = 0; i < count && in.ok(); ++i) {
        GroupAnswer::Item item;
        item.sub = get_sub(in, seen);
        const auto status = in.u8();
        if (status > static_cast<unsigned>(ItemStatus::too_long)) in.fail(Fault::bad_value);
        item.status = static_cast<ItemStatus>(status);
        item.payload = get_payload(in);
        if ((item.status == ItemStatus::answered) == item.payload.empty()) in.fail(Fault::bad_value);
        answer.items.push_back(std::move(item));
    }
    return answer;
}

struct Encoder {
    Writer out;
    void payload(const Buffer& octets) {
        assert(octets.size() <= meter_payload_size_max);
        out.u8(static_cast<std::uint8_t>(octets.size())).bytes(octets);
    }
    void operator()(const TableRequest& request) { out.u8(tag_table_request).u8(request.first); }
    void operator()(const TablePage& page) {
        assert(page.rows.size() <= TablePage::rows_max);
        out.u8(tag_table_page).u16(page.generation).u8(page.refused).u8(page.next);
        out.u8(static_cast<std::uint8_t>(page.rows.size()));
        for (const auto& row : page.rows) out.u8(row.sub).bytes(row.meter.bcd).u16(row.silent_s);
    }
    void operator()(const GroupRequest& request) {
        assert(!request.items.empty() && request.items.size() <= GroupRequest::items_max);
        out.u8(tag_group_request).u8(static_cast<std::uint8_t>(request.items.size()));
        for (const auto& item : request.items) {
            out.u8(item.sub).u16(item.check);
            payload(item.payload);
        }
    }
    void operator()(const GroupAnswer& answer) {
        assert(answer.items.size() <= GroupRequest::items_max);
        out.u8(tag_group_answer).u16(answer.generation);
        out.u8(static_cast<std::uint8_t>(answer.items.size()));
        for (const auto& item : answer.items) {
            out.u8(item.sub).u8(static_cast<std::uint8_t>(item.status));
            payload(item.payload);
        }
    }
    void operator()(const Notice& notice) { out.u8(tag_notice).u16(notice.generation); }
};

}  // namespace

std::uint16_t check_of(const DeviceNumber& meter) {
    // The last four digits tell the meters of one bus apart better than any checksum would.
    return static_cast<std::uint16_t>(meter.bcd[4] << 8 | meter.bcd[5]);
}

Buffer encode(const Message& message) {
    Encoder encoder;
    std::visit(encoder, message);
    return encoder.out.take();
}

Result<Message> decode(Bytes payload) {
    Reader in{payload};
    Message message;
    switch (in.u8()) {
        case tag_table_request:
            message = get_table_request(in);
            break;
        case tag_group_request:
            message = get_group_request(in);
            break;
        case tag_table_page:
            message = get_table_page(in);
            break;
        case tag_group_answer:
            message = get_group_answer(in);
            break;
        case tag_notice:
            message = Notice{in.u16()};
            break;
        default:
            in.fail_at(Fault::bad_tag, 0);
    }
    in.expect_end();
    if (in.error()) return *in.error();
    return message;
}

}  // namespace wattmesh::collector
