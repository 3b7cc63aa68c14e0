#include "terminal-sim/tool/command.h"

#include <cstdio>
#include <cstring>

#include "platform/arguments.h"

namespace wattmesh::sim {
namespace {

const Command all[] = {
    {"provision",
     "make a town and the manufacturer's shipment file",
     "Usage: terminal-sim provision --out DIR [--meters N] [--concentrators N] [--collectors N] [--wired N]\n"
     "                              [--layout R|U] [--hardness DB] [--seed N] [--prepaid N]\n"
     "Writes DIR/town.json (where everything stands), DIR/shipment.json (numbers and keys for the simulated "
     "meters,\nmode 0600), DIR/delivery.jsonl and DIR/transport.key (the shipment for `headend import`, keys "
     "wrapped),\nDIR/assets.csv (network and customers for `headend assets import`).\n"
     "  --meters N         customer meters of the whole town (200); each concentrator also gets a summary "
     "meter\n"
     "  --concentrators N  (2)\n"
     "  --collectors N     mesh nodes with wired meters; the first two belong to the first concentrator, and "
     "so "
     "on (0)\n"
     "  --wired N          meters on the wire of each collector, besides those of --meters, 0 to 64 (8)\n"
     "  --layout R|U       rural feeder or urban street (R)\n"
     "  --hardness DB      added to every link between houses, 0 to 30 (0)\n"
     "  --seed N           (1)\n"
     "  --prepaid N        households that sell by token (0): half of them have next to no credit. Also "
     "writes "
     "DIR/vending.key\n"
     "                     (for `headend vend load-key`) and DIR/books.jsonl (for `headend vend set`)\n",
     {"out", "meters", "concentrators", "collectors", "wired", "layout", "hardness", "seed", "prepaid"},
     run_provision},
    {"field",
     "run a radio field of meters",
     "Usage: terminal-sim field --town FILE --keys FILE --state DIR [--truth FILE] [--listen HOST:PORT]\n"
     "                          [--control HOST:PORT] [--history-hours H] [--rate 10|50|100] [--speed X] "
     "[--origin S]\n"
     "  --town, --keys     town.json and shipment.json of `terminal-sim provision`\n"
     "  --state DIR        what meters keep over a restart (counters, radio state, what was done to them)\n"
     "  --truth FILE       appends meter,at_epoch_s,channel,value of every interval before anything is "
     "encoded\n"
     "  --listen HOST:PORT radio module of the first concentrator, the next one has the next port "
     "(127.0.0.1:4100)\n"
     "  --control ...      line commands, each answered by one JSON line: kill NUMBER, revive NUMBER,\n"
     "                     move NUMBER COLLECTOR, move NUMBER radio, unplug NUMBER, status, and keypad "
     "NUMBER "
     "LINE with\n"
     "                     what a person does at a meter that sells by token: enter TOKEN, emergency, "
     "button, "
     "status,\n"
     "                     generator on or off\n"
     "  --history-hours H  how long the meters have been measuring at the first start (4)\n"
     "  --firmware-vendor HEX  public key (of `image key`) whose firmware the meters take over the mesh\n"
     "  --rate KBIT        of the radio (50)\n"
     "  --speed X          simulated time runs X times as fast (1)\n"
     "  --origin S         Unix second at which simulated time equals real time (now)\n",
     {"town", "keys", "state", "truth", "listen", "control", "history-hours", "rate", "speed", "origin",
      "firmware-vendor", "log"},
     run_field},
    {"meter",
     "simulate one meter on TCP or UDP",
     "Usage: terminal-sim meter --port PORT --link LINK --number N [--ek HEX --ak HEX [--master HEX]] "
     "[--secret S] [...]\n"
     "   or: terminal-sim meter --port PORT --link LINK --number N --keys shipment.json [...]\n"
     "Any DLMS client reads it: public client 16; reading client 2 with LLS (--secret); management client 1 "
     "with HLS-GMAC\n"
     "(--ek, --ak); other models have other SAPs. A client whose keys are not given is not served. Server "
     "address 1.\n"
     "With its master key (--master) it takes new keys by key transfer (64, 0-0:43.0.0) and keeps them in "
     "DIR.\n"
     "  --link LINK        wrapper or hdlc on TCP; udp: wrapper on UDP, a repeated datagram is answered but "
     "not done twice;\n"
     "                     mode-e: sign-on of IEC 62056-21 (device address N), then HDLC, on TCP as through "
     "a "
     "device server\n"
     "  --window N, --information N   of HDLC: most frames (7) and octets per frame (2030) it agrees to\n"
     "  --echo true        gives back what it receives, as some optical heads do\n"
     "  --address A        to listen on (127.0.0.1)\n"
     "  --kind K           household, shop or factory (household)\n"
     "  --model NAME       plays generic, idis, dsmr or is15959: names of objects, clients, columns "
     "(generic)\n"
     "  --quirk NAME,...   shows these deviations from the standard, too: empty_system_title, "
     "missing_user_information,\n"
     "                     wrong_release_length, tagged_date_time, capture_attribute_255, "
     "sort_column_not_first,\n"
     "                     more_rows_than_counted, optical_echo\n"
     "  --history-days D   how long it has been measuring at the first start (7)\n"
     "  --seed N           of its load (1)\n"
     "  --state DIR        what it keeps over a restart (default: below $XDG_STATE_HOME or ~/.local/state)\n"
     "  --truth FILE       appends every captured interval\n"
     "  --gateway N:ADDR   answers only what comes with this gateway prefix (E6): network number, and "
     "address "
     "as text or 0x\n"
     "                     and octets\n"
     "  --push HOST:PORT   where its Push setup (0-0:25.9.0) sends before somebody writes that; --push-link "
     "LINK: wrapper,\n"
     "                     udp, hdlc (UI frames) or mbus; `terminal-sim listen` receives\n"
     "  --suite N          security suite 0 (default), 1 or 2, which wants keys of 64 digits; "
     "--authentication, "
     "--framing,\n"
     "                     --signing and --hls-secret as for read: the management client must come so, in "
     "suites 1 "
     "and 2 as\n"
     "                     soon as the meter has its certificates and the client's; until then with gmac\n"
     "  --pki DIR          the meter's static keys, certificates and trust.pem (the folder pki in --state)\n"
     "  --push-pdu N       longer pushes go in general blocks (65535)\n"
     "  --policy N         security_policy from the factory, a set of bits (108: all authenticated and "
     "encrypted; 0: pushes\n"
     "                     are plain)\n"
     "  --pan N            sells by token (STS), with its key as for sts: --dk, or --vk and --sgc; --dkga, "
     "--ea, --krn, --ti,\n"
     "                     --kt, --bdt, --ken. Its breaker opens when the credit is used up\n"
     "  --credit KWH       that the installer left on it (0)   --low-credit KWH  warning (5)   --emergency "
     "KWH "
     " (3)\n"
     "  --arming true      a hand at the meter closes the breaker after a purchase\n"
     "  --keypad HOST:PORT lines, each answered by a JSON line: enter TOKEN, emergency, button, status,\n"
     "                     generator on, generator off\n"
     "  --speed X, --origin S   as for field\n",
     {"pan",          "dk",          "vk",         "sgc",     "dkga",  "ea",
      "krn",          "ti",          "kt",         "bdt",     "ken",   "credit",
      "low-credit",   "emergency",   "arming",     "keypad",  "suite", "authentication",
      "framing",      "signing",     "hls-secret", "pki",     "quirk", "gateway",
      "push",         "push-link",   "push-pdu",   "policy",  "port",  "link",
      "window",       "information", "echo",       "number",  "ek",    "ak",
      "secret",       "master",      "keys",       "address", "kind",  "model",
      "history-days", "seed",        "state",      "truth",   "speed", "origin",
      "log"},
     run_meter},
    {"listen",
     "receive what meters push, and show it decoded",
     "Usage: terminal-sim listen --port PORT [--link LINK] [--key HEX --ak HEX | --keys shipment.json] "
     "[...]\n"
     "Takes DataNotification and EventNotification of any meter, plain, ciphered and in general blocks, and "
     "prints each as\n`decode` does, with a line in front that says from whom. Says nothing back.\n"
     "  --link LINK        wrapper (default) on TCP; udp: wrapper on UDP; hdlc: UI frames, mbus: long "
     "frames, "
     "both on TCP\n"
     "  --address A        to listen on (127.0.0.1)\n"
     "  --count N          ends after so many; without it the listener runs until it is stopped\n"
     "  --quirk NAME,...   deviations that are borne with; others are named and count as wrong\n"
     "  --json             one JSON object per line\n"
     "  --key, --ak, --dedicated, --broadcast, --master, --title, --keys   as for decode\n"
     "Exit status: 0 all of it makes sense; 3 something does not, or blocks are missing.\n",
     {"quirk", "port", "link", "address", "count", "key", "ak", "dedicated", "broadcast", "master", "title",
      "keys", "log"},
     run_listen,
     {"json"}},
    {"decode",
     "show what octets on a DLMS or SCADA link mean",
     "Usage: terminal-sim decode [--key HEX --ak HEX] [--title HEX] [options] HEX...\n"
     "   or: terminal-sim decode [...] < FILE\n"
     "Takes what was seen on a DLMS link or one of IEC 60870-5-104, in hexadecimal (blanks, newlines, "
     "commas, colons and 0x are fine): "
     "wrapper PDUs,\nHDLC frames, M-Bus frames, 104 frames, a gateway prefix, an APDU or a value, several "
     "frames one "
     "behind "
     "another too. Joins segments\nand blocks. Prints a line per field: its offset in the input in "
     "hexadecimal, "
     "then what it is.\n"
     "  --key HEX        encryption key of 32 digits (suite 2: 64), to decipher; never printed\n"
     "  --ak HEX         authentication key; without it no tag can be verified and nothing is deciphered\n"
     "  --dedicated HEX  dedicated key, if the AARQ is not in the input\n"
     "  --broadcast HEX  global broadcast encryption key      --master HEX  key for keys that come wrapped\n"
     "  --title HEX      system title of the sender, if nothing in the input carries it\n"
     "  --keys FILE      shipment.json of `terminal-sim provision`: every key in it is tried\n"
     "  --as FORM        wrapper, hdlc, mbus, llc, hello, apdu, data or iec104; the first octets tell if not "
     "given\n"
     "  --all            prints long arrays and strings to the end\n"
     "  --json           one JSON object per line\n"
     "Exit status: 0 all of it makes sense; 3 something does not, the last lines say where and why; 1 or 2 "
     "wrong options.\n",
     {"key", "ak", "dedicated", "broadcast", "master", "title", "keys", "as"},
     run_decode,
     {"all", "json"}},
    {"image",
     "sign firmware and bring it into a meter",
     "Usage: terminal-sim image key --key FILE\n"
     "   or: terminal-sim image sign --key FILE --in FILE --out FILE --model TYPE --version V [--id TEXT]\n"
     "   or: terminal-sim image send --tcp HOST:PORT --ek HEX --ak HEX --file FILE --vendor HEX [...]\n"
     "`key` makes a vendor's P-256 key (a private file) and prints its public key. `sign` wraps an image; "
     "TYPE "
     "is what the\n"
     "meter shows as its type; a simulated meter (WMT-SIM) wants an image whose first line is \"WMT-SIM "
     "VERSION\".\n"
     "`send` checks signature, digest and the meter's type before the first block, goes on where a broken "
     "link "
     "left it,\n"
     "verifies and activates; one JSON line per event; exit status 0 only when activated or scheduled.\n"
     "  --vendor HEX       public key of `key`\n"
     "  --at T             activate then (Unix seconds or 2026-11-22T10:00:00Z) instead of at once\n"
     "  --resume yes       the meter holds blocks of this very image from an earlier send\n"
     "  --model NAME       for send: meter model that names the objects and clients (generic)\n"
     "  --client C         another client than the model's management client\n"
     "  --pause S          between polls (10)\n"
     "  --link, --server, --timeout, --attempts, --gateway, --quirk, --suite, --authentication, --framing, "
     "--signing,\n"
     "  --hls-secret, --pki   as for read\n",
     {"suite", "authentication", "framing",  "signing", "hls-secret", "pki",
      "quirk", "client",         "attempts", "gateway", "key",        "in",
      "out",   "model",          "version",  "id",      "tcp",        "ek",
      "ak",    "file",           "vendor",   "at",      "resume",     "pause",
      "link",  "server",         "timeout"},
     run_image},
    {"certificate",
     "bring certificates into a meter of suite 1 or 2, and keep one's own",
     "Usage: terminal-sim certificate own --pki DIR --suite N --use signature|agreement\n"
     "   or: terminal-sim certificate trust --pki DIR FILE\n"
     "   or: terminal-sim certificate keep --pki DIR --suite N FILE\n"
     "   or: terminal-sim certificate request --tcp HOST:PORT --ek HEX --ak HEX --suite N --use U [...]\n"
     "   or: terminal-sim certificate import --tcp HOST:PORT --ek HEX --ak HEX --suite N [...] FILE\n"
     "   or: terminal-sim certificate list --tcp HOST:PORT --ek HEX --ak HEX --suite N [...]\n"
     "DIR holds static keys and certificates of one client (the tool: title 574D54544F4F4C31) and of one "
     "meter.\n"
     "  own                makes a key of the tool, prints the request for its certificate: `headend ca "
     "sign`\n"
     "  trust              believes the CA certificates of FILE (PEM): of the root and of the sub-CA for "
     "meters\n"
     "  keep               takes the tool's certificate, or the meter's\n"
     "  request            the meter makes a key (Security setup, generate_key_pair) and gives a request, "
     "PEM\n"
     "  import             brings a certificate into the meter: its own, or the client's\n"
     "  list               what the meter holds, a JSON line each\n"
     "  --use U            signature or agreement\n"
     "  --client, --model, --link, --server, --timeout, --attempts, --window, --information, --device, "
     "--wake-up, "
     "--echo,\n"
     "  --gateway, --quirk, --authentication, --framing, --signing, --hls-secret   as for read\n",
     {"suite",   "authentication", "framing", "signing",     "hls-secret", "pki",     "use", "quirk",
      "gateway", "model",          "tcp",     "link",        "client",     "ek",      "ak",  "server",
      "timeout", "attempts",       "window",  "information", "device",     "wake-up", "echo"},
     run_certificate},
    {"device",
     "simulate devices of other makes",
     "Usage: terminal-sim device --kind modbus-tcp --port PORT --number N [--units N-M] [--map NAME,...] "
     "[...]\n"
     "       terminal-sim device --kind dtu --headend HOST:PORT --identity ID --profile FILE --number N "
     "[...]\n"
     "       terminal-sim device --kind dlms-callin --headend HOST:PORT --number N --profile FILE --ek HEX "
     "--ak HEX\n"
     "                           --state DIR [...]\n"
     "       terminal-sim device --kind gdw376 --headend HOST:PORT --terminal AAAA-TTTT --number N [...]\n"
     "modbus-tcp: a Modbus TCP gateway with three-phase meters behind it; any Modbus master reads them.\n"
     "dtu: calls in, says its registration packet, beats, and lets Modbus RTU through to such meters.\n"
     "dlms-callin: a DLMS meter that calls in, says the hello of its make and is read over that link "
     "(wrapper).\n"
     "gdw376: a Q/GDW 376.1 concentrator that calls in, with DL/T 645-2007 meters behind it, one at each "
     "point;\n"
     "        it denies AFN 03 and 06\n"
     "  --number N         device number of the first unit, the next one has the next number; of dlms-callin "
     "also the\n"
     "                     identity in the hello; --identity ID: that of the DTU\n"
     "  --profile FILE     how it says hello (protocol/link/profiles); its heartbeats come as the file says\n"
     "  --ek, --ak HEX     keys of the management client    --state DIR  where its counters stay\n"
     "  --push-every S     pushes every S seconds, ciphered    --history-hours H  as --history-days (24)\n"
     "  --fault F          hello-checksum (dlms-callin): a log-in's checksum leaves out the option;\n"
     "                     beat-within (dtu): every third answer has a heartbeat in its middle;\n"
     "                     demands-chip (gdw376): denies setting, wants AFN 06 instead\n"
     "  --terminal AAAA-TTTT  gdw376: area and address, hexadecimal   --beat S  heartbeats (300)\n"
     "  --utc-offset-min M    its wall clock (480)                    --clock-off S  how wrong it is at "
     "first\n"
     "  --relay-only N,...    points for which only the meter itself answers (10 F1)\n"
     "  --event-every S       reports an event now and again          --frozen-truth FILE  what it said of\n"
     "                        days and curves: bank,meter,at_epoch_s,channel,value\n"
     "  --units N-M        unit addresses, at most 64 (1)\n"
     "  --map NAME,...     register maps, in turn for the units: em6400ng (default), em6400, em1200\n"
     "  --swapped N,...    units with the other order of registers than their map says\n"
     "  --dead N,...       units that do not answer\n"
     "  --address A        to listen on (127.0.0.1)\n"
     "  --history-days D   how long they have been measuring at the start (1)\n"
     "  --seed N           of their load (1)\n"
     "  --truth FILE       dlms-callin: appends every captured interval; the others: each value that was "
     "polled, as\n"
     "                     meter,at_epoch_s,channel,value before any encoding\n"
     "  --speed X, --origin S   as for field\n",
     {"kind",      "port",         "number",        "units",        "map",      "swapped", "dead",
      "address",   "history-days", "history-hours", "headend",      "identity", "profile", "ek",
      "ak",        "state",        "push-every",    "fault",        "terminal", "beat",    "utc-offset-min",
      "clock-off", "relay-only",   "event-every",   "frozen-truth", "seed",     "truth",   "speed",
      "origin",    "log"},
     run_device},
    {"bridge",
     "let a head-end talk to what hangs on a serial line, as a DTU does",
     "Usage: terminal-sim bridge --serial DEVICE --headend HOST:PORT --profile FILE --identity ID [...]\n"
     "Calls in, says the registration packet of the profile, passes octets on both ways as they are, and "
     "says "
     "its\nheartbeat when nothing else went up for a heartbeat's time. Calls again when the link ends.\n"
     "  --serial DEVICE    serial port, or one end of a pty pair (socat pty,raw,link=/tmp/a "
     "pty,raw,link=/tmp/b)\n"
     "  --baud N           300 to 115200 (9600)      --format F  8E1 (default), 8N1, 8N2, 8O1\n"
     "  --gap-ms N         octets of the line travel together when they are no further apart (20)\n"
     "  --profile FILE     registration and heartbeat (protocol/link/profiles), with the identity in them\n"
     "  --speed X, --origin S   as for field\n"
     "Exit status: 0 stopped by a signal; 1 the serial port went away.\n",
     {"serial", "baud", "format", "gap-ms", "headend", "profile", "identity", "speed", "origin", "log"},
     run_bridge},
    {"modem",
     "simulate a cellular modem on a serial port",
     "Usage: terminal-sim modem --link PATH [...]\n"
     "A pseudo-terminal, with PATH leading to it, that answers as a Quectel EC2x does: SIM and PIN, "
     "registration, "
     "signal,\nAPN, and TCP connections, which are real ones.\n"
     "  --sim present|absent  --pin PIN --pin-tries N   the SIM; without a PIN it wants none\n"
     "  --network N        registration as in 3GPP TS 27.007, 7.2: 1 home (default), 2 searching, 3 denied, "
     "5 "
     "roaming\n"
     "  --rssi N           signal as AT+CSQ says it, 0 to 31 (18)       --operator NAME\n"
     "  --apn NAME         the one that is let in (any)\n"
     "  --lead-to HOST:PORT   where every call ends, whatever was dialled\n"
     "  --fade-every S --fade S   without a network for the second, after each of the first\n"
     "  --reset-line FILE  a 1 in it resets the modem      --chatters true   unsolicited lines and noise\n",
     {"link", "sim", "pin", "pin-tries", "network", "rssi", "operator", "apn", "lead-to", "fade-every",
      "fade", "reset-line", "chatters", "log"},
     run_modem},
    {"truth",
     "compare what was stored with what was measured",
     "Usage: terminal-sim truth compare --truth FILE --csv FILE\n"
     "Both hold lines meter,at_epoch_s,channel,value (a heading may come first). Prints one JSON line with "
     "the counts\n"
     "expected, stored, missing, wrong, extra and duplicate; exit status 0 only if the last four are 0.\n",
     {"truth", "csv"},
     run_truth},
};

int print_overview(std::FILE* to) {
    std::fputs(
        "terminal-sim: simulates meters and their radio field, and reads and decodes real ones.\n"
        "Usage: terminal-sim COMMAND [options]     terminal-sim COMMAND --help\n",
        to);
    for (const Command& command : commands()) std::fprintf(to, "  %-10s %s\n", command.name, command.summary);
    return to == stdout ? 0 : 2;
}

}  // namespace

std::span<const Command> commands() {
    static const auto joined = [] {
        std::vector<Command> list{std::begin(all), std::end(all)};
        for (const auto& more : {meter_commands(), partner_commands(), self_commands()})
            list.insert(list.end(), more.begin(), more.end());
        return list;
    }();
    return joined;
}

int run_tool(int argc, const char* const* argv, const std::string& state_home) {
    if (argc < 2) return print_overview(stderr);
    const std::string_view name = argv[1];
    if (name == "--help" || name == "-h" || name == "help") return print_overview(stdout);
    for (const Command& command : commands()) {
        if (name != command.name) continue;
        for (int i = 2; i < argc; ++i)
            if (std::strcmp(argv[i], "--help") == 0 || std::strcmp(argv[i], "-h") == 0) {
                std::fputs(command.help.c_str(), stdout);
                return 0;
            }
        const platform::Arguments arguments{argc - 1, argv + 1, command.options, command.flags};
        return command.run({arguments.settings(), arguments.words(), state_home});
    }
    throw platform::UsageError("unknown command '" + std::string{name} +
                               "'; `terminal-sim --help` lists them");
}

}  // namespace wattmesh::sim
