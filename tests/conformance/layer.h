#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "protocol/base/bytes.h"

namespace wattmesh::conformance {

/// One lower layer between a client and a server: APDUs go in at one end and come out at the other, through
/// the real framers, cut into uneven chunks.
class Layer {
public:
    virtual ~Layer() = default;
    virtual std::vector<Buffer> to_server(Bytes apdu) = 0;
    virtual std::vector<Buffer> to_client(Bytes apdu) = 0;
    /// The server has no answer to what arrived.
    virtual void no_answer() {}
};

struct LayerKind {
    std::string name;
    std::function<std::unique_ptr<Layer>()> make;
};
/// Every layer that carries an association.
const std::vector<LayerKind>& layers();

struct OneWayKind {
    std::string name;
    std::function<std::vector<Buffer>(Bytes apdu)> carry;  ///< what arrives of a push
};
/// Every layer that carries a push from a meter that nobody is associated with.
const std::vector<OneWayKind>& one_way_layers();

}  // namespace wattmesh::conformance
