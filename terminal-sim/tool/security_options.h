#pragma once
#include <filesystem>
#include <optional>

#include "platform/settings.h"
#include "protocol/dlms/association_form.h"

namespace wattmesh::sim {

/// Title of this tool as a client. Nobody's serial number: it is not a device.
inline constexpr SystemTitle tool_title{{'W', 'M', 'T', 'T', 'O', 'O', 'L', '1'}};

/// --suite, --authentication, --framing, --signing, --hls-secret and --pki: how the management client's
/// association is protected beside its keys. Secrets are wiped with it.
struct SecurityOptions {
    dlms::Suite suite = dlms::Suite::zero;
    dlms::AssociationForm form{};
    Buffer hls_secret{};
    std::optional<std::filesystem::path> pki{};  ///< folder of static keys and certificates
    ~SecurityOptions() { dlms::wipe(hls_secret); }
};
/// Throws SettingsError naming the option that does not fit.
SecurityOptions security_options(const platform::Settings& settings);

}  // namespace wattmesh::sim
