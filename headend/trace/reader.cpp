#include "headend/trace/reader.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <fstream>
#include <stdexcept>

namespace wattmesh::headend::trace {
namespace {

constexpr std::size_t unnamed_max = 10'000;  ///< records kept of links whose device is not known yet
constexpr std::uint64_t foreign_file = std::uint64_t{1} << 62U;  ///< an offset behind everything
constexpr std::size_t chunk = 1U << 20U, cursor_size_max = 16'384;

using Link = std::pair<std::string, std::uint64_t>;

/// Chooses the records of a query as they come by, process after process.
class Sieve {
public:
    Sieve(const Query& query, Reading& reading) : query_(query), reading_(reading) {}

    void take(const std::string& process, Record record) {
        if (record.at < query_.from || record.at > query_.to) return;
        if (!query_.device) return keep({process, std::move(record)});
        const Link link{process, record.link};
        if (!record.device) {
            if (unnamed_count_ == unnamed_max) return;
            ++unnamed_count_;
            unnamed_[link].push_back(std::move(record));
            return;
        }
        auto before = unnamed_.extract(link);
        if (before) unnamed_count_ -= before.mapped().size();
        if (record.device != query_.device) return;
        if (before)
            for (Record& earlier : before.mapped()) keep({process, std::move(earlier)});
        keep({process, std::move(record)});
    }
    void finish() {
        reading_.records.assign(std::make_move_iterator(kept_.begin()), std::make_move_iterator(kept_.end()));
        std::stable_sort(
            reading_.records.begin(), reading_.records.end(),
            [](const Found& left, const Found& right) { return left.record.at < right.record.at; });
        const std::size_t size = reading_.records.size();
        if (size <= query_.records_max) return;
        reading_.left_out += size - query_.records_max;
        reading_.records.erase(reading_.records.begin(),
                               reading_.records.end() - static_cast<std::ptrdiff_t>(query_.records_max));
    }
    /// The newest of each process are enough.
    void next_process() { of_process_ = 0; }

private:
    void keep(Found found) {
        kept_.push_back(std::move(found));
        if (++of_process_ <= query_.records_max) return;
        kept_.erase(kept_.end() - static_cast<std::ptrdiff_t>(of_process_));
        --of_process_;
        ++reading_.left_out;
    }

    const Query& query_;
    Reading& reading_;
    std::deque<Found> kept_;
    std::size_t of_process_ = 0;
    std::map<Link, std::vector<Record>> unnamed_;
    std::size_t unnamed_count_ = 0;
};

/// Gives each whole record from `offset` on to `take`; returns where the next one begins. Behind damage
/// nothing is found: the file's rest is skipped.
template <class Take>
std::uint64_t read_file(const std::filesystem::path& path, std::uint64_t offset, Take take) {
    std::ifstream in{path, std::ios::binary};
    if (offset == 0) {
        std::string head(magic.size(), '\0');
        if (!in.read(head.data(), static_cast<std::streamsize>(head.size()))) return 0;
        if (head != magic) return foreign_file;
        offset = magic.size();
    }
    in.seekg(static_cast<std::streamoff>(offset));
    Buffer buffer;
    while (in) {
        const std::size_t before = buffer.size();
        buffer.resize(before + chunk);
        in.read(reinterpret_cast<char*>(buffer.data() + before), static_cast<std::streamsize>(chunk));
        buffer.resize(before + static_cast<std::size_t>(in.gcount()));
        std::size_t at = 0;
        while (true) {
            auto decoded = decode_record(Bytes{buffer}.subspan(at));
            if (decoded.verdict == Decoded::Verdict::damaged) return offset + buffer.size();
            if (decoded.verdict == Decoded::Verdict::unfinished) break;
            at += decoded.size;
            take(std::move(decoded.record));
        }
        offset += at;
        buffer.erase(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(at));
    }
    return offset;
}

template <class Number>
std::optional<Number> number_in(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace

std::string to_string(const Cursor& cursor) {
    std::string text;
    for (const auto& [process, place] : cursor.processes) {
        if (!text.empty()) text += ',';
        text += process + ':' + std::to_string(place.file) + ':' + std::to_string(place.offset);
    }
    return text;
}

std::optional<Cursor> parse_cursor(std::string_view text) {
    if (text.size() > cursor_size_max) return std::nullopt;
    Cursor cursor;
    while (!text.empty()) {
        const std::string_view part = text.substr(0, text.find(','));
        text.remove_prefix(std::min(text.size(), part.size() + 1));
        const auto last = part.rfind(':');
        if (last == std::string_view::npos || last == 0) return std::nullopt;
        const auto first = part.rfind(':', last - 1);
        if (first == std::string_view::npos || first == 0) return std::nullopt;
        const auto file = number_in<unsigned>(part.substr(first + 1, last - first - 1));
        const auto offset = number_in<std::uint64_t>(part.substr(last + 1));
        if (!file || !offset) return std::nullopt;
        cursor.processes[std::string{part.substr(0, first)}] = {*file, *offset};
    }
    return cursor;
}

Reading read(const std::filesystem::path& directory, const Query& query, const Cursor& after) {
    std::vector<FileName> names;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator{directory, error})
        if (auto name = parse_file_name(entry.path().filename().string())) names.push_back(*std::move(name));
    if (error)
        throw std::runtime_error("the traces in " + directory.string() +
                                 " cannot be read: " + error.message());
    std::sort(names.begin(), names.end());
    Reading reading;
    Sieve sieve{query, reading};
    std::string process;
    for (const FileName& name : names) {
        if (name.process != process) sieve.next_process();
        process = name.process;
        const auto known = after.processes.find(name.process);
        Cursor::Place place{name.number, 0};
        if (known != after.processes.end()) {
            if (name.number < known->second.file) continue;
            if (name.number == known->second.file) place = known->second;
        }
        place.offset = read_file(directory / to_string(name), place.offset,
                                 [&](Record record) { sieve.take(name.process, std::move(record)); });
        reading.cursor.processes[name.process] = place;
    }
    sieve.finish();
    return reading;
}

}  // namespace wattmesh::headend::trace
