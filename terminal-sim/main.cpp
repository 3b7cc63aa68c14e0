#include <cstdlib>

#include "platform/main_guard.h"
#include "terminal-sim/tool/command.h"

int main(int argc, char** argv) {
    return wattmesh::platform::guarded_main("terminal-sim", [&] {
        std::string state_home = ".";
        if (const char* xdg = std::getenv("XDG_STATE_HOME"); xdg != nullptr && *xdg != '\0')
            state_home = xdg;
        else if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
            state_home = std::string{home} + "/.local/state";
        return wattmesh::sim::run_tool(argc, argv, state_home);
    });
}
