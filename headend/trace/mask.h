#pragma once
#include "protocol/base/bytes.h"
#include "protocol/link/hello_profile.h"

namespace wattmesh::headend::trace {

/// Blanks the secrets that a frame of ours carries in plain, checksums made right again: the password of a
/// low level association (AARQ; Green Book ed. 10, 9.4.2), the password of a Q/GDW 376.1 frame (AUX, clause
/// 5) and those of DL/T 645-2007 writes and controls inside it (6.3). Frames of other kinds carry none in
/// plain: keys travel wrapped. `octets` is a whole frame as it is sent.
Buffer masked(link::Carried carries, Bytes octets);

}  // namespace wattmesh::headend::trace
