#include "headend/exchange/file_desk.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <set>
#include <sstream>

#include "headend/exchange/file_answer.h"
#include "headend/exchange/interval_file.h"

namespace wattmesh::headend::exchange {
namespace {

using namespace database;
namespace fs = std::filesystem;

constexpr int days_at_once = 3;
constexpr std::size_t answer_size_max = 8 << 20, answers_at_once = 100;

/// Flushes a file, or a folder's list of names, to disk.
void flush(const fs::path& path, int flags) {
    const int file = open(path.c_str(), flags | O_CLOEXEC);
    if (file < 0) throw fs::filesystem_error("cannot open", path, {errno, std::generic_category()});
    const int done = fsync(file), why = errno;
    close(file);
    if (done != 0) throw fs::filesystem_error("cannot flush", path, {why, std::generic_category()});
}

void write_file(const fs::path& path, const std::string& text) {
    std::ofstream out{path, std::ios::binary | std::ios::trunc};
    out << text;
    out.close();
    if (!out) throw fs::filesystem_error("cannot write", path, {errno, std::generic_category()});
    flush(path, O_RDONLY);
}

fs::path part_of(const FileChannel& channel, const std::string& name) {
    return fs::path{channel.directory} / (name + ".part");
}

std::vector<std::vector<std::int64_t>> parts_of(const std::vector<std::int64_t>& meters, int meters_max) {
    std::vector<std::vector<std::int64_t>> parts;
    for (std::size_t i = 0; i < meters.size(); ++i) {
        if (i % static_cast<std::size_t>(meters_max) == 0) parts.emplace_back();
        parts.back().push_back(meters[i]);
    }
    return parts;
}

/// One channel in one round.
class Shelf {
public:
    Shelf(BillingFiles& files, const FileChannel& channel, Instant now, const FileDesk::Log& log)
        : files_(files), channel_(channel), now_(now), log_(log) {}

    void serve();
    void correct_day(const FileDay& day);

private:
    void write_day(const FileDay& day);
    IntervalFile make(const FileDay& day, int part, int revision, const std::vector<DayLine>& lines) const;
    void write(const FileDay& day, int part, int revision, const IntervalFile& made, bool last = false);
    void publish(const SentFile& file);
    void take_answers();
    /// Why not; empty: it was.
    std::string take_answer(const fs::path& path);

