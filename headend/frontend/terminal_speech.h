#pragma once
#include <optional>

#include "protocol/base/id.h"
#include "protocol/gdw376/answer.h"

namespace wattmesh::headend::frontend {

/// What a link says that carries Q/GDW 376.1: requests out under rising sequence numbers, the frames of the
/// answer to the open one joined, everything else told apart. Answers to earlier requests are dropped by
/// their number.
class TerminalSpeech {
public:
    /// The octets to send. `request` is an encoded frame (asserted).
    Buffer ask(Bytes request);
    void feed(Bytes octets) { decoder_.feed(octets); }
    std::optional<gdw376::Frame> next();
    /// All frames of the answer to the newest request, encoded one behind the other; once.
    std::optional<Buffer> take_answer() { return std::exchange(answer_, std::nullopt); }
    /// The frame just taken may be part of an answer.
    bool waits() const { return finder_.is_open(); }
    /// Of the first frame that came; nothing when its area is no four digits.
    std::optional<DeviceNumber> number() const;
    std::uint64_t refused() const { return decoder_.refused(); }

    /// What a terminal expects to hear at once: AFN 00 for log-ins, heartbeats and everything that it wants
    /// confirmed. AFN 03 and 06 are denied: we relay nothing for it, and have no security chip.
    static std::optional<Buffer> receipt(const gdw376::Frame& frame);
    /// Values or events that the terminal sent by itself.
    static bool is_report(const gdw376::Frame& frame);

private:
    gdw376::Decoder decoder_;
    gdw376::AnswerFinder finder_;
    std::optional<gdw376::Address> address_;
    std::optional<Buffer> answer_;
    std::uint8_t sequence_ = 0;
};

}  // namespace wattmesh::headend::frontend
