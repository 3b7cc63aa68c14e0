#pragma once
#include <optional>
#include <vector>

#include "protocol/gdw376/frame.h"

namespace wattmesh::gdw376 {

/// Finds the answer to one request among what a terminal sends: same terminal and sequence number, the AFN
/// that was asked for or AFN 00. An answer in several frames (FIR, FIN) is joined by consecutive numbers;
/// where one is missing it is no answer, and whoever asked runs into his time limit. Terminals answer with
/// PRM 0 or 1 (captured), so that it is not looked at.
class AnswerFinder {
public:
    static constexpr std::size_t frames_max = 32;

    void open(const Frame& request);
    void close();
    bool is_open() const { return open_.has_value(); }
    enum class Took : std::uint8_t { no, part, whole };
    /// `whole`: take_frames() has the answer, and it is closed.
    Took take(const Frame& frame);
    std::vector<Frame> take_frames() { return std::exchange(frames_, {}); }

private:
    struct Open {
        Address address;
        Afn afn{};
        std::uint8_t sequence = 0;
    };
    std::optional<Open> open_;
    std::vector<Frame> frames_;
};

/// Whether an answer says no as a whole: AFN 00 with F2, or F3 with an error.
bool is_denial(const Frame& frame);

}  // namespace wattmesh::gdw376
