#include "security/pkcs11.h"

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include <array>
#include <cassert>
#include <mutex>
#include <utility>
#include <vector>

#include "security/private_file.h"

namespace wattmesh::security {
namespace {

constexpr std::size_t key_size = 32;

/// What a key is for, and what it must be for that.
struct Use {
    CK_MECHANISM_TYPE mechanism;
    std::size_t mac_size;
    std::array<CK_KEY_TYPE, 2> types;
    const char* name;
};
constexpr Use aes_cmac{CKM_AES_CMAC, 16, {CKK_AES, CKK_AES}, "an AES key"};
constexpr Use hmac_sha256{CKM_SHA256_HMAC, 32, {CKK_GENERIC_SECRET, CKK_SHA256_HMAC}, "a secret for HMAC"};

const char* word_of(CK_RV code) {
    switch (code) {
        case CKR_PIN_INCORRECT:
            return "the PIN is wrong";
        case CKR_PIN_LOCKED:
            return "the PIN is locked";
        case CKR_MECHANISM_INVALID:
            return "the token does not have this mechanism";
        case CKR_TOKEN_NOT_PRESENT:
        case CKR_DEVICE_REMOVED:
            return "the token is not there";
        case CKR_USER_PIN_NOT_INITIALIZED:
            return "the token has no user PIN yet";
        default:
            return "";
    }
}

void check(CK_RV code, const std::string& what) {
    if (code == CKR_OK) return;
    const std::string word = word_of(code);
    char number[24];
    std::snprintf(number, sizeof number, "0x%08lX", code);
    throw TokenError("PKCS#11: " + what + " failed: " + (word.empty() ? "" : word + ", ") + "code " + number);
}

/// What a token says when its session is gone: worth one new try.
bool is_gone(CK_RV code) {
    return code == CKR_SESSION_HANDLE_INVALID || code == CKR_SESSION_CLOSED || code == CKR_DEVICE_REMOVED ||
           code == CKR_USER_NOT_LOGGED_IN || code == CKR_CRYPTOKI_NOT_INITIALIZED ||
           code == CKR_KEY_HANDLE_INVALID || code == CKR_OBJECT_HANDLE_INVALID ||
           code == CKR_TOKEN_NOT_PRESENT;
}

/// The module stays loaded until the process ends: others in the process may use it too.
CK_FUNCTION_LIST* load(const std::filesystem::path& module) {
    void* library = ::dlopen(module.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == nullptr) {
        throw TokenError("the PKCS#11 module " + module.string() +
                         " cannot be loaded: is module-path right, is its package installed?");
    }
    const auto get = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
    CK_FUNCTION_LIST* functions = nullptr;
    if (get == nullptr || get(&functions) != CKR_OK || functions == nullptr)
        throw TokenError(module.string() + " is no PKCS#11 module");
    return functions;
}

template <class T>
CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, T& value) {
    return {type, &value, sizeof value};
}
CK_ATTRIBUTE label_attribute(std::string& label) { return {CKA_LABEL, label.data(), label.size()}; }

}  // namespace

struct Pkcs11Session {
    Pkcs11Session(const Pkcs11Uri& place, const Use& what) : uri(place), use(what), api(load(place.module)) {}
    ~Pkcs11Session() { log_out(); }
    Pkcs11Session(const Pkcs11Session&) = delete;
    Pkcs11Session& operator=(const Pkcs11Session&) = delete;

    void log_out() {
        if (session != 0) api->C_CloseSession(std::exchange(session, 0));
    }

    void log_in() {
        log_out();
        CK_C_INITIALIZE_ARGS arguments{};
        arguments.flags = CKF_OS_LOCKING_OK;
        const CK_RV started = api->C_Initialize(&arguments);
        if (started != CKR_CRYPTOKI_ALREADY_INITIALIZED) check(started, "starting " + uri.module.string());
        check(api->C_OpenSession(slot(), CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session),
              "opening a session with token " + uri.token);
        const SecretBuffer content = read_private_file(uri.pin_file, 256);
        Bytes pin = content.reveal();
        while (!pin.empty() && (pin.back() == '\n' || pin.back() == '\r')) pin = pin.first(pin.size() - 1);
        SecretBuffer copy{pin};  // the interface wants a pointer that is not const
        const CK_RV code =
            api->C_Login(session, CKU_USER, const_cast<std::uint8_t*>(copy.reveal().data()), pin.size());
        if (code != CKR_USER_ALREADY_LOGGED_IN) check(code, "logging in to token " + uri.token);
    }

    CK_SLOT_ID slot() const {
        CK_ULONG count = 0;
        check(api->C_GetSlotList(CK_TRUE, nullptr, &count), "listing tokens");
        std::vector<CK_SLOT_ID> slots(count);
        check(api->C_GetSlotList(CK_TRUE, slots.data(), &count), "listing tokens");
        slots.resize(count);
        for (const CK_SLOT_ID candidate : slots) {
            CK_TOKEN_INFO facts{};
            if (api->C_GetTokenInfo(candidate, &facts) != CKR_OK) continue;
            std::string label(reinterpret_cast<const char*>(facts.label), sizeof facts.label);
            label.erase(label.find_last_not_of(' ') + 1);
            if (label == uri.token) return candidate;
        }
        throw TokenError("PKCS#11: " + uri.module.string() + " has no token " + uri.token);
    }

