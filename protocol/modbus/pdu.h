#pragma once
#include <cstdint>
#include <variant>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/result.h"

/// Requests and answers without the frame around them. Source: MODBUS Application Protocol Specification
/// V1.1b3, section 6; register addresses are those of the wire, from 0.
namespace wattmesh::modbus {

enum class Function : std::uint8_t {
    read_coils = 1,
    read_discrete_inputs = 2,
    read_holding_registers = 3,
    read_input_registers = 4,
    write_single_coil = 5,
    write_single_register = 6,
    write_multiple_coils = 15,
    write_multiple_registers = 16,
};
inline constexpr std::uint8_t exception_bit = 0x80;
inline constexpr std::size_t pdu_size_max = 253;
inline constexpr std::uint16_t read_registers_max = 125, read_bits_max = 2'000, write_registers_max = 123,
                               write_bits_max = 1'968;

/// Functions 1 to 4: `count` bits or registers from `start` on.
struct Read {
    Function function = Function::read_holding_registers;
    std::uint16_t start = 0, count = 1;
    friend bool operator==(const Read&, const Read&) = default;
};
/// Function 6 for one value (`single`), else function 16.
struct WriteRegisters {
    std::uint16_t start = 0;
    std::vector<std::uint16_t> values;
    bool single = false;
    friend bool operator==(const WriteRegisters&, const WriteRegisters&) = default;
};
/// Function 5 for one value (`single`), else function 15.
struct WriteCoils {
    std::uint16_t start = 0;
    std::vector<bool> values;
    bool single = false;
    friend bool operator==(const WriteCoils&, const WriteCoils&) = default;
};
using Request = std::variant<Read, WriteRegisters, WriteCoils>;
Function function_of(const Request& request);

/// Asserts the limits above.
Buffer encode(const Request& request);
/// What a slave received. Faults: unsupported (function), bad_value (counts, coil value), truncated,
/// trailing.
Result<Request> decode_request(Bytes pdu);

enum class ExceptionCode : std::uint8_t {
    illegal_function = 1,
    illegal_data_address = 2,
    illegal_data_value = 3,
    server_device_failure = 4,
    acknowledge = 5,
    server_device_busy = 6,
    memory_parity_error = 8,
    gateway_path_unavailable = 10,
    gateway_target_no_response = 11,
};
std::string_view to_string(ExceptionCode code);

struct Registers {
    std::vector<std::uint16_t> values;
    friend bool operator==(const Registers&, const Registers&) = default;
};
struct Bits {
    std::vector<bool> values;
    friend bool operator==(const Bits&, const Bits&) = default;
};
struct Written {
    friend bool operator==(const Written&, const Written&) = default;
};
struct Exception {
    ExceptionCode code{};
    friend bool operator==(const Exception&, const Exception&) = default;
};
using Response = std::variant<Registers, Bits, Written, Exception>;

/// The answer to `request`. Asserts that it has as many values as were asked for.
Buffer encode(const Response& response, const Request& request);
/// Faults: unexpected (another function, another count, another address), truncated, trailing, bad_value.
Result<Response> decode_response(Bytes pdu, const Request& request);

/// Octets of the answer's PDU when it is no exception.
std::size_t response_size(const Request& request);

}  // namespace wattmesh::modbus
