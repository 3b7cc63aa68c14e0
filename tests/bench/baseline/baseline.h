#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "concentrator/mesh/mesh_root.h"
#include "terminal-sim/radio/radio_field.h"

/// Four known ways to run such a mesh, on the same field with the same MAC: what ours is compared with.
namespace wattmesh::bench {

enum class Rival : std::uint8_t { minhop, rpl_lite, central_rssi, reactive };
std::optional<Rival> rival_of(std::string_view name);
const char* name_of(Rival rival);

/// What all stations of one network share. A measuring instrument: stations read only what is theirs.
struct Book;

/// One rival in place of our meters and our concentrator. Made before the field's time passes.
class Baseline {
public:
    /// `field` and `ciphers` outlive this. Meters in layout order, then one concentrator.
    Baseline(Rival rival, sim::RadioField& field, std::size_t meters, mesh::PhyRate rate,
             std::size_t answer_size, Ciphers& ciphers);
    ~Baseline();
    Baseline(const Baseline&) = delete;
    Baseline& operator=(const Baseline&) = delete;

    /// One request, one answer or failure as event with the returned handle.
    std::uint32_t send(std::size_t meter, std::size_t request_size, Duration deadline);
    /// MeshJoined, MeshAnswer, MeshFailure.
    std::optional<concentrator::MeshEvent> take_event();
    /// What the root would use now, root side first; meters by place.
    std::optional<std::vector<std::size_t>> route(std::size_t meter) const;
    bool joined(std::size_t meter) const;    ///< the root has it in its books
    bool attached(std::size_t meter) const;  ///< the meter itself believes it is connected
    std::uint64_t parent_changes() const;

private:
    sim::RadioField& field_;
    std::size_t meters_;
    std::shared_ptr<Book> book_;
};

}  // namespace wattmesh::bench
