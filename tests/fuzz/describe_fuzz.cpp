#include <cassert>

#include "security/ciphers.h"
#include "terminal-sim/decode/describe.h"

/// Whatever the octets are: a tree, and findings inside the input when it is not whole.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wattmesh;
    using namespace wattmesh::sim;
    static security::OpensslCiphers ciphers;
    Keyring keyring;
    keyring.ciphers = &ciphers;
    keyring.encryption = SymmetricKey{};
    keyring.authentication = SymmetricKey{};
    keyring.title = SystemTitle{};
    const Bytes octets{data, size};
    const Report report = describe(octets, {}, keyring);
    assert(!report.lines().empty());
    for (const Finding& finding : report.findings()) assert(finding.offset <= size);
    assert(!report.text().empty() && !report.json().empty());
    return 0;
}
