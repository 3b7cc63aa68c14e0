#include "protocol/modbus/pdu.h"

#include <cassert>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"

namespace wattmesh::modbus {

namespace {

constexpr std::uint16_t coil_on = 0xFF00, coil_off = 0x0000;

bool reads_bits(Function function) {
    return function == Function::read_coils || function == Function::read_discrete_inputs;
}
std::size_t octets_of_bits(std::size_t count) { return (count + 7) / 8; }

/// Lowest bit first.
void encode_bits(Writer& out, const std::vector<bool>& values) {
    std::uint8_t octet = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i]) octet |= static_cast<std::uint8_t>(1U << (i % 8));
        if (i % 8 == 7 || i + 1 == values.size()) {
            out.u8(octet);
            octet = 0;
        }
    }
}

std::vector<bool> decode_bits(Reader& in, std::size_t count) {
    const Bytes octets = in.bytes(octets_of_bits(count));
    std::vector<bool> values;
    if (!in.ok()) return values;
    values.reserve(count);
    for (std::size_t i = 0; i < count; ++i) values.push_back(((octets[i / 8] >> (i % 8)) & 1) != 0);
    return values;
}

std::vector<std::uint16_t> decode_registers(Reader& in, std::size_t count) {
    std::vector<std::uint16_t> values;
    if (in.remaining() < 2 * count) in.fail(Fault::truncated);
    for (std::size_t i = 0; i < count && in.ok(); ++i) values.push_back(in.u16());
    return values;
}

Request decode_read(Reader& in, Function function) {
    Read read{function, in.u16(), 0};
    const auto at = in.position();
    read.count = in.u16();
    if (read.count == 0 || read.count > (reads_bits(function) ? read_bits_max : read_registers_max))
        in.fail_at(Fault::bad_value, at);
    return read;
}

Request decode_write_coils(Reader& in, bool single) {
    WriteCoils write{in.u16(), {}, single};
    const auto at = in.position();
    if (single) {
        const auto value = in.u16();
        if (value != coil_on && value != coil_off) in.fail_at(Fault::bad_value, at);
        write.values = {value == coil_on};
        return write;
    }
    const std::size_t count = in.u16();
    if (count == 0 || count > write_bits_max || in.u8() != octets_of_bits(count))
        in.fail_at(Fault::bad_value, at);
    if (in.ok()) write.values = decode_bits(in, count);
    return write;
}

Request decode_write_registers(Reader& in, bool single) {
    WriteRegisters write{in.u16(), {}, single};
    if (single) {
        write.values = {in.u16()};
        return write;
    }
    const auto at = in.position();
    const std::size_t count = in.u16();
    if (count == 0 || count > write_registers_max || in.u8() != 2 * count) in.fail_at(Fault::bad_value, at);
    if (in.ok()) write.values = decode_registers(in, count);
    return write;
}

}  // namespace

Function function_of(const Request& request) {
    if (const auto* read = std::get_if<Read>(&request)) return read->function;
    if (const auto* coils = std::get_if<WriteCoils>(&request))
        return coils->single ? Function::write_single_coil : Function::write_multiple_coils;
    return std::get<WriteRegisters>(request).single ? Function::write_single_register
                                                    : Function::write_multiple_registers;
}

Buffer encode(const Request& request) {
    Writer out;
    out.u8(static_cast<std::uint8_t>(function_of(request)));
    if (const auto* read = std::get_if<Read>(&request)) {
        assert(read->count >= 1 &&
               read->count <= (reads_bits(read->function) ? read_bits_max : read_registers_max));
        return out.u16(read->start).u16(read->count).take();
    }
    if (const auto* coils = std::get_if<WriteCoils>(&request)) {
        assert(!coils->values.empty() && coils->values.size() <= (coils->single ? 1U : write_bits_max));
        out.u16(coils->start);
        if (coils->single) return out.u16(coils->values[0] ? coil_on : coil_off).take();
        out.u16(static_cast<std::uint16_t>(coils->values.size()));
        out.u8(static_cast<std::uint8_t>(octets_of_bits(coils->values.size())));
        encode_bits(out, coils->values);
        return out.take();
    }
    const auto& write = std::get<WriteRegisters>(request);
    assert(!write.values.empty() && write.values.size() <= (write.single ? 1U : write_registers_max));
    out.u16(write.start);
    if (!write.single) {
        out.u16(static_cast<std::uint16_t>(write.values.size()));
        out.u8(static_cast<std::uint8_t>(2 * write.values.size()));
    }
    for (const auto value : write.values) out.u16(value);
    return out.take();
}

