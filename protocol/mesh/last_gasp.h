#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/result.h"
#include "protocol/base/time.h"

/// What is said when the power goes. Source: mesh design 2.2 and 2.7, restated in protocol/mesh/README.md.
namespace wattmesh::mesh {

/// Body of last_gasp (broadcast by a node without power) and of outage_report (passed up by its living
/// neighbours).
struct DarkList {
    std::uint8_t hops = 0;            ///< of the sender: how far the list has come
    std::uint16_t parent = 0;         ///< of the sender; a living one answers for it
    std::vector<std::uint16_t> dark;  ///< <= dark_list_max short addresses
    friend bool operator==(const DarkList&, const DarkList&) = default;
};
inline constexpr std::size_t dark_list_max = 96;
Buffer encode(const DarkList& list);
Result<DarkList> decode_dark_list(Bytes body);

/// Body of dark_known, broadcast by the root: these nodes are known to be without power.
struct DarkKnown {
    std::vector<std::uint16_t> dark;  ///< ascending, within dark_known_span of the first
    friend bool operator==(const DarkKnown&, const DarkKnown&) = default;
};
inline constexpr std::uint16_t dark_known_span = 1'600;
Buffer encode(const DarkKnown& known);
Result<DarkKnown> decode_dark_known(Bytes body);

/// The last words of a node whose power has gone: what it holds in its capacitor is good for
/// `frames_max` frames within `lasts`. Everybody says his own name at a time drawn by chance; who hears one
/// farther away takes it along with the next frame, until somebody nearer or the root has named it.
class LastGasp {
public:
    static constexpr int frames_max = 3;
    static constexpr Duration lasts{10'000'000};

    void begin(std::uint16_t own, std::uint8_t hops, std::uint16_t parent, Instant now, std::uint32_t chance);
    void end();
    bool under_way() const { return frames_left_ >= 0; }

    void heard(const DarkList& list, Instant now, std::uint32_t chance);
    void known(const DarkKnown& known);

    Instant next_deadline() const { return next_at_; }
    /// The list to broadcast now, if one is due and there is still something to say.
    std::optional<DarkList> take(Instant now, std::uint32_t chance);

private:
    /// carried: somebody as near as we are has said it; it is said again in our last frame only.
    enum class Progress : std::uint8_t { open, carried, done };
    struct Row {
        std::uint16_t address = 0;
        Progress progress{};
    };
    Row* find(std::uint16_t address);

    std::uint16_t own_ = 0, parent_ = 0;
    std::uint8_t hops_ = 0;
    int frames_left_ = -1;
    Instant next_at_ = never, last_at_ = never;
    std::vector<Row> rows_;  // our own first
};

}  // namespace wattmesh::mesh
