#pragma once
#include <span>
#include <string>
#include <vector>

#include "platform/settings.h"

namespace wattmesh::sim {

/// What a command was called with. `state_home` is where a program may keep what must outlive it.
struct Call {
    platform::Settings settings;
    std::vector<std::string> words;  ///< behind the command's name
    std::string state_home;
};

/// One subcommand of terminal-sim.
struct Command {
    const char* name;
    const char* summary;
    std::string help;  ///< what --help prints
    std::vector<std::string> options;
    int (*run)(const Call& call);         ///< throws; returns the exit status
    std::vector<std::string> flags = {};  ///< options without a value
};
std::span<const Command> commands();
/// Those of them that an engineer puts to a meter.
std::span<const Command> meter_commands();
/// Those of them that are another system's end.
std::span<const Command> partner_commands();
/// Those of them that are about the tool itself.
std::span<const Command> self_commands();

int run_meter(const Call& call);
int run_provision(const Call& call);
int run_field(const Call& call);
int run_read(const Call& call);
int run_assoc(const Call& call);
int run_scan(const Call& call);
int run_clock(const Call& call);
int run_diff(const Call& call);
int run_doctor(const Call& call);
int run_listen(const Call& call);
int run_decode(const Call& call);
int run_truth(const Call& call);
int run_image(const Call& call);
int run_certificate(const Call& call);
int run_device(const Call& call);
int run_bridge(const Call& call);
int run_modem(const Call& call);
int run_sts(const Call& call);
int run_scada(const Call& call);
int run_machine(const Call& call);
int run_mis(const Call& call);
/// mis cim.
int check_cim(const platform::Settings& settings);

/// Picks the command and calls it; `terminal-sim`, `--help` and `COMMAND --help` print help.
int run_tool(int argc, const char* const* argv, const std::string& state_home);

}  // namespace wattmesh::sim
