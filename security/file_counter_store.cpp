#include "security/file_counter_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <limits>
#include <system_error>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"
#include "security/ciphers.h"

namespace wattmesh::security {

namespace {

constexpr std::string_view magic = "WMCOUNT1";
constexpr std::size_t body_size = 8 + 3 * 8, checksum_size = 8, slot_size = body_size + checksum_size;
constexpr std::size_t slot_distance = 512;  // the slots share no sector
constexpr std::uint64_t values_end = std::uint64_t{std::numeric_limits<std::uint32_t>::max()} + 1;

[[noreturn]] void fail(const std::string& what, const std::filesystem::path& path) {
    throw FileError(what + " " + path.string() + ": " + std::generic_category().message(errno));
}

Buffer encode(const FileCounterStore::Slot& slot) {
    Writer out;
    out.bytes(as_bytes(magic)).u64(slot.generation).u64(slot.reserved).u64(slot.floor);
    const auto digest = sha256(out.view());
    return out.bytes(Bytes{digest}.first(checksum_size)).take();
}

std::optional<FileCounterStore::Slot> decode(Bytes bytes) {
    Reader in{bytes};
    const Bytes found = in.bytes(magic.size());
    const FileCounterStore::Slot slot{.generation = in.u64(), .reserved = in.u64(), .floor = in.u64()};
    in.bytes(checksum_size);
    in.expect_end();
    if (!in.ok() || !std::equal(found.begin(), found.end(), magic.begin(), magic.end())) return std::nullopt;
    const Buffer expected = encode(slot);
    if (!std::equal(bytes.begin(), bytes.end(), expected.begin(), expected.end())) return std::nullopt;
    return slot;
}

int open_file(const std::filesystem::path& path) {
    if (!std::filesystem::exists(path)) {
        Buffer fresh = encode({.generation = 2, .reserved = 1, .floor = 0});
        fresh.resize(slot_distance);
        const Buffer second = encode({.generation = 1, .reserved = 1, .floor = 0});
        fresh.insert(fresh.end(), second.begin(), second.end());
        create_private_file(path, fresh);
    }
    return ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
}

}  // namespace

FileCounterStore::FileCounterStore(const std::filesystem::path& file, Durability receiving)
    : path_(file), file_(open_file(file)), receiving_(receiving) {
    if (!file_.valid()) fail("cannot open the counter file", path_);
    if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            throw FileError("counter file " + path_.string() + " is in use by another program");
        fail("cannot lock the counter file", path_);
    }
    load();
}

void FileCounterStore::load() {
    std::array<std::optional<Slot>, 2> slots;
    for (std::size_t i = 0; i < slots.size(); ++i) {
        std::array<std::uint8_t, slot_size> bytes{};
        const ssize_t count =
            ::pread(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(i * slot_distance));
        if (count < 0) fail("cannot read the counter file", path_);
        if (count == static_cast<ssize_t>(bytes.size())) slots[i] = decode(bytes);
    }
    if (!slots[0] && !slots[1]) {
        throw FileError("counter file " + path_.string() +
                        " is damaged: its counters may have been used; change the key and remove the file");
    }
    const bool torn = !slots[0] || !slots[1];
    slot_ = !slots[1] || (slots[0] && slots[0]->generation > slots[1]->generation) ? *slots[0] : *slots[1];
    if (torn) {  // the lost slot may have been the newer one, and it reserved one block at most
        Slot repaired = slot_;
        repaired.reserved += block;
        store(repaired, true);
    }
    next_ = slot_.reserved;
}

/// Over the older slot; what is in memory changes only when the write has succeeded.
void FileCounterStore::store(Slot slot, bool durable) {
    ++slot.generation;
    const Buffer bytes = encode(slot);
    const auto position = static_cast<off_t>((slot.generation % 2) * slot_distance);
    const ssize_t count = ::pwrite(file_.get(), bytes.data(), bytes.size(), position);
    if (count != static_cast<ssize_t>(bytes.size())) fail("cannot write the counter file", path_);
    if (durable && ::fdatasync(file_.get()) != 0) fail("cannot make durable the counter file", path_);
    slot_ = slot;
}

std::optional<std::uint32_t> FileCounterStore::next() {
    if (next_ >= values_end) return std::nullopt;
    if (next_ >= slot_.reserved) {
        Slot wanted = slot_;
        wanted.reserved = next_ + block;
        store(wanted, true);
    }
    return static_cast<std::uint32_t>(next_++);
}

void FileCounterStore::raise(std::uint32_t next) {
    if (next <= next_) return;
    if (next > slot_.reserved) {
        Slot wanted = slot_;
        wanted.reserved = next;
        store(wanted, true);
    }
    next_ = next;
}

std::optional<std::uint32_t> FileCounterStore::expected() const {
    if (slot_.floor >= values_end) return std::nullopt;
    return static_cast<std::uint32_t>(slot_.floor);
}

bool FileCounterStore::accept(std::uint32_t received) {
    if (received < slot_.floor) return false;
    Slot wanted = slot_;
    wanted.floor = std::uint64_t{received} + 1;
    store(wanted, receiving_ == Durability::machine);
    return true;
}

FileCounterStores::FileCounterStores(std::filesystem::path folder, FileCounterStore::Durability receiving)
    : folder_(std::move(folder)), receiving_(receiving) {
    std::error_code error;
    std::filesystem::create_directories(folder_.parent_path(), error);
    if (::mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST) fail("cannot create", folder_);
}

CounterStore& FileCounterStores::of(const std::string& name) {
    assert(!name.empty() &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
               std::string::npos);
    auto& store = open_[name];
    if (!store) store = std::make_unique<FileCounterStore>(folder_ / (name + ".counter"), receiving_);
    return *store;
}

}  // namespace wattmesh::security
