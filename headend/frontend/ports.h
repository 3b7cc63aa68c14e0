#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/id.h"
#include "protocol/base/obis.h"
#include "protocol/base/time.h"

/// What else the front-end asks of the head-end; the rules of Store hold: `done` later, on the same thread,
/// and no exceptions.
namespace wattmesh::headend::frontend {

/// A versioned object (dcu/objects.h) as the concentrator should hold it.
struct WantedObject {
    ObisCode object;
    std::uint32_t version = 0;
    Buffer content;          ///< A-XDR, first element (the version) 0; the front-end puts `version` there
    bool confirmed = false;  ///< this version was read back before
};

class DesiredState {
public:
    virtual ~DesiredState() = default;
    /// In the order they should be written. nullopt: database down.
    virtual void wanted(DeviceNumber concentrator, Instant now,
                        std::function<void(std::optional<std::vector<WantedObject>>)> done) = 0;
    /// The concentrator was read back (write-only objects: acknowledged) and holds `version`. Best effort,
    /// repeated at the next log-in.
    virtual void confirm(DeviceNumber concentrator, ObisCode object, std::uint32_t version, Instant now) = 0;
    /// The concentrator holds a version above ours (the database was restored): the next wanted() must be
    /// above `version`.
    virtual void overtaken(DeviceNumber concentrator, ObisCode object, std::uint32_t version,
                           Instant now) = 0;
};

/// The firmware image that a concentrator should hold for its meters.
struct WantedImage {
    Buffer identifier;       ///< SHA-256 of the octets
    Buffer octets;           ///< the vendor's file; empty when the caller has settled this identifier
    bool initiated = false;  ///< it was begun there before: go on where it stopped
};
/// Where it is on its way to the concentrator.
struct ImageSupplied {
    enum class State : std::uint8_t { initiated, sending, verified, failed } state{};
    std::uint32_t blocks_done = 0, blocks = 0;
    std::string reason{};  ///< of `failed`
};

class Images {
public:
    virtual ~Images() = default;
    /// `settled`: identifier of what is known to be there; may be empty. Outer nullopt: database down; inner:
    /// nothing is wanted.
    virtual void wanted(DeviceNumber concentrator, Buffer settled,
                        std::function<void(std::optional<std::optional<WantedImage>>)> done) = 0;
    /// Best effort: what is lost is found out at the concentrator again.
    virtual void supplied(DeviceNumber concentrator, const Buffer& identifier, const ImageSupplied& what,
                          Instant now) = 0;
};

/// Signs a concentrator's certificate request before its certificate runs out.
class Renewals {
public:
    virtual ~Renewals() = default;
    /// PKCS#10 DER in, certificate DER out; nothing when refused or unavailable.
    virtual void renew(DeviceNumber concentrator, Buffer request, Instant now,
                       std::function<void(std::optional<Buffer>)> done) = 0;
};

}  // namespace wattmesh::headend::frontend
