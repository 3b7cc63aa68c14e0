#pragma once
#include <filesystem>
#include <memory>
#include <vector>

#include "protocol/base/cipher.h"

namespace wattmesh::sim {

/// Invocation counters of many meters in one file: one slot per (meter, client), each with a sending and a
/// receiving direction. Sending takes numbers from a block that is in the file before the first one is used;
/// what was received is written at once. So a process that is killed and started again reuses no number and
/// accepts none twice.
class CounterFile {
public:
    /// In memory only.
    explicit CounterFile(std::size_t slots);
    /// `owner` marks whose counters these are; a file of another owner or size is refused. Throws
    /// std::runtime_error naming the file.
    CounterFile(const std::filesystem::path& file, std::uint64_t owner, std::size_t slots);
    ~CounterFile();
    CounterFile(const CounterFile&) = delete;
    CounterFile& operator=(const CounterFile&) = delete;

    /// Alive as long as the file is.
    CounterStore& send(std::size_t slot);
    CounterStore& receive(std::size_t slot);
    /// The last counter accepted; 0 before the first.
    std::uint32_t accepted(std::size_t slot) const;

private:
    class Direction;
    void write(std::size_t cell, std::uint32_t value);

    std::vector<std::unique_ptr<Direction>> directions_;  ///< even: send, odd: receive
    int descriptor_ = -1;
};

}  // namespace wattmesh::sim
