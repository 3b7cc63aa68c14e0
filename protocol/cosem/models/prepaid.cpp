#include <algorithm>

#include "protocol/cosem/models/generic_objects.h"
#include "protocol/cosem/models/models.h"

/// Meters that sell by token (IEC 62055-41) and follow the Blue Book: what our simulated ones play. Payment
/// objects by their standard names 0-0:19.x (Blue Book ed. 14, 6.2.35); the voltage behind the breaker has no
/// standard name, so it stands where makers put their own (0-0:96.128.x). [M] makers.
namespace wattmesh::cosem::models {

namespace {

using enum Quantity;

template <std::size_t A, std::size_t B>
constexpr auto joined(const std::array<ModelObject, A>& one, const std::array<ModelObject, B>& other) {
    std::array<ModelObject, A + B> all{};
    std::copy(one.begin(), one.end(), all.begin());
    std::copy(other.begin(), other.end(), all.begin() + A);
    return all;
}

constexpr auto objects = joined(
    generic_objects, std::to_array<ModelObject>({object_at(account, code(0, 0, 19, 0, 0), 111),
                                                 object_at(token_credit, code(0, 0, 19, 10, 0), 112),
                                                 object_at(token_gateway, code(0, 0, 19, 40, 0), 115),
                                                 object_at(sts_attributes, code(0, 0, 19, 50, 0), 116)}));
constexpr auto remote_objects = joined(
    objects,
    std::to_array<ModelObject>({register_at(load_side_voltage, code(0, 0, 96, 128, 0), -1, Unit::volt)}));

constexpr std::string_view makers[]{"WMP"}, remote_makers[]{"WMR"};

constexpr MeterModel made(std::string_view name, std::string_view summary,
                          std::span<const std::string_view> who, std::span<const ModelObject> what,
                          Reconnection reconnection) {
    return {.name = name,
            .summary = summary,
            .makers = who,
            .public_client = {wattmesh::public_client, Authentication::none, false, false},
            .reading_client = {wattmesh::reading_client, Authentication::low, false, false},
            .management_client = {wattmesh::management_client, Authentication::high_gmac, true, false},
            .pdu_size_max = 0xFFFF,
            .objects = what,
            .profiles = {},
            .quirks = {},
            .reading_keys = ReadingKeys::separate,
            .reconnection = reconnection};
}

}  // namespace

constinit const MeterModel prepaid =
    made("prepaid", "generic, and sells by token; its breaker closes by itself when there is credit", makers,
         objects, Reconnection::by_itself);
constinit const MeterModel prepaid_remote =
    made("prepaid-remote",
         "generic, and sells by token; with credit its breaker waits for a command, and shows the voltage "
         "behind it",
         remote_makers, remote_objects, Reconnection::by_command);

}  // namespace wattmesh::cosem::models
