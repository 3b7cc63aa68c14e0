#pragma once
#include <cstdint>
#include <string>

#include "protocol/base/bytes.h"
#include "protocol/base/result.h"

/// Messages of the sign-on at an optical head, 300 baud 7E1: what leads from a meter at rest to HDLC (mode
/// E). Source: IEC 62056-21:2002, 6.3 (messages), 6.4.5.3 and annex E (mode E); uplink fact sheet 10. Readout
/// and programming (mode C) are not part of it.
namespace wattmesh::link {

/// Baud rate of the character Z, '0' (300) to '6' (19200); 0 for any other.
unsigned baud_of(char z);
/// The character of the fastest rate of modes C and E that is not above `baud`; '0' below 600.
char baud_character(unsigned baud);

/// "/?" address "!" CR LF.
struct SignOnRequest {
    std::string address{};  ///< <= 32 printable characters; empty asks whoever is there
    friend bool operator==(const SignOnRequest&, const SignOnRequest&) = default;
};
Result<SignOnRequest> decode_sign_on_request(Bytes message);
Buffer encode(const SignOnRequest& request);
/// Leading zeros do not count, and an empty address is everybody's (6.3.1, item 22).
bool asks(const SignOnRequest& request, const std::string& address);

/// "/" manufacturer Z ["\" W]... identification CR LF.
struct SignOnIdentification {
    std::string manufacturer{};    ///< three letters; a small third one says that 20 ms are pause enough
    char baud = '0';               ///< what the meter can do, see baud_of
    std::string enhanced{};        ///< each W behind a backslash; '2' offers HDLC
    std::string identification{};  ///< printable without / and !; 16 by the standard, <= 32 taken
    bool offers_hdlc() const { return enhanced.find('2') != std::string::npos; }
    friend bool operator==(const SignOnIdentification&, const SignOnIdentification&) = default;
};
Result<SignOnIdentification> decode_sign_on_identification(Bytes message);
Buffer encode(const SignOnIdentification& identification);

/// ACK V Z Y CR LF: the option select, and in mode E the meter's confirmation of it.
struct SignOnSelect {
    char protocol = '2';  ///< V: '0' normal, '1' secondary, '2' HDLC
    char baud = '0';      ///< Z
    char mode = '2';      ///< Y: '0' readout, '1' programming, '2' binary (HDLC)
    bool hdlc() const { return protocol == '2' && mode == '2'; }
    friend bool operator==(const SignOnSelect&, const SignOnSelect&) = default;
};
Result<SignOnSelect> decode_sign_on_select(Bytes message);
Buffer encode(const SignOnSelect& select);

inline constexpr std::uint8_t sign_on_nak = 0x15;  ///< say that again
inline constexpr std::size_t sign_on_message_max = 64;

}  // namespace wattmesh::link
