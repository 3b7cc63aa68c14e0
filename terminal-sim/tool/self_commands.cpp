// Commands about the tool itself, made from the table of commands: they cannot lag behind it.
#include <cstdio>

#include "terminal-sim/tool/command.h"

namespace wattmesh::sim {
namespace {

using platform::SettingsError;

/// For `source <(terminal-sim completion)`; file names complete after an option that is written out.
int run_completion(const Call&) {
    std::string names;
    for (const auto& command : commands()) names += (names.empty() ? "" : " ") + std::string{command.name};
    std::printf(
        "_terminal_sim() {\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} options=\n"
        "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
        "        mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$word\"); return\n"
        "    fi\n"
        "    case ${COMP_WORDS[1]} in\n",
        names.c_str());
    for (const auto& command : commands()) {
        std::string options = "--help";
        for (const auto& option : command.options) options += " --" + option;
        for (const auto& flag : command.flags) options += " --" + flag;
        std::printf("    %s) options='%s' ;;\n", command.name, options.c_str());
    }
    std::printf(
        "    esac\n"
        "    [[ $word == -* ]] && mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\")\n"
        "}\n"
        "complete -o default -F _terminal_sim terminal-sim\n");
    return 0;
}

/// Text of roff: a backslash, and a point or quote at the beginning of a line, mean something there.
std::string roff(const std::string& text) {
    std::string safe;
    bool begins = true;
    for (const char c : text) {
        if (begins && (c == '.' || c == '\'')) safe += "\\&";
        if (c == '\\')
            safe += "\\e";
        else if (c == '-')
            safe += "\\-";
        else
            safe += c;
        begins = c == '\n';
    }
    return safe;
}

/// man(7). `terminal-sim man | man -l -`.
int run_man(const Call&) {
    std::printf(
        ".TH TERMINAL\\-SIM 1 \"\" \"Wattmesh\" \"User Commands\"\n"
        ".SH NAME\nterminal\\-sim \\- simulates meters and their radio field, and reads and decodes real "
        "ones\n"
        ".SH SYNOPSIS\n.B terminal\\-sim\n.I COMMAND\n[\\fIOPTION\\fR]... [\\fIWORD\\fR]...\n"
        ".SH COMMANDS\n");
    for (const auto& command : commands())
        std::printf(".SS %s\n%s.\n.PP\n.nf\n%s.fi\n", command.name, roff(command.summary).c_str(),
                    roff(command.help).c_str());
    return 0;
}

const Command about_itself[] = {
    {"completion",
     "print what makes bash complete commands and options",
     "Usage: source <(terminal-sim completion)\n"
     "For every shell: terminal-sim completion > /usr/share/bash-completion/completions/terminal-sim\n",
     {},
     run_completion},
    {"man",
     "print the manual page",
     "Usage: terminal-sim man | man -l -\n"
     "To install it: terminal-sim man > /usr/local/share/man/man1/terminal-sim.1\n",
     {},
     run_man},
};

}  // namespace

std::span<const Command> self_commands() { return about_itself; }

}  // namespace wattmesh::sim
