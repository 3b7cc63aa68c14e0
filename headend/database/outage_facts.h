#pragma once
#include <map>
#include <optional>
#include <vector>

#include "headend/database/connection.h"
#include "headend/database/network.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::database {

/// What power cuts are concluded from: the network as it is wired, and what was told.
struct OutageFacts {
    struct Transformer {
        std::optional<NodeId> feeder;
        std::optional<DeviceNumber> concentrator;  ///< that stands there and has its power from it
        int customers = 0;                         ///< meters
    };
    struct Meter {
        NodeId transformer;
        std::optional<DeviceNumber> concentrator;  ///< that reads it; not always the one at its transformer
    };
    struct Word {
        DeviceNumber meter;
        Instant at{};
        bool lost = false;
        bool inferred = false;  ///< the mesh concluded it from silence
    };
    /// A concentrator that was not there.
    struct Absence {
        DeviceNumber concentrator;
        std::optional<Instant> from;  ///< nothing: known only when it came back
        std::optional<Instant> to;    ///< nothing: still away
    };
    std::map<NodeId, Transformer> transformers;
    std::map<DeviceNumber, Meter> meters;
    std::vector<Word> words;
    std::vector<Absence> absences;
};

}  // namespace wattmesh::headend::database
