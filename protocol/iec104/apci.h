#pragma once
#include <optional>

#include "protocol/base/bytes.h"
#include "protocol/base/result.h"
#include "protocol/base/writer.h"

namespace wattmesh::iec104 {

inline constexpr std::uint8_t start_octet = 0x68;
inline constexpr std::uint16_t sequence_modulus = 0x8000;

/// Unnumbered control functions, as in the first control octet. Source: IEC 60870-5-104 ed. 2, 5.1.
enum class Unnumbered : std::uint8_t {
    start_activate = 0x07,
    start_confirm = 0x0B,
    stop_activate = 0x13,
    stop_confirm = 0x23,
    test_activate = 0x43,
    test_confirm = 0x83,
};
/// "STARTDT act" and so on.
std::string_view to_string(Unnumbered function);

enum class Format : std::uint8_t { information, supervisory, unnumbered };

/// 68 | length | four control octets | ASDU of I frames. `asdu` points into where it was decoded from.
struct Frame {
    Format format{};
    Unnumbered function{};       ///< of U frames
    std::uint16_t sent = 0;      ///< N(S) of I frames, below 2^15
    std::uint16_t received = 0;  ///< N(R) of I and S frames
    Bytes asdu;                  ///< 1..249 octets of I frames
};

void encode_information(std::uint16_t sent, std::uint16_t received, Bytes asdu, Buffer& out);
void encode_supervisory(std::uint16_t received, Buffer& out);
void encode_unnumbered(Unnumbered function, Buffer& out);

/// One whole frame of at least two octets, whose length the caller has found complete.
Result<Frame> decode_frame(Bytes frame);

/// Cuts a stream. After an error the stream is lost: nothing tells where the next frame begins.
class FrameDecoder {
public:
    void feed(Bytes octets);
    /// The frame's view holds until the next call of feed().
    std::optional<Frame> next();
    const std::optional<Error>& error() const { return error_; }

private:
    Buffer buffer_;
    std::size_t at_ = 0;
    std::optional<Error> error_;
};

}  // namespace wattmesh::iec104
