#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "headend/database/contracts.h"
#include "protocol/base/bytes.h"
#include "protocol/base/obis.h"

namespace wattmesh::headend::database {

using FileChannelId = Id<struct FileChannelTag, std::int32_t>;
using FileId = Id<struct FileTag, std::int64_t>;

/// Where a partner fetches files of intervals, and how he wants them.
struct FileChannel {
    FileChannelId id;
    Contract contract;
    std::string name, directory;
    std::string zone;        ///< IANA name: whose midnights
    int decimals = 3;        ///< 0: Wh and varh; 3: kWh and kvarh
    int meters_max = 1'000;  ///< in one file
    std::chrono::sys_days first_day{};
    Duration after = std::chrono::hours{6};  ///< a day's files are written so long after its end
    int correct_days = 10;                   ///< so long a file is corrected when its readings change
    bool disabled = false;
};

/// A day of a channel's zone: 23, 24 or 25 hours.
struct FileDay {
    std::chrono::sys_days date{};
    Instant from{}, to{};
    friend bool operator==(const FileDay&, const FileDay&) = default;
};

/// What one channel of one meter measured in a day.
struct DayLine {
    std::int64_t meter = 0;
    DeviceNumber number;
    std::string usage_point;  ///< empty: the meter hangs at none
    ObisCode register_{};
    int scaler = 0, unit = 0;  ///< COSEM unit code
    int period_s = 0;
    std::vector<std::optional<std::int64_t>> values;
    std::string quality;  ///< a letter a value: A actual, E failed validation or clock in doubt, N missing
};

/// One that was sent before.
struct SentLine {
    int part = 0, revision = 0;
    std::int64_t digest = 0;
};
struct LineToSend {
    std::int64_t meter = 0;
    ObisCode register_{};
    std::int64_t digest = 0;
};
struct SentFile {
    FileId id;
    std::chrono::sys_days day{};
    int part = 0, revision = 0;
    bool last = false;  ///< with it the day is whole; written, not read back
    std::string name;
    int lines = 0;
    std::string total;
    Buffer sha256;
    Instant written{};
    bool published = false;
    std::optional<Instant> acknowledged{};
    int refused = 0;
};
struct RefusedLine {
    int line = 0;  ///< in the file, the header is 1
    std::string code, text;
};

/// Tables file_channel, file_sent, file_line and file_due, and the rows that the files are made of.
class BillingFiles {
public:
    explicit BillingFiles(Connection& connection) : connection_(connection) {}

    /// Files are one process's at a time; false when another one is at it. Until end_turn or the connection's
    /// end.
    bool take_turn();
    void end_turn();

    /// Adds the channel, or changes the one of this name. Throws DatabaseError refused for an unknown zone.
    void put(const FileChannel& channel);
    std::vector<FileChannel> all();

    /// Days that ended `after` before now, from the first on, whose last part was not sent; oldest first.
    std::vector<FileDay> unsent(const FileChannel& channel, Instant now, int count_max);
    /// Days of the channel that were sent and that a UTC day (since 1970) touches.
    std::vector<FileDay> sent_days(const FileChannel& channel, int utc_day, Instant now);
    struct Due {
        int day = 0;
        std::int64_t mark = 0;
    };
    std::vector<Due> due();
    /// False when it changed meanwhile: then it stays due.
    bool done(const Due& due);

    /// Customers' meters that the contract shows and that were there on the day, by number.
    std::vector<std::int64_t> meters(const FileChannel& channel, const FileDay& day);
    /// By number and channel. Set-based; a meter without any row of the day has lines without values.
    std::vector<DayLine> load(const std::vector<std::int64_t>& meters, const FileDay& day);

    /// What the partner has of a day: the newest of each meter and register.
    std::map<std::pair<std::int64_t, ObisCode>, SentLine> known(const FileChannel& channel,
                                                                const FileDay& day);
    /// The greatest part that the day has; 0: none.
    int parts(const FileChannel& channel, const FileDay& day);
    FileId add(const FileChannel& channel, const SentFile& file, const std::vector<LineToSend>& lines);
    std::vector<SentFile> unpublished(const FileChannel& channel);
    void published(FileId file);
    /// Newest first.
    std::vector<SentFile> sent(const FileChannel& channel, int count_max);
    /// The partner's answer; false when the channel has no such file.
    bool acknowledge(const FileChannel& channel, const std::string& name,
                     const std::vector<RefusedLine>& refused, Instant now);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
