#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/result.h"

/// General block transfer: any APDU in numbered blocks, with windows and recovery of lost blocks.
/// Source: Green Book (DLMS UA 1000-2) ed. 10, 9.4.6.13 and 9.5.
namespace wattmesh::dlms {

/// general-block-transfer (E0).
struct GeneralBlock {
    bool last = false;
    bool streaming = false;  ///< more blocks follow without waiting for an answer
    std::uint8_t window =
        0;  ///< blocks its sender can take without acknowledging, 0 to 63; 0: cannot ask again
    std::uint16_t number = 0;        ///< from 1
    std::uint16_t acknowledged = 0;  ///< highest number received without a gap
    Buffer octets{};
    friend bool operator==(const GeneralBlock&, const GeneralBlock&) = default;
};
inline constexpr std::uint8_t general_block_tag = 0xE0;
inline constexpr std::uint8_t general_block_window_max = 63;
Buffer encode(const GeneralBlock& block);
Result<GeneralBlock> decode_general_block(Bytes apdu);
/// Octets of a block around `raw` octets.
std::size_t general_block_size(std::size_t raw);

/// One end of a general block transfer, sans-IO: what it sends and what it receives in one exchange of a
/// request and its answer.
///
///   sender:   blocks up to the peer's window, the last of them without the streaming bit, then it waits; an
///             acknowledgement that shows a gap makes it go back to the first lost block
///   receiver: answers a block without the streaming bit with what it has without a gap
///
/// The last block of an answer is acknowledged only when something is missing: the next request says the
/// rest. Acknowledgements use up block numbers, their content is empty. Turns that got lost: the owner's
/// timer calls `resume`.
class BlockTransfer {
public:
    struct Config {
        std::uint8_t window = 8;         ///< blocks we take in one go, 1 to 63
        std::size_t block_size = 1'024;  ///< octets of payload in a block of ours
        std::size_t transfer_size_max = 1 << 20;
        std::uint32_t resends_max = 8;  ///< going back without progress more often ends the transfer
    };
    BlockTransfer() : BlockTransfer(Config{}) {}
    explicit BlockTransfer(const Config& config) : config_(config) {}

    /// Sends `message` (not empty) in blocks. A peer whose window is not known yet gets one block, and the
    /// rest once it answered.
    void send(Buffer message);
    /// Feeds a block of the peer. Faults end the transfer: too_long, unexpected (acknowledges what was never
    /// sent), refused (gone back too often).
    std::optional<Error> receive(const GeneralBlock& block);
    /// The peer's whole message, once.
    std::optional<Buffer> take_message() { return std::exchange(whole_, std::nullopt); }
    std::optional<GeneralBlock> take_output();
    /// The owner's timer ran out: asks again, or sends again what was not acknowledged. False when there is
    /// nothing open or it was tried too often.
    bool resume();
    /// Blocks of ours wait for an acknowledgement or for the peer's message, or that is incomplete.
    bool open() const { return sending() || ((blocks_ > 0 || !incoming_.empty()) && !complete_); }
    /// `block` is a first one with content, and not a repetition of the one we know: the peer begins another
    /// exchange.
    bool begins_anew(const GeneralBlock& block) const;
    void reset() { *this = BlockTransfer{config_}; }

    std::uint64_t repeated() const { return repeated_; }  ///< blocks sent again

private:
    bool sending() const { return acknowledged_ < blocks_; }
    std::optional<Error> take_acknowledgement(const GeneralBlock& block);
    std::optional<Error> take_content(const GeneralBlock& block, bool next);
    void send_window();
    void acknowledge();

    Config config_;
    Buffer message_;                                          ///< ours, on its way out
    std::uint32_t base_ = 0;                                  ///< our number before its first block
    std::uint32_t blocks_ = 0, sent_ = 0, acknowledged_ = 0;  ///< of it; `sent_` goes back after losses
    std::uint32_t sent_most_ = 0;
    std::uint32_t own_last_ = 0;          ///< highest number we used
    std::uint32_t own_acknowledged_ = 0;  ///< highest of them that the peer says it has
    std::uint8_t peer_window_ = 1;
    Buffer incoming_, first_;     ///< the peer's message so far; its first block
    std::uint32_t received_ = 0;  ///< highest number without a gap
    bool complete_ = false;
    std::optional<Buffer> whole_;
    std::deque<GeneralBlock> output_;
    std::uint32_t resends_ = 0;
    std::uint64_t repeated_ = 0;
};

/// `message` in blocks that nobody acknowledges (window 0), for one-way lines.
std::vector<GeneralBlock> unconfirmed_blocks(Bytes message, std::size_t block_size);

/// Joins unconfirmed blocks of a one-way line (pushes): a lost block drops the set.
class BlockCollector {
public:
    explicit BlockCollector(std::size_t transfer_size_max = 64 * 1024) : size_max_(transfer_size_max) {}
    /// The whole message with its last block.
    std::optional<Buffer> receive(const GeneralBlock& block);
    std::uint64_t dropped() const { return dropped_; }

private:
    std::size_t size_max_;
    Buffer octets_;
    static constexpr std::uint32_t none = 0x1'0000;  ///< waits for a first block
    std::uint32_t next_ = none;
    std::uint64_t dropped_ = 0;
};

}  // namespace wattmesh::dlms
