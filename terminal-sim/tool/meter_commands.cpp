// Commands that an engineer puts to a meter, and to what they printed.
#include "terminal-sim/tool/command.h"

namespace wattmesh::sim {
namespace {

/// Options of everything that associates with a meter, and `own`.
std::vector<std::string> with_link(std::vector<std::string> own) {
    for (const char* name :
         {"suite",   "authentication", "framing",  "signing", "hls-secret",  "pki",    "quirk",   "general",
          "gateway", "model",          "tcp",      "link",    "client",      "secret", "ek",      "ak",
          "server",  "timeout",        "attempts", "window",  "information", "device", "wake-up", "echo"})
        own.emplace_back(name);
    return own;
}

const std::string link_help =
    "  --tcp HOST:PORT    where the meter is; with --link udp its UDP port\n"
    "  --link LINK        wrapper (default) or hdlc on TCP; udp: wrapper on UDP; mode-e: sign-on of IEC "
    "62056-21, then HDLC,\n"
    "                     on TCP to the device server of an optical head (fixed rate, 8N1)\n"
    "  --model NAME       generic (default), idis, dsmr or is15959: which clients the meter knows\n"
    "  --client C         public (default), reading (LLS: --secret), management (HLS-GMAC: --ek, --ak): the "
    "model's,\n"
    "                     or a SAP: 16, 2, 1; is15959: 16, 32, 48\n"
    "  --server N         server address (1)      --timeout S   wait for each answer (10)\n"
    "  --attempts N       how often a datagram, an HDLC frame or a sign-on is sent while nothing comes (3)\n"
    "  --window N, --information N   of HDLC: frames (1) and octets per frame (128) to ask for\n"
    "  --device N         mode-e: address of the meter (whoever is at the head); --wake-up true: it runs on "
    "battery\n"
    "  --echo true        hdlc, mode-e: the head gives back what is sent; it is taken off\n"
    "  --gateway N:ADDR   the meter is behind a DLMS gateway: network number, and address as text or 0x and "
    "octets\n"
    "  --quirk NAME,...   what is borne with on top of the model's: a deviation that is met is named; "
    "--general "
    "true: asks\n"
    "                     in general-glo-ciphering\n"
    "  --suite N          security suite of the management client: 0 (default), 1 or 2\n"
    "  --authentication W gmac (default), md5, sha1 or sha256 (with --hls-secret S), ecdsa\n"
    "  --framing W        glo (default), general-glo, identified-key, wrapped-key, one-pass-dh, static-dh\n"
    "  --signing true     general-signing around every APDU\n"
    "  --pki DIR          static keys and certificates of both ends, for ecdsa, signing and the two dh: see "
    "`terminal-sim\n"
    "                     certificate --help`\n";

const Command at_meters[] = {
    {"read", "read an object of a meter",
     "Usage: terminal-sim read --tcp HOST:PORT [--link LINK] [--model M] [--client C] [keys] "
     "OBIS[/ATTRIBUTE]...\n"
     "Prints one JSON line per object. OBIS: 1.8.0 or 1-0:1.8.0*255 or 1.0.1.8.0.255; attribute 2 if none is "
     "given;\n"
     "`list` is the object list.\n"
     "  --class N          class of the object; found in the object list if not given\n"
     "  --from T --to T    range of a profile; Unix seconds or 2026-11-22T10:00:00Z\n" +
         link_help,
     with_link({"class", "from", "to"}), run_read},
    {"assoc", "try which clients a meter lets in, and say why not",
     "Usage: terminal-sim assoc --tcp HOST:PORT [--client C] [--secret S] [--ek HEX --ak HEX] [...]\n"
     "Associates as public client, with --secret as reading client, with --ek and --ak as management\n"
     "client; with --client as that one only. Prints one JSON line per client: accepted (true, false, or\n"
     "null when there was no try or no answer), why not and what to check, how many objects it sees, the\n"
     "meter's APDU size, its security policy and suite. Keys are never printed.\n"
     "Exit status: 0 all let in; 1 one was refused; 2 one got no answer.\n" +
         link_help,
     with_link({}), run_assoc},
    {"scan",
     "find which addresses of a line or a host have a meter",
     "Usage: terminal-sim scan --tcp HOST:PORT [--servers A-B] [--stop-at-first] [...]\n"
     "Associates with one server address after another (HDLC addresses, SAPs of the wrapper), one at a "
     "time.\n"
     "Prints one JSON line for each that answers: its logical device name, firmware and how long it took;\n"
     "or why it refuses this client. A range that was interrupted goes on with --servers.\n"
     "  --servers A-B      addresses (1-16)      --stop-at-first   ends with the first that answers\n"
     "Exit status: 0 somebody answered; 2 nobody.\n" +
         link_help,
     with_link({"servers"}),
     run_scan,
     {"stop-at-first"}},
    {"clock", "how far a meter's clock is off",
     "Usage: terminal-sim clock --tcp HOST:PORT [--times N] [--limit S] [...]\n"
     "Prints one JSON line: the clock in UTC, its deviation from UTC as the meter says, offset_s (what it\n"
     "shows less what is true by this computer's clock) and uncertainty_s (half the time between question\n"
     "and answer, and the hundredth that a clock counts in).\n"
     "  --times N          asks so often and takes the quickest answer (3)\n"
     "  --limit S          exit status 1 when it is off by more than S seconds\n"
     "  --speed X, --origin S   of a simulated meter, as for `meter`\n" +
         link_help,
     with_link({"times", "limit", "speed", "origin"}), run_clock},
    {"diff",
     "what changed between two readings",
     "Usage: terminal-sim diff BEFORE AFTER\n"
     "Both are files that `terminal-sim read` printed. Prints one JSON line per attribute that is not the\n"
     "same: before, after (null where it is missing), the difference of whole numbers, scaler and unit.\n"
     "Exit status: 0 the same; 1 not the same.\n",
     {},
     run_diff},
    {"doctor",
     "what is wrong with this computer, before one blames a meter",
     "Usage: terminal-sim doctor [--headend HOST:PORT] [--certificate FILE] [--state DIR] [--json]\n"
     "Looks whether the clock is kept, the disk has room, serial adapters open, the head-end's name and "
     "port\n"
     "answer and a certificate still holds for a month. One line each, with the way out.\n"
     "  --headend HOST:PORT    the front-end's port     --certificate FILE   PEM\n"
     "  --state DIR            where logs go            --json               one JSON object per line\n"
     "Exit status: 0 all is well; 1 something is not.\n",
     {"headend", "certificate", "state"},
     run_doctor,
     {"json"}},
};

}  // namespace

std::span<const Command> meter_commands() { return at_meters; }

}  // namespace wattmesh::sim
