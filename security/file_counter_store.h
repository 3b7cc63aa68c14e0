#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "protocol/base/cipher.h"
#include "security/file_descriptor.h"
#include "security/private_file.h"

namespace wattmesh::security {

/// Invocation counters of one key pair in one small file, locked while open.
///
/// Sending: values are reserved in blocks of 1024 that are on the disk before the first of them is handed
/// out; after a restart the rest of the block is skipped. So no crash of the program or the machine repeats a
/// value; each costs at most 1024 of 2^32 values.
///
/// Receiving: the highest accepted value is written before accept() returns. With `Durability::machine` it is
/// also flushed to the disk, so no replay is accepted after any crash. With `Durability::program` only a
/// crash of the program is covered: after a power cut those accepted since the operating system last wrote
/// (some 30 s) could be accepted once more, which is for channels whose answers are matched to requests
/// anyway, where a disk flush for each message would be too slow.
///
/// What it cannot see is an old copy of the file put back: then change the key. A damaged file is refused by
/// name. Two slots are written in turn, each with a checksum; one that a crash tore is ignored and one more
/// block skipped. Throws FileError when the disk fails. Not thread safe.
class FileCounterStore : public CounterStore {
public:
    enum class Durability : std::uint8_t { machine, program };
    static constexpr std::uint32_t block = 1'024;

    /// Creates the file (0600) when it is missing: for a new key only, never for one that was used before.
    explicit FileCounterStore(const std::filesystem::path& file, Durability receiving = Durability::machine);

    std::optional<std::uint32_t> next() override;
    bool accept(std::uint32_t received) override;
    void raise(std::uint32_t next) override;
    std::optional<std::uint32_t> expected() const override;

    struct Slot {
        std::uint64_t generation = 0;
        std::uint64_t reserved = 0;  ///< first value not reserved yet
        std::uint64_t floor = 0;     ///< lowest value still acceptable
    };

private:
    void load();
    void store(Slot slot, bool durable);

    std::filesystem::path path_;
    FileDescriptor file_;
    Durability receiving_;
    Slot slot_;
    std::uint64_t next_ = 0;
};

/// The counter files of many key pairs in one folder, opened when first asked for.
class FileCounterStores {
public:
    /// Creates the folder (0700) when it is missing.
    explicit FileCounterStores(std::filesystem::path folder, FileCounterStore::Durability receiving =
                                                                 FileCounterStore::Durability::machine);
    /// `name`: letters, digits, '-' and '_', as in "540000000001-management". Lives as long as this object.
    CounterStore& of(const std::string& name);

private:
    std::filesystem::path folder_;
    FileCounterStore::Durability receiving_;
    std::map<std::string, std::unique_ptr<FileCounterStore>> open_;
};

}  // namespace wattmesh::security