Result<Request> decode_request(Bytes pdu) {
    Reader in{pdu};
    const auto function = static_cast<Function>(in.u8());
    Request request;
    switch (function) {
        case Function::read_coils:
        case Function::read_discrete_inputs:
        case Function::read_holding_registers:
        case Function::read_input_registers:
            request = decode_read(in, function);
            break;
        case Function::write_single_coil:
        case Function::write_multiple_coils:
            request = decode_write_coils(in, function == Function::write_single_coil);
            break;
        case Function::write_single_register:
        case Function::write_multiple_registers:
            request = decode_write_registers(in, function == Function::write_single_register);
            break;
        default:
            in.fail_at(Fault::unsupported, 0);
    }
    in.expect_end();
    if (in.error()) return *in.error();
    return request;
}

std::string_view to_string(ExceptionCode code) {
    switch (code) {
        case ExceptionCode::illegal_function:
            return "illegal function";
        case ExceptionCode::illegal_data_address:
            return "illegal data address";
        case ExceptionCode::illegal_data_value:
            return "illegal data value";
        case ExceptionCode::server_device_failure:
            return "server device failure";
        case ExceptionCode::acknowledge:
            return "acknowledge";
        case ExceptionCode::server_device_busy:
            return "server device busy";
        case ExceptionCode::memory_parity_error:
            return "memory parity error";
        case ExceptionCode::gateway_path_unavailable:
            return "gateway path unavailable";
        case ExceptionCode::gateway_target_no_response:
            return "gateway target does not respond";
    }
    return "unknown exception";
}

std::size_t response_size(const Request& request) {
    const auto* read = std::get_if<Read>(&request);
    if (!read) return 5;
    return 2U + (reads_bits(read->function) ? octets_of_bits(read->count) : 2U * read->count);
}

Buffer encode(const Response& response, const Request& request) {
    const auto function = static_cast<std::uint8_t>(function_of(request));
    Writer out;
    if (const auto* exception = std::get_if<Exception>(&response))
        return out.u8(function | exception_bit).u8(static_cast<std::uint8_t>(exception->code)).take();
    if (const auto* read = std::get_if<Read>(&request)) {
        out.u8(function).u8(static_cast<std::uint8_t>(response_size(request) - 2));
        if (const auto* bits = std::get_if<Bits>(&response)) {
            assert(reads_bits(read->function) && bits->values.size() == read->count);
            encode_bits(out, bits->values);
        } else {
            const auto& values = std::get<Registers>(response).values;
            assert(!reads_bits(read->function) && values.size() == read->count);
            for (const auto value : values) out.u16(value);
        }
        return out.take();
    }
    assert(std::holds_alternative<Written>(response));
    // The first five octets of the request come back: address and value, or address and count.
    Buffer echo = encode(request);
    echo.resize(5);
    return echo;
}

Result<Response> decode_response(Bytes pdu, const Request& request) {
    Reader in{pdu};
    const auto function = static_cast<std::uint8_t>(function_of(request));
    const auto first = in.u8();
    Response response = Written{};
    if (first == (function | exception_bit)) {
        response = Exception{static_cast<ExceptionCode>(in.u8())};
    } else if (first != function) {
        in.fail_at(Fault::unexpected, 0);
    } else if (const auto* read = std::get_if<Read>(&request)) {
        if (in.u8() != response_size(request) - 2) in.fail_at(Fault::unexpected, 1);
        if (reads_bits(read->function))
            response = Bits{decode_bits(in, read->count)};
        else
            response = Registers{decode_registers(in, read->count)};
    } else {
        const Buffer sent = encode(request);
        for (std::size_t i = 1; i < 5; ++i) in.expect(sent[i], Fault::unexpected);
    }
    in.expect_end();
    if (in.error()) return *in.error();
    return response;
}

}  // namespace wattmesh::modbus
