#include "headend/exchange/cloud_event.h"

#include <fmt/format.h>

#include "headend/console/json.h"

namespace wattmesh::headend::exchange {

std::string cloud_event(const database::OutboxMessage& message, TenantId tenant) {
    console::Json json;
    json.open_object()
        .field("specversion", "1.0")
        .field("id", std::to_string(message.id))
        .field("source", "/wattmesh/tenants/" + std::to_string(tenant.value))
        .field("type", "org.wattmesh." + message.type)
        .field("subject", message.subject)
        .field("time", message.at)
        .field("sequence", fmt::format("{:020}", message.position))
        .field("datacontenttype", "application/json")
        .key("data")
        .raw(message.data)
        .close_object();
    return json.take();
}

}  // namespace wattmesh::headend::exchange