    std::vector<CK_OBJECT_HANDLE> keys() {
        CK_OBJECT_CLASS kind = CKO_SECRET_KEY;
        std::string label = uri.object;
        std::array<CK_ATTRIBUTE, 2> wanted{attribute(CKA_CLASS, kind), label_attribute(label)};
        check(api->C_FindObjectsInit(session, wanted.data(), wanted.size()), "looking for key " + uri.object);
        std::array<CK_OBJECT_HANDLE, 2> found{};
        CK_ULONG count = 0;
        const CK_RV code = api->C_FindObjects(session, found.data(), found.size(), &count);
        api->C_FindObjectsFinal(session);
        check(code, "looking for key " + uri.object);
        return {found.begin(), found.begin() + count};
    }

    void find_key() {
        const auto found = keys();
        if (found.size() != 1) {
            throw TokenError("PKCS#11: token " + uri.token + " has " +
                             (found.empty() ? "no" : "more than one") + " secret key " + uri.object);
        }
        CK_BBOOL extractable = CK_TRUE, sensitive = CK_FALSE;
        CK_KEY_TYPE type = 0;
        std::array<CK_ATTRIBUTE, 3> facts{attribute(CKA_EXTRACTABLE, extractable),
                                          attribute(CKA_SENSITIVE, sensitive), attribute(CKA_KEY_TYPE, type)};
        check(api->C_GetAttributeValue(session, found.front(), facts.data(), facts.size()),
              "looking at key " + uri.object);
        const bool fits = type == use.types[0] || type == use.types[1];
        if (extractable != CK_FALSE || sensitive != CK_TRUE || !fits) {
            throw TokenError("PKCS#11: key " + uri.object + " is not " + use.name +
                             " that stays in the token (sensitive, not extractable)");
        }
        key = found.front();
    }

    void generate_key() {
        if (!keys().empty())
            throw TokenError("PKCS#11: token " + uri.token + " has a key " + uri.object + " already");
        CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
        CK_ULONG size = key_size;
        std::string label = uri.object;
        std::array<CK_ATTRIBUTE, 10> wanted{attribute(CKA_VALUE_LEN, size), attribute(CKA_TOKEN, yes),
                                            attribute(CKA_PRIVATE, yes),    attribute(CKA_SENSITIVE, yes),
                                            attribute(CKA_SIGN, yes),       attribute(CKA_EXTRACTABLE, no),
                                            attribute(CKA_ENCRYPT, no),     attribute(CKA_DECRYPT, no),
                                            attribute(CKA_WRAP, no),        label_attribute(label)};
        CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
        CK_OBJECT_HANDLE made = 0;
        check(api->C_GenerateKey(session, &mechanism, wanted.data(), wanted.size(), &made),
              "making key " + uri.object);
        find_key();
    }

    /// Once more with a new session when the token was away.
    void mac(Bytes message, std::span<std::uint8_t> out) {
        const std::lock_guard lock{mutex};
        CK_RV code = try_mac(message, out);
        if (is_gone(code)) {
            log_in();
            find_key();
            code = try_mac(message, out);
        }
        check(code, "using key " + uri.object);
    }

    CK_RV try_mac(Bytes message, std::span<std::uint8_t> out) {
        assert(out.size() == use.mac_size);
        CK_MECHANISM mechanism{use.mechanism, nullptr, 0};
        const CK_RV begun = api->C_SignInit(session, &mechanism, key);
        if (begun != CKR_OK) return begun;
        CK_ULONG size = out.size();
        const CK_RV code = api->C_Sign(session, const_cast<std::uint8_t*>(message.data()), message.size(),
                                       out.data(), &size);
        if (code == CKR_OK && size != use.mac_size) return CKR_GENERAL_ERROR;
        return code;
    }

    Pkcs11Uri uri;
    Use use;
    CK_FUNCTION_LIST* api;
    CK_SESSION_HANDLE session = 0;
    CK_OBJECT_HANDLE key = 0;
    std::mutex mutex;
};

namespace {

std::unique_ptr<Pkcs11Session> session_of(const Pkcs11Uri& uri, const Use& use) {
    auto session = std::make_unique<Pkcs11Session>(uri, use);
    session->log_in();
    return session;
}

}  // namespace

Pkcs11Key::Pkcs11Key(std::unique_ptr<Pkcs11Session> session) : session_(std::move(session)) {}
Pkcs11Key::~Pkcs11Key() = default;

std::unique_ptr<Pkcs11Key> Pkcs11Key::open(const Pkcs11Uri& uri) {
    auto session = session_of(uri, aes_cmac);
    session->find_key();
    return std::unique_ptr<Pkcs11Key>{new Pkcs11Key{std::move(session)}};
}

std::unique_ptr<Pkcs11Key> Pkcs11Key::create(const Pkcs11Uri& uri) {
    auto session = session_of(uri, aes_cmac);
    session->generate_key();
    return std::unique_ptr<Pkcs11Key>{new Pkcs11Key{std::move(session)}};
}

Buffer Pkcs11Key::cmac(Bytes message) {
    Buffer out(aes_cmac.mac_size);
    session_->mac(message, out);
    return out;
}

Pkcs11HashKey::Pkcs11HashKey(std::unique_ptr<Pkcs11Session> session) : session_(std::move(session)) {}
Pkcs11HashKey::~Pkcs11HashKey() = default;

std::unique_ptr<Pkcs11HashKey> Pkcs11HashKey::open(const Pkcs11Uri& uri) {
    auto session = session_of(uri, hmac_sha256);
    session->find_key();
    return std::unique_ptr<Pkcs11HashKey>{new Pkcs11HashKey{std::move(session)}};
}

std::array<std::uint8_t, 32> Pkcs11HashKey::compute(Bytes message) {
    std::array<std::uint8_t, 32> out{};
    session_->mac(message, out);
    return out;
}

}  // namespace wattmesh::security
