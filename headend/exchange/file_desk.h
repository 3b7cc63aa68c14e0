#pragma once
#include <functional>
#include <set>
#include <string>

#include "headend/database/billing_files.h"
#include "platform/clock.h"

namespace wattmesh::headend::exchange {

/// Writes the files of closed days to partners' directories, corrects them when readings change, and takes
/// the partners' answers. One thread; looks at directories and the database.
///
///     DIRECTORY/NAME.part    being written; never to be read
///     DIRECTORY/NAME         whole, on disk, never changed again
///     DIRECTORY/NAME.done    empty: the file may be taken
///     DIRECTORY/ack/NAME.ack.csv   the partner's answer; goes to archive/ or, when it cannot be understood,
///     error/
class FileDesk {
public:
    /// "information" or "warning", and a line for the operator.
    using Log = std::function<void(std::string_view level, const std::string& line)>;

    explicit FileDesk(Log log) : log_(std::move(log)) {}

    /// One look at every channel: what was under way, answers, days that are due, corrections. Throws
    /// DatabaseError when there is no database. A channel whose directory cannot be used, or whose rows the
    /// database refuses, is said in the log, once, and the others go on; its corrections wait for it.
    void round(database::Connection& connection, Instant now);

private:
    /// False when the channel failed.
    bool attempt(const database::FileChannel& channel, const std::function<void()>& work);

    Log log_;
    std::set<database::FileChannelId> failing_;
};

}  // namespace wattmesh::headend::exchange
