#pragma once
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "terminal-sim/tool/command.h"

namespace wattmesh::test {

struct Printed {
    int status = 0;
    std::string text;
    bool has(const std::string& part) const { return text.find(part) != std::string::npos; }
};

/// What the tool prints, by way of a file in the place of standard output. Throws what it throws.
inline Printed printed(std::vector<std::string> words) {
    words.insert(words.begin(), "terminal-sim");
    std::vector<const char*> pointers;
    for (const auto& word : words) pointers.push_back(word.c_str());
    std::string name = "/tmp/wattmesh-printed-XXXXXX";
    const int file = mkstemp(name.data());
    if (file < 0) throw std::runtime_error("no file in /tmp");
    unlink(name.c_str());
    std::fflush(stdout);
    const int kept = dup(STDOUT_FILENO);
    dup2(file, STDOUT_FILENO);
    Printed answer;
    std::exception_ptr thrown;
    try {
        answer.status = sim::run_tool(static_cast<int>(pointers.size()), pointers.data(), "/dev/null/none");
    } catch (...) {
        thrown = std::current_exception();
    }
    std::fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    answer.text.resize(static_cast<std::size_t>(lseek(file, 0, SEEK_END)));
    const auto got = pread(file, answer.text.data(), answer.text.size(), 0);
    close(file);
    if (thrown) std::rethrow_exception(thrown);
    if (got != static_cast<ssize_t>(answer.text.size())) throw std::runtime_error("the file is cut");
    return answer;
}

}  // namespace wattmesh::test
