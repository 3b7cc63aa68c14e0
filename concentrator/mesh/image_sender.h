#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <variant>
#include <vector>

#include "protocol/base/id.h"
#include "protocol/base/time.h"
#include "protocol/mesh/image.h"

namespace wattmesh::concentrator {

/// What is known of one image's way into many meters, and what to do next. Asks everybody what is missing,
/// sends what many miss to all, asks again, and sends the rest to each alone. Keeps nothing that the meters
/// do not know better: after a restart it begins by asking. Pure: 1 bit per block and meter.
class ImageSender {
public:
    struct Ask {
        DeviceNumber meter;
    };
    struct Everybody {
        std::uint8_t pass = 0;
        std::uint16_t index = 0;
    };
    struct One {
        DeviceNumber meter;
        std::uint16_t index = 0;
    };
    using Step = std::variant<Ask, Everybody, One>;
    /// What the owner knows of the network now.
    struct Ways {
        std::function<std::optional<std::size_t>(DeviceNumber)> hops;  ///< nothing: no way there
        std::size_t relays = 0;                                        ///< that pass a broadcast on
    };
    struct Progress {
        std::size_t meters = 0, verified = 0, failed = 0, refused = 0;
        std::size_t blocks = 0;
        std::uint64_t missing = 0;  ///< blocks, over all that are not done, as far as they have told
        std::uint32_t passes = 0, broadcasts = 0, alone = 0, asked = 0;
        std::size_t done() const { return verified + failed + refused; }
        friend bool operator==(const Progress&, const Progress&) = default;
    };

    /// What a meter has said that is worth telling: another state, or another quarter of the image.
    struct News {
        DeviceNumber meter;
        mesh::ImageState state{};
        std::size_t missing = 0;  ///< blocks
        mesh::ImageTrouble trouble{};
        friend bool operator==(const News&, const News&) = default;
    };

    ImageSender(std::size_t blocks, const std::vector<DeviceNumber>& meters);

    /// The next thing to do; nothing: wait for answers, or for a later time. An Ask or a One is open until
    /// answered() or silent() names its meter.
    std::optional<Step> next(Instant now, const Ways& ways);
    void answered(DeviceNumber meter, const mesh::ImageStatus& status, Instant now);
    void silent(DeviceNumber meter, Instant now);

    /// In the order in which it was said; each once.
    std::optional<News> take_news();

    bool finished() const;
    Progress progress() const;

private:
    struct Target {
        DeviceNumber meter;
        std::optional<mesh::ImageState> state;  ///< nothing: has not said anything yet
        std::vector<bool> missing;              ///< by block; empty until it has said so
        std::size_t missing_known = 0;          ///< bits set
        std::size_t missing_told = 0;
        std::size_t quarters = 0;  ///< of the image, as told in the last news
        bool asked = false;        ///< in this round
        bool open = false;
        std::uint16_t sent = 0;  ///< the block that is open, alone
        bool alone = false;
        int silences = 0;
        Instant ask_at{};
        bool done() const { return state && *state != mesh::ImageState::receiving; }
    };
    enum class Phase : std::uint8_t { asking, spreading, filling };

    Target* find(DeviceNumber meter);
    std::optional<Step> ask(Instant now, const Ways& ways);
    std::optional<Step> spread();
    std::optional<Step> fill(const Ways& ways);
    void plan(const Ways& ways);
    void begin_asking();
    void note(Target& target, const mesh::ImageStatus& status);
    std::uint64_t missing() const;

    std::size_t blocks_;
    std::vector<Target> targets_;  // sorted by number
    Phase phase_ = Phase::asking;
    std::vector<std::uint16_t> spreading_;  // what many miss, in this pass
    std::size_t at_ = 0;
    std::optional<std::uint64_t> missing_before_;  // the last pass
    Progress counts_;
    std::deque<News> news_;
};

}  // namespace wattmesh::concentrator
