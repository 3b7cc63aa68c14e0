#pragma once

namespace wattmesh::dlms {

/// Deviations from the standard that real meters are known for. Each is off by default, set only by a meter
/// model (protocol/cosem/models), and opens exactly the one door that its comment names. Nothing here weakens
/// the check of a tag or a counter.
struct Quirks {
    /// general-glo-ciphering with a title of length 0: the title of AARQ or AARE is meant.
    bool empty_system_title = false;
    /// AARE without user-information though accepted: what we proposed counts as negotiated.
    bool missing_user_information = false;
    /// RLRE whose BER length does not fit its content: it still is a release.
    bool wrong_release_length = false;
    /// date-time written as 0C octets without tag, or with a 09 in front of the 0C, where the standard has a
    /// plain length (DataNotification, EventNotification).
    bool tagged_date_time = false;
    /// Columns of a profile named with attribute 255 or 0: the whole object, its value is meant.
    bool capture_attribute_255 = false;
    /// The sort column, usually the clock, is not the first capture object.
    bool sort_column_not_first = false;
    /// More rows follow than the array's count says: taken, up to the element limit.
    bool more_rows_than_counted = false;
    /// The server's challenge may equal the client's (HLS): a reflected challenge is a known attack.
    bool equal_challenges = false;
    /// The optical head returns what we sent in front of the answer.
    bool optical_echo = false;

    friend bool operator==(const Quirks&, const Quirks&) = default;
};

}  // namespace wattmesh::dlms
