#include "protocol/mesh/host_frame.h"

#include <cassert>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"

namespace wattmesh::mesh::host {
namespace {

enum Tag : std::uint8_t {
    tag_init = 0x01,
    tag_tx = 0x02,
    tag_status_request = 0x03,
    tag_key = 0x04,
    tag_tx_result = 0x81,
    tag_rx = 0x82,
    tag_status = 0x83
};

PhyRate get_rate(Reader& in) {
    const auto rate = in.u8();
    if (rate != 1 && rate != 5 && rate != 10) in.fail(Fault::bad_value);
    return static_cast<PhyRate>(rate);
}
bool get_flag(Reader& in) {
    const auto flag = in.u8();
    if (flag > 1) in.fail(Fault::bad_value);
    return flag == 1;
}
FrameType get_type(Reader& in) {
    const auto type = in.u8();
    if (!is_frame_type(type)) in.fail(Fault::bad_value);
    return static_cast<FrameType>(type);
}
Buffer get_body(Reader& in) {
    if (in.remaining() > frame_body_size_max) in.fail(Fault::too_long);
    return to_buffer(in.rest());
}

std::uint8_t get_key_id(Reader& in) {
    const auto id = in.u8();
    if (id < 1 || id > 2) in.fail(Fault::bad_value);
    return id;
}

Message get_init(Reader& in) {
    Init init;
    init.concentrator.bcd = in.array<6>();
    init.pan = in.u16();
    init.rate = get_rate(in);
    init.channels = in.u16();
    init.net_key = Key128{in.array<16>()};
    init.counter_start = in.u32();
    init.key = get_key_id(in);
    return init;
}
Message get_key(Reader& in) {
    Key key;
    const auto action = in.u8();
    if (action < 1 || action > 3) in.fail(Fault::bad_value);
    key.action = static_cast<Key::Action>(action);
    key.key = get_key_id(in);
    if (key.action != Key::Action::add) return key;
    key.net_key = Key128{in.array<16>()};
    key.counter_start = in.u32();
    return key;
}
Message get_tx(Reader& in) {
    Tx tx;
    tx.handle = in.u16();
    tx.destination = in.u16();
    tx.type = get_type(in);
    tx.secured = get_flag(in);
    tx.body = get_body(in);
    return tx;
}
Message get_tx_result(Reader& in) {
    TxResult result;
    result.handle = in.u16();
    const auto outcome = in.u8();
    if (outcome > static_cast<unsigned>(TxOutcome::not_initialised)) in.fail(Fault::bad_value);
    result.outcome = static_cast<TxOutcome>(outcome);
    result.tries = in.u8();
    result.rssi_dbm = in.i8();
    return result;
}
Message get_rx(Reader& in) {
    Rx rx;
    rx.rssi_dbm = in.i8();
    rx.source = in.u16();
    rx.destination = in.u16();
    rx.type = get_type(in);
    rx.secured = get_flag(in);
    rx.body = get_body(in);
    return rx;
}
Message get_status(Reader& in) {
    Status status;
    status.initialised = get_flag(in);
    status.counter_next = in.u32();
    status.frames_sent = in.u32();
    status.frames_received = in.u32();
    status.frames_refused = in.u32();
    status.key = in.u8();
    if (status.key > 2) in.fail(Fault::bad_value);
    return status;
}

struct Encoder {
    Writer out;
    void operator()(const Init& init) {
        out.u8(tag_init).bytes(init.concentrator.bcd).u16(init.pan).u8(static_cast<std::uint8_t>(init.rate));
        out.u16(init.channels).bytes(init.net_key.reveal()).u32(init.counter_start);
        out.u8(init.key);
    }
    void operator()(const Key& key) {
        out.u8(tag_key).u8(static_cast<std::uint8_t>(key.action)).u8(key.key);
        if (key.action == Key::Action::add) out.bytes(key.net_key.reveal()).u32(key.counter_start);
    }
    void operator()(const Tx& tx) {
        assert(tx.body.size() <= frame_body_size_max);
        out.u8(tag_tx)
            .u16(tx.handle)
            .u16(tx.destination)
            .u8(static_cast<std::uint8_t>(tx.type))
            .u8(tx.secured);
        out.bytes(tx.body);
    }
    void operator()(const StatusRequest&) { out.u8(tag_status_request); }
    void operator()(const TxResult& result) {
        out.u8(tag_tx_result)
            .u16(result.handle)
            .u8(static_cast<std::uint8_t>(result.outcome))
            .u8(result.tries);
        out.i8(result.rssi_dbm);
    }
    void operator()(const Rx& rx) {
        out.u8(tag_rx)
            .i8(rx.rssi_dbm)
            .u16(rx.source)
            .u16(rx.destination)
            .u8(static_cast<std::uint8_t>(rx.type));
        out.u8(rx.secured).bytes(rx.body);
    }
    void operator()(const Status& status) {
        out.u8(tag_status).u8(status.initialised).u32(status.counter_next);
        out.u32(status.frames_sent).u32(status.frames_received).u32(status.frames_refused).u8(status.key);
    }
};

}  // namespace

Buffer encode(const Message& message) {
    Encoder encoder;
    std::visit(encoder, message);
    return encoder.out.take();
}

Result<Message> decode(Bytes payload) {
    Reader in{payload};
    Message message;
    switch (in.u8()) {
        case tag_init:
            message = get_init(in);
            break;
        case tag_tx:
            message = get_tx(in);
            break;
        case tag_status_request:
            message = StatusRequest{};
            break;
        case tag_key:
            message = get_key(in);
            break;
        case tag_tx_result:
            message = get_tx_result(in);
            break;
        case tag_rx:
            message = get_rx(in);
            break;
        case tag_status:
            message = get_status(in);
            break;
        default:
            in.fail_at(Fault::bad_tag, 0);
    }
    in.expect_end();
    if (in.error()) return *in.error();
    return message;
}

}  // namespace wattmesh::mesh::host
