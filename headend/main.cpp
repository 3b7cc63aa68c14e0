#include <iostream>
#include <map>

#include "headend/commands.h"
#include "platform/arguments.h"
#include "platform/main_guard.h"

namespace {

using namespace wattmesh::headend;

int run(int argc, const char* const* argv) {
    const Words words(argv + 1, argv + argc);
    if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
        (words.empty() ? std::cerr : std::cout) << help();
        return words.empty() ? 2 : 0;
    }
    using Command = int (*)(const Words&);
    const std::map<std::string, Command> commands{{"serve", run_serve},
                                                  {"init", run_init},
                                                  {"migrate", run_migrate},
                                                  {"import", run_import},
                                                  {"assets", run_assets},
                                                  {"enrol", run_enrol},
                                                  {"concentrator", run_concentrator},
                                                  {"user", run_user},
                                                  {"audit", run_audit},
                                                  {"read", run_read},
                                                  {"trace", run_trace},
                                                  {"restored", run_restored},
                                                  {"ca", run_ca},
                                                  {"rotate-keys", run_rotate_keys},
                                                  {"vend", run_vend},
                                                  {"firmware", run_firmware},
                                                  {"scada", run_scada},
                                                  {"partner", run_partner}};
    const auto command = commands.find(words[0]);
    if (command == commands.end()) {
        throw wattmesh::platform::UsageError("'" + words[0] + "' is not a command (see headend --help)");
    }
    for (const auto& word : words) {
        if (word != "--help" && word != "-h") continue;
        std::cout << help_of(words[0]);
        return 0;
    }
    return command->second(Words(words.begin() + 1, words.end()));
}

}  // namespace

int main(int argc, char** argv) {
    return wattmesh::platform::guarded_main("headend", [&] { return run(argc, argv); });
}
