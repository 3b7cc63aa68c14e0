#pragma once
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/base/time.h"
#include "protocol/link/hello_pattern.h"

namespace wattmesh::link {

/// What a link carries between hellos.
enum class Carried : std::uint8_t {
    wrapper,     ///< DLMS in wrapper PDUs
    modbus_rtu,  ///< Modbus RTU, with hellos between, before, behind and within frames
    modbus_tcp,  ///< Modbus TCP; servers of it say no hello: never in a profile
    gdw376,      ///< Q/GDW 376.1, whose log-ins and heartbeats are frames of its own: never in a profile
};
std::string_view to_string(Carried carried);

/// How devices of one make say who they are when they call in, and what they expect to hear. A new make is a
/// new file in protocol/link/profiles.
struct HelloProfile {
    std::string name, summary;
    Carried carries{};
    HelloPattern login, login_answer, beat,
        beat_answer;                 ///< empty: the make has none; a log-in it always has
    bool checksum_demanded = false;  ///< a hello with a wrong checksum is none; otherwise it is only counted
    Duration beat_every =
        std::chrono::seconds{60};  ///< announced; silence of three of them and 30 s is offline
};

/// Why a text is no profile, for the person who wrote it.
struct ProfileFault {
    int line = 0;  ///< from 1; 0: something is missing
    std::string why;
};

/// Lines "key = value", '#' begins a comment:
///   name, summary     words                         carries     wrapper or modbus-rtu
///   identity          ascii or bcd (default ascii)  identity.size   octets, where no idsize says it
///   login, login.answer, beat, beat.answer          messages (hello_pattern.h)
///   checksum          counted (default) or demanded beat_s      1 to 3600 (default 60)
std::variant<HelloProfile, ProfileFault> parse_hello_profile(std::string_view text);

/// A hello that one of several profiles knows.
struct HelloFound {
    const HelloProfile* profile = nullptr;
    bool beat = false;
    HelloMatch match;  ///< verdict: no, when none knows it; more, when one might
    /// What the device expects; empty when it expects nothing.
    Buffer answer{};
};
/// Of whole hellos the shortest wins, then the first profile: so the result does not depend on how the stream
/// was cut. With a wrong checksum where one is demanded it is none.
HelloFound find_hello(const std::vector<const HelloProfile*>& profiles, Bytes stream);

}  // namespace wattmesh::link
