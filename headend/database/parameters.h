#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::database {

using ParameterTemplateId = Id<struct ParameterTemplateTag, std::int64_t>;

/// What a group of meters should hold.
struct ParameterTemplate {
    ParameterTemplateId id{};
    TenantId tenant{};
    std::string name, kind;
    std::string content;  ///< JSON (headend/monitor/parameter_sets.h)
    int version = 1;      ///< counts changes of the content
    Instant changed{};
    std::string changed_by{};
    int meters = 0, same = 0, differs = 0;  ///< of those that the connection shows
};

/// What a meter is to be asked for.
struct ParameterTask {
    ParameterTemplate wanted;
    std::string cosem_model;  ///< of protocol/cosem/models; empty: the generic one
};

/// What a meter said.
struct ParameterFinding {
    std::string state;    ///< unknown, same, differs
    std::string members;  ///< JSON
    std::string trouble;  ///< empty: none
    bool written = false;
};

struct ParameterLine {
    DeviceNumber meter;
    std::string kind, template_name, state, trouble, members;
    int version = 0;              ///< of the template now
    std::optional<int> compared;  ///< the version that the meter was last compared with
    Instant desired{};
    std::string desired_by;
    std::optional<Instant> checked, written;
};

/// How many meters are in which state.
struct ParameterCount {
    std::string kind;
    int same = 0, differs = 0, unknown = 0;  ///< compared with an older version counts as unknown
};

/// Tables parameter_template and meter_parameter.
class Parameters {
public:
    explicit Parameters(Connection& connection) : connection_(connection) {}

    std::vector<ParameterTemplate> templates(TenantId tenant);
    std::optional<ParameterTemplate> find(TenantId tenant, const std::string& name);
    std::optional<ParameterTemplate> find(ParameterTemplateId id);
    /// New, or another content of the same kind under the same name: then its version counts up, and meters
    /// that hold the old one are unknown again. Nothing: the name belongs to another kind.
    std::optional<ParameterTemplate> put(const ParameterTemplate& wanted);
    /// From now on the meters should hold it; how many of them did not before.
    int desire(ParameterTemplateId id, const std::vector<DeviceNumber>& meters, const std::string& by,
               Instant now);
    /// What of the kind the meters should hold so far, for people: "usual version 2: 12 meters, none: 3".
    std::string held(const std::string& kind, const std::vector<DeviceNumber>& meters);
    /// Those of `meters` for which something of the kind is desired.
    std::vector<DeviceNumber> desiring(const std::string& kind, const std::vector<DeviceNumber>& meters);

    /// Nothing: none is desired, or the meter is unknown or read without DLMS.
    std::optional<ParameterTask> task(DeviceNumber meter, const std::string& kind);
    void found(DeviceNumber meter, const ParameterTask& task, const ParameterFinding& finding, Instant now);

    // What the connection may see:
    std::vector<ParameterCount> counts();
    /// `state` empty: all. What differs first, then by meter.
    std::vector<ParameterLine> list(const std::string& kind, const std::string& state, int count_max);
    std::vector<ParameterLine> of(DeviceNumber meter);

private:
    std::vector<ParameterLine> lines(const std::string& kind, const std::string& state, long long meter,
                                     int count_max);
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
