#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace wattmesh::sim {

/// A partner's end of files of intervals: takes what is marked as done, checks it against its own trailer,
/// and answers.
class FileConsumer {
public:
    struct Taken {
        std::string name, why;  ///< why: what is wrong with it; empty: nothing
        std::int64_t lines = 0, values = 0, refused = 0;
    };
    /// Refuses every `refuse_each`-th line of a file; 0: none.
    FileConsumer(std::filesystem::path directory, int refuse_each)
        : directory_(std::move(directory)), refuse_each_(refuse_each) {}

    /// Every file with a mark that was not taken yet, by name; each gets its answer in ack/, and its mark
    /// goes.
    std::vector<Taken> take();

private:
    std::filesystem::path directory_;
    int refuse_each_;
};

}  // namespace wattmesh::sim
