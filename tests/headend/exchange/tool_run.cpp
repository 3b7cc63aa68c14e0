#include "tests/headend/exchange/tool_run.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "terminal-sim/tool/command.h"

namespace wattmesh::test {

Run tool(std::vector<std::string> words) {
    words.insert(words.begin(), {"terminal-sim", "scada"});
    std::vector<const char*> argv;
    argv.reserve(words.size());
    for (const auto& word : words) argv.push_back(word.c_str());
    char name[] = "/tmp/wattmesh-scada-XXXXXX";
    const int file = mkstemp(name);
    std::fflush(stdout);
    const int before = dup(STDOUT_FILENO);
    dup2(file, STDOUT_FILENO);
    Run run;
    std::string thrown;
    try {
        run.status = sim::run_tool(static_cast<int>(argv.size()), argv.data(), "/dev/null/none");
    } catch (const std::exception& error) {
        run.status = 1;
        thrown = error.what();
    }
    std::fflush(stdout);
    dup2(before, STDOUT_FILENO);
    close(before);
    close(file);
    std::ostringstream text;
    text << std::ifstream{name}.rdbuf();
    unlink(name);
    run.out = text.str() + thrown;
    return run;
}

}  // namespace wattmesh::test
