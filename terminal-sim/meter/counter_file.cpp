#include "terminal-sim/meter/counter_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <limits>
#include <stdexcept>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"

namespace wattmesh::sim {
namespace {

constexpr std::uint32_t magic = 0x574D4331;  // "WMC1"
constexpr std::size_t header_size = 16;      // magic, slots, owner
constexpr std::uint32_t block = 256;

std::runtime_error trouble(const std::filesystem::path& file, const std::string& why) {
    return std::runtime_error("counter file " + file.string() + ": " + why);
}

}  // namespace

class CounterFile::Direction final : public CounterStore {
public:
    Direction(CounterFile& file, std::size_t cell) : file_(file), cell_(cell), sending_(cell % 2 == 0) {}
    /// What the file holds: the end of the reserved block, or the last number accepted.
    void restore(std::uint32_t value) { last_ = limit_ = value; }

    std::optional<std::uint32_t> next() override {
        constexpr auto end = std::numeric_limits<std::uint32_t>::max();
        if (last_ == end) return std::nullopt;
        if (last_ == limit_) {
            limit_ = end - limit_ < block ? end : limit_ + block;
            file_.write(cell_, limit_);
        }
        return ++last_;
    }
    bool accept(std::uint32_t received) override {
        if (received <= last_) return false;
        last_ = received;
        file_.write(cell_, received);
        return true;
    }
    void raise(std::uint32_t next) override {
        if (next <= last_ + std::uint64_t{1}) return;
        last_ = next - 1;
        if (last_ <= limit_) return;
        limit_ = last_;
        file_.write(cell_, limit_);
    }
    /// What we send goes on: several servers of one meter share the count, and one may still answer under the
    /// key that another has replaced.
    void restart() override {
        if (sending_) return;
        last_ = limit_ = 0;
        file_.write(cell_, 0);
    }
    std::optional<std::uint32_t> expected() const override {
        if (last_ == std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
        return last_ + 1;
    }
    std::uint32_t last() const { return last_; }

private:
    CounterFile& file_;
    std::size_t cell_;
    bool sending_;
    std::uint32_t last_ = 0, limit_ = 0;
};

CounterFile::CounterFile(std::size_t slots) {
    for (std::size_t cell = 0; cell < slots * 2; ++cell)
        directions_.push_back(std::make_unique<Direction>(*this, cell));
}

CounterFile::CounterFile(const std::filesystem::path& file, std::uint64_t owner, std::size_t slots)
    : CounterFile(slots) {
    descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor_ < 0) throw trouble(file, "cannot be opened; check the folder and its rights");
    Buffer content(header_size + slots * 8);
    const auto size = ::pread(descriptor_, content.data(), content.size(), 0);
    if (size == 0) {
        Writer out;
        out.u32(magic).u32(static_cast<std::uint32_t>(slots)).u64(owner).bytes(Buffer(slots * 8));
        if (::pwrite(descriptor_, out.view().data(), out.size(), 0) != static_cast<ssize_t>(out.size()))
            throw trouble(file, "cannot be written; is the disk full?");
        return;
    }
    Reader in{content};
    if (size != static_cast<ssize_t>(content.size()) || in.u32() != magic || in.u32() != slots ||
        in.u64() != owner)
        throw trouble(file, "belongs to other meters or is damaged; give another --state folder");
    for (auto& direction : directions_) direction->restore(in.u32());
}

CounterFile::~CounterFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

void CounterFile::write(std::size_t cell, std::uint32_t value) {
    if (descriptor_ < 0) return;
    Writer out;
    out.u32(value);
    if (::pwrite(descriptor_, out.view().data(), out.size(), static_cast<off_t>(header_size + cell * 4)) !=
        static_cast<ssize_t>(out.size()))
        throw std::runtime_error("counter file: cannot be written any more (is the disk full?)");
}

CounterStore& CounterFile::send(std::size_t slot) { return *directions_.at(slot * 2); }
CounterStore& CounterFile::receive(std::size_t slot) { return *directions_.at(slot * 2 + 1); }
std::uint32_t CounterFile::accepted(std::size_t slot) const { return directions_.at(slot * 2 + 1)->last(); }

}  // namespace wattmesh::sim
