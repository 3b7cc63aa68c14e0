#pragma once
#include <functional>
#include <optional>

#include "headend/frontend/store.h"
#include "protocol/link/hello_profile.h"

/// What sessions with devices of other makes ask of the head-end; the rules of Store hold.
namespace wattmesh::headend::frontend {

class CallerDirectory {
public:
    virtual ~CallerDirectory() = default;
    /// A device says that it has this number. Only devices that are registered as calling in by themselves
    /// are known here, never a concentrator of ours: a hello proves nothing. For a known one the owner epoch
    /// goes up.
    virtual void open_caller(DeviceNumber number, Instant now,
                             std::function<void(std::optional<SessionOpened>)> done) = 0;
};

/// Who works with such devices once they are there. Calls return at once and do not call back.
class CallerWork {
public:
    virtual ~CallerWork() = default;
    virtual void admitted(DeviceNumber device, OwnerEpoch epoch, link::Carried carries) = 0;
    virtual void ended(DeviceNumber device) = 0;
    /// The device sent something unasked: DataNotification or EventNotification, plain or ciphered.
    virtual void pushed(DeviceNumber device, OwnerEpoch epoch, Buffer apdu, Instant now) = 0;
};

}  // namespace wattmesh::headend::frontend
