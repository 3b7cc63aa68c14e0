#pragma once
#include "security/software_module.h"

namespace wattmesh::security {

/// One request as text without blanks at the ends, the same for the same request: "token ID PAN SGC/KRN TI EA
/// CLASS BLOCK", "change ID PAN SGC/KRN TI EA SGC/KRN TI". No secrets are in it.
std::string text_of(const SoftwareModule::Request& request);
/// Nothing when it is none of these.
std::optional<SoftwareModule::Request> parse_request(const std::string& text);

/// 1 to 64 of letters, digits and .:-_
bool is_request_id(std::string_view text);
/// Content that a module makes, with every value within its field.
bool is_issuable(const sts::Content& content);
/// Credit in tenths of units and in hundred-thousandths of currency; what is taken away counts as nothing.
/// Nothing when it is more than 64 bits hold.
struct Value {
    std::uint64_t units = 0, currency = 0;
};
std::optional<Value> value_of(const sts::Content& content);

}  // namespace wattmesh::security