    BillingFiles& files_;
    const FileChannel& channel_;
    Instant now_;
    const FileDesk::Log& log_;
};

}  // namespace

void Shelf::serve() {
    for (const char* folder : {"ack", "archive", "error"})
        fs::create_directories(fs::path{channel_.directory} / folder);
    // What a crash left between the database's commit and the partner's sight.
    for (const auto& file : files_.unpublished(channel_)) publish(file);
    take_answers();
    for (const auto& day : files_.unsent(channel_, now_, days_at_once)) write_day(day);
}

void Shelf::write_day(const FileDay& day) {
    auto meters = files_.meters(channel_, day);
    int part = files_.parts(channel_, day);
    if (part > 0) {  // something failed between two parts: what was not sent then
        std::set<std::int64_t> sent;
        for (const auto& [key, line] : files_.known(channel_, day)) sent.insert(key.first);
        std::erase_if(meters, [&](std::int64_t meter) { return sent.count(meter) > 0; });
    }
    auto parts = parts_of(meters, channel_.meters_max);
    // Without any meter there still is a file: a day that is missing would look like a fault.
    if (parts.empty()) parts.emplace_back();
    std::future<IntervalFile> made;  // a part takes shape while the next one is loaded
    for (const auto& some : parts) {
        auto lines = files_.load(some, day);
        if (made.valid()) write(day, part, 0, made.get());
        ++part;
        made = std::async(std::launch::async,
                          [this, &day, part, lines = std::move(lines)] { return make(day, part, 0, lines); });
    }
    write(day, part, 0, made.get(), true);
}

void Shelf::correct_day(const FileDay& day) {
    const auto known = files_.known(channel_, day);
    std::map<int, int> revisions;
    for (const auto& [key, line] : known)
        revisions[line.part] = std::max(revisions[line.part], line.revision);
    if (revisions.empty()) revisions[1] = 0;
    std::map<int, std::vector<DayLine>> changed;
    for (const auto& some : parts_of(files_.meters(channel_, day), channel_.meters_max))
        for (auto& line : files_.load(some, day)) {
            const auto before = known.find({line.meter, line.register_});
            if (before != known.end() &&
                before->second.digest == line_digest(interval_line(line, channel_.decimals)))
                continue;
            changed[before == known.end() ? revisions.rbegin()->first : before->second.part].push_back(
                std::move(line));
        }
    for (const auto& [part, lines] : changed) {
        const int revision = revisions[part] + 1;
        write(day, part, revision, make(day, part, revision, lines));
    }
}

IntervalFile Shelf::make(const FileDay& day, int part, int revision,
                         const std::vector<DayLine>& lines) const {
    return make_interval_file(channel_, day, interval_file_name(channel_, day.date, part, revision), revision,
                              now_, lines);
}

void Shelf::write(const FileDay& day, int part, int revision, const IntervalFile& made, bool last) {
    SentFile file;
    file.day = day.date;
    file.part = part;
    file.revision = revision;
    file.last = last;
    file.name = interval_file_name(channel_, day.date, part, revision);
    file.written = now_;
    file.lines = static_cast<int>(made.lines.size());
    file.total = made.total;
    file.sha256 = made.sha256;
    write_file(part_of(channel_, file.name), made.text);
    file.id = files_.add(channel_, file, made.lines);
    publish(file);
}

void Shelf::publish(const SentFile& file) {
    const fs::path folder{channel_.directory}, part = part_of(channel_, file.name);
    if (fs::exists(part))
        fs::rename(part, folder / file.name);
    else if (!fs::exists(folder / file.name))
        throw fs::filesystem_error("was written and is gone; put it back from a backup", part,
                                   std::make_error_code(std::errc::no_such_file_or_directory));
    flush(folder, O_RDONLY | O_DIRECTORY);
    write_file(folder / (file.name + ".done"), "");
    flush(folder, O_RDONLY | O_DIRECTORY);
    files_.published(file.id);
    log_("information",
         "file=" + file.name + " lines=" + std::to_string(file.lines) + " total=" + file.total);
}

void Shelf::take_answers() {
    const fs::path folder{channel_.directory};
    std::set<fs::path> answers;
    for (const auto& entry : fs::directory_iterator{folder / "ack"})
        if (entry.is_regular_file() && entry.path().string().ends_with(".ack.csv") &&
            answers.size() < answers_at_once)
            answers.insert(entry.path());
    for (const auto& path : answers) {
        const auto why = take_answer(path);
        if (!why.empty()) log_("warning", "answer=" + path.string() + " was put aside: " + why);
        fs::rename(path, folder / (why.empty() ? "archive" : "error") / path.filename());
    }
}

std::string Shelf::take_answer(const fs::path& path) {
    if (fs::file_size(path) > answer_size_max) return "it is longer than 8 MiB";
    std::ostringstream text;
    text << std::ifstream{path, std::ios::binary}.rdbuf();
    const auto answer = parse_answer(text.str());
    if (const auto* fault = std::get_if<std::string>(&answer)) return *fault;
    const auto& said = std::get<FileAnswer>(answer);
    if (!files_.acknowledge(channel_, said.name, said.refused, now_)) return "no file of that name was sent";
    if (!said.refused.empty())
        log_("warning", "file=" + said.name + " the partner refused " + std::to_string(said.refused.size()) +
                            " lines (headend partner files)");
    return {};
}

bool FileDesk::attempt(const FileChannel& channel, const std::function<void()>& work) {
    const auto failed = [&](const std::exception& error) {
        if (failing_.insert(channel.id).second)
            log_("warning", "files=" + channel.contract.name + "/" + channel.name + " " + error.what());
        return false;
    };
    try {
        work();
        failing_.erase(channel.id);
        return true;
    } catch (const fs::filesystem_error& error) {
        return failed(error);
    } catch (const DatabaseError& error) {
        if (error.trouble() != Trouble::refused) throw;
        return failed(error);
    }
}

void FileDesk::round(Connection& connection, Instant now) {
    BillingFiles files{connection};
    if (!files.take_turn()) return;
    std::vector<std::pair<FileChannel, bool>> served;  // and whether it can be used
    for (auto& channel : files.all()) {
        if (channel.disabled || channel.contract.disabled) continue;
        const bool usable = attempt(channel, [&] { Shelf{files, channel, now, log_}.serve(); });
        served.emplace_back(std::move(channel), usable);
    }
    for (const auto& due : files.due()) {
        bool whole = true;  // a day stays due until everybody who was sent it was told what changed
        for (const auto& [channel, usable] : served)
            for (const auto& day : files.sent_days(channel, due.day, now))
                whole = usable &&
                        attempt(channel, [&] { Shelf{files, channel, now, log_}.correct_day(day); }) && whole;
        if (whole) files.done(due);
    }
    files.end_turn();
}

}  // namespace wattmesh::headend::exchange
