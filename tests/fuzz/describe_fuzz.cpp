#include <cassert>

#include "protocol/decode/describe.h"
#include "security/ciphers.h"

/// Whatever the octets are: a tree, and findings inside the input when it is not whole.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wattmesh;
    using namespace wattmesh::decode;
    static security::OpensslCiphers ciphers;
    decode::Keyring keyring;
    keyring.ciphers = &ciphers;
    keyring.encryption = SymmetricKey{};
    keyring.authentication = SymmetricKey{};
    keyring.title = SystemTitle{};
    const Bytes octets{data, size};
    const decode::Report report = decode::describe(octets, {}, keyring);
    assert(!report.lines().empty());
    for (const Finding& finding : report.findings()) assert(finding.offset <= size);
    assert(!report.text().empty() && !report.json().empty());
    return 0;
}
