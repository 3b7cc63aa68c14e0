#pragma once
#include "protocol/decode/walk.h"

/// Layers below an APDU. Each takes all of its passage and goes on behind a frame that is wrong.
namespace wattmesh::decode {

/// Wrapper PDUs one behind another. Source: IEC 62056-47.
void wrapper_lines(Session& session, const Passage& passage);
/// HDLC frames, flags between them or (a single one) without flags. Source: IEC 62056-46.
void hdlc_lines(Session& session, const Passage& passage);
bool is_frame_without_flags(Bytes octets);
/// M-Bus long frames with pushes. Source: EN 13757-2, EN 13757-3.
void mbus_lines(Session& session, const Passage& passage);
/// Frames of IEC 60870-5-104 one behind another.
void iec104_lines(Session& session, const Passage& passage);

/// LLC header and APDU. Source: IEC 62056-46, annex B.
void llc_lines(Walk& walk);
bool is_llc(Bytes octets);
/// Gateway prefix and APDU. Source: Green Book (DLMS UA 1000-2) ed. 10, gateway protocol.
void gateway_lines(Walk& walk);
/// Log-in and heartbeat of a concentrator, its octets to the end of the walk.
void hello_lines(Walk& walk);
/// A hello, and no APDU that begins with the same octet.
bool is_whole_hello(Bytes octets);

}  // namespace wattmesh::decode
