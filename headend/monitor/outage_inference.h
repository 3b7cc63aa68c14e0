#pragma once
#include <map>
#include <optional>
#include <vector>

#include "headend/database/outage_facts.h"

namespace wattmesh::headend::monitor {

/// What was concluded: a transformer without power, or a part of what hangs on it.
struct InferredOutage {
    database::NodeId transformer;
    std::optional<database::NodeId> feeder;  ///< set when the cause is above: its transformers went together
    Instant from{};
    std::optional<Instant> to;  ///< nothing: not over
    bool whole = true;          ///< the transformer itself is dark, not only a branch behind it
    int customers = 0;          ///< without power
    int reported = 0;           ///< said so themselves, or a neighbour for them
    int silent = 0;             ///< concluded by the mesh
    friend bool operator==(const InferredOutage&, const InferredOutage&) = default;
};

struct OutagePicture {
    std::vector<InferredOutage> outages;           ///< by beginning
    std::vector<DeviceNumber> concentrators_down;  ///< offline without a power cut that would explain it
};

struct OutageSettings {
    Duration together = std::chrono::seconds{90};  ///< last gasps of one cut come within this
    Duration boot = std::chrono::seconds{60};      ///< a concentrator's power to its log-in, about
    Duration sustained =
        std::chrono::minutes{5};  ///< shorter interruptions are momentary (IEEE 1366-2012, 3.12)
};

/// Pure: facts in any order, also such as came late, lead to the same picture.
OutagePicture infer_outages(const OutageSettings& settings, const database::OutageFacts& facts);

/// IEEE 1366-2012, 4.2: sustained interruptions only; `customers` are all that are served.
struct ReliabilityIndices {
    double saidi_min = 0, saifi = 0, caidi_min = 0;
    std::int64_t customer_minutes = 0, interrupted = 0, momentary = 0;
    int customers = 0;
};
/// Of [from, to): what lasts at `to` counts up to it.
ReliabilityIndices indices_of(const OutageSettings& settings, const std::vector<InferredOutage>& outages,
                              int customers, Instant from, Instant to);

}  // namespace wattmesh::headend::monitor
