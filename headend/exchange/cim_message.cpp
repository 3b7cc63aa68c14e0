#include "headend/exchange/cim_message.h"

#include <algorithm>

#include "headend/console/json.h"

namespace wattmesh::headend::exchange {
namespace {

using platform::XmlElement;
constexpr std::string_view soap_1_1_space = "http://schemas.xmlsoap.org/soap/envelope/";
constexpr std::string_view soap_1_2_space = "http://www.w3.org/2003/05/soap-envelope";
constexpr std::size_t id_size_max = 128, word_size_max = 512;
constexpr platform::XmlLimits message_limits{.octets = std::size_t{2} << 20,
                                             .depth = 24,
                                             .elements = 100'000,
                                             .attributes = 16,
                                             .text = 4'096,
                                             .name = 256};

const std::set<std::string_view> header_names{"Verb",          "Noun",        "Revision", "ReplayDetection",
                                              "Context",       "Timestamp",   "Source",   "AsyncReplyFlag",
                                              "ReplyAddress",  "AckRequired", "User",     "MessageID",
                                              "CorrelationID", "Comment",     "Property"};

std::string text_in(const XmlElement& header, std::string_view name, bool needed) {
    const auto* found = header.child(name);
    const std::string xpath = "/Header/" + std::string{name};
    if (found == nullptr || found->text.empty()) {
        if (needed) throw CimProblem{"1.5", "The header needs " + std::string{name} + ".", xpath};
        return {};
    }
    if (found->text.size() > word_size_max)
        throw CimProblem{"1.8", std::string{name} + " has more than 512 octets.", xpath};
    return found->text;
}

bool flag_in(const XmlElement& header, std::string_view name, bool otherwise) {
    const auto text = text_in(header, name, false);
    if (text.empty()) return otherwise;
    if (text != "true" && text != "false" && text != "1" && text != "0")
        throw CimProblem{"1.8", std::string{name} + " must be true or false.",
                         "/Header/" + std::string{name}};
    return text == "true" || text == "1";
}

std::string id_in(const XmlElement& header, std::string_view name, bool needed) {
    auto text = text_in(header, name, needed);
    const auto fits = [](unsigned char c) { return c > 0x20 && c < 0x7F; };
    if (text.size() > id_size_max || !std::all_of(text.begin(), text.end(), fits))
        throw CimProblem{"2.15",
                         std::string{name} + " must be up to 128 printable characters without blanks.",
                         "/Header/" + std::string{name}};
    return text;
}

CimHeader header_of(const XmlElement& header) {
    for (const auto& child : header.children)  // of other namespaces anything may stand there
        if (child.space == message_space && header_names.count(child.name) == 0)
            throw CimProblem{"1.8", "The header has no '" + child.name + "'.", "/Header/" + child.name};
    CimHeader found{.verb = text_in(header, "Verb", true),
                    .noun = text_in(header, "Noun", true),
                    .source = text_in(header, "Source", false),
                    .message_id = id_in(header, "MessageID", true),
                    .correlation = id_in(header, "CorrelationID", false),
                    .reply_address = text_in(header, "ReplyAddress", false),
                    .async = flag_in(header, "AsyncReplyFlag", false)};
    if (found.correlation.empty()) found.correlation = found.message_id;
    const auto revision = text_in(header, "Revision", false);
    if (!revision.empty() && !revision.starts_with("1") && !revision.starts_with("2"))
        throw CimProblem{"1.9", "Revision is " + revision + "; 2.0 is what we speak.", "/Header/Revision"};
    return found;
}

/// The message in a SOAP body: itself, or its parts in an element that is named after the operation.
XmlElement body_of(XmlElement envelope) {
    XmlElement* body = nullptr;
    for (auto& part : envelope.children) {
        if (part.is(envelope.space, "Header"))
            for (const auto& entry : part.children)
                for (const auto& attribute : entry.attributes)
                    if (attribute.space == envelope.space && attribute.name == "mustUnderstand" &&
                        (attribute.value == "1" || attribute.value == "true"))
                        throw CimProblem{"1.8",
                                         "The SOAP header '" + entry.name +
                                             "' must be understood, and is not. Leave it out: who you are, "
                                             "your token says.",
                                         "/Envelope/Header/" + entry.name};
        if (part.is(envelope.space, "Body")) body = &part;
    }
    if (body == nullptr || body->children.size() != 1)
        throw CimProblem{"1.8", "The SOAP body must hold one message.", "/Envelope/Body"};
    auto message = std::move(body->children.front());
    return message;
}

}  // namespace

std::string profile_space(std::string_view profile) {
    return "http://iec.ch/TC57/2011/" + std::string{profile} + "#";
}

CimUnwrapped unwrap_cim(std::string_view body) {
    CimUnwrapped unwrapped{.wrapping = CimWrapping::plain,
                           .document = platform::parse_xml(body, message_limits)};
    auto& document = unwrapped.document;
    if (document.is(soap_1_1_space, "Envelope"))
        unwrapped.wrapping = CimWrapping::soap_1_1;
    else if (document.is(soap_1_2_space, "Envelope"))
        unwrapped.wrapping = CimWrapping::soap_1_2;
    return unwrapped;
}

CimMessage read_cim(CimUnwrapped unwrapped) {
    CimMessage message{.wrapping = unwrapped.wrapping,
                       .header = {},
                       .document = unwrapped.wrapping == CimWrapping::plain
                                       ? std::move(unwrapped.document)
                                       : body_of(std::move(unwrapped.document))};
    const auto& document = message.document;
    // An operation of a WSDL is wrapped in an element of the partner's own namespace.
    const bool whole = document.is(message_space, "RequestMessage");
    if (!whole && unwrapped.wrapping == CimWrapping::plain)
        throw CimProblem{"1.8",
                         "This is '" + document.name + "' of the namespace '" + document.space +
                             "', not RequestMessage of " + std::string{message_space} + ".",
                         "/" + document.name};
    const XmlElement* header = nullptr;
    for (const auto& part : document.children) {
        if (part.is(message_space, "Header") && header == nullptr)
            header = &part;
        else if (part.is(message_space, "Request") && message.request == nullptr)
            message.request = &part;
        else if (part.is(message_space, "Payload") && message.payload == nullptr)
            message.payload = &part;
        else
            throw CimProblem{"1.8",
                             "'" + part.name + "' of the namespace '" + part.space +
                                 "' cannot stand here: a message is Header, Request and Payload of " +
                                 std::string{message_space} + ", each once.",
                             "/" + document.name + "/" + part.name};
    }
    if (header == nullptr) throw CimProblem{"1.5", "The message needs a Header.", "/" + document.name};
    message.header = header_of(*header);
    return message;
}

void only_children(const XmlElement& element, const std::set<std::string_view>& names,
                   const std::string& xpath) {
    for (const auto& child : element.children) {
        if (child.space == element.space && names.count(child.name) > 0) continue;
        std::string known;
        for (const auto name : names) known.append(known.empty() ? "" : ", ").append(name);
        throw CimProblem{"1.8",
                         "'" + child.name + "' of the namespace '" + child.space +
                             "' is not known here, but " + known + " of '" + element.space + "'.",
                         xpath + "/" + child.name};
    }
}

const XmlElement& only_child(const XmlElement* element, std::string_view space, std::string_view name,
                             const char* missing_code, const std::string& xpath) {
    const auto wanted = "one " + std::string{name} + " of '" + std::string{space} + "'";
    if (element == nullptr || element->children.empty())
        throw CimProblem{missing_code, xpath + " needs " + wanted + ".", xpath};
    for (const auto& child : element->children)
        if (!child.is(space, name))
            throw CimProblem{"1.8",
                             "'" + child.name + "' of the namespace '" + child.space +
                                 "' cannot stand here: " + xpath + " needs " + wanted + ".",
                             xpath + "/" + child.name};
    if (element->children.size() != 1)
        throw CimProblem{"3.1", xpath + " needs " + wanted + ", not several.", xpath};
    return element->children.front();
}

std::optional<Instant> instant_in(const XmlElement& element, std::string_view name,
                                  const std::string& xpath) {
    const auto* found = element.child(name);
    if (found == nullptr) return std::nullopt;
    const auto at = console::parse_iso(found->text);
    if (!at)
        throw CimProblem{"1.8",
                         "'" + found->text + "' is no instant like 2026-11-22T14:15:00Z or with +01:00.",
                         xpath + "/" + std::string{name}};
    return at;
}

std::string name_of(const XmlElement& element, const std::string& xpath) {
    only_children(element, {"mRID", "Names"}, xpath);
    if (const auto* id = element.child("mRID"); id != nullptr && !id->text.empty()) return id->text;
    if (const auto* names = element.child("Names"); names != nullptr) {
        only_children(*names, {"name", "NameType"}, xpath + "/Names");
        if (const auto* name = names->child("name"); name != nullptr && !name->text.empty())
            return name->text;
    }
    throw CimProblem{"5.8", element.name + " needs mRID or Names/name.", xpath};
}

}  // namespace wattmesh::headend::exchange
