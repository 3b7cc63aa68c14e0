#pragma once
#include <cstdint>
#include <functional>
#include <memory>

#include "protocol/base/bytes.h"
#include "protocol/base/cipher.h"
#include "protocol/base/time.h"
#include "protocol/mesh/medium_access.h"

namespace wattmesh::sim {

/// What stands behind a radio in place of mesh::Node or RadioModule: another protocol on the same channel, or
/// somebody with bad intentions. It knows only the local time.
class RadioProgram {
public:
    virtual ~RadioProgram() = default;
    virtual void start(Instant now) = 0;
    /// False: nothing has changed.
    virtual bool received(Bytes psdu, std::int8_t rssi_dbm, Instant now) = 0;
    virtual void transmitted(Instant now) = 0;
    virtual void tick(Instant now) = 0;
    virtual Instant next_deadline() const = 0;
    /// Something to be fetched was added since this was asked last: RadioField::run_until_output() comes
    /// back.
    virtual bool output_new() { return false; }
};

/// Made anew at every power-on.
using ProgramMaker = std::function<std::unique_ptr<RadioProgram>(mesh::Transceiver&, Random&)>;

}  // namespace wattmesh::sim
