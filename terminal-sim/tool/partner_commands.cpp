// Commands that are another system's end: a vending system's tokens, a partner's system, a control room.
#include "terminal-sim/tool/command.h"

namespace wattmesh::sim {
namespace {

const Command all[] = {
    {"sts",
     "derive keys of, make and decode prepayment tokens",
     "Usage: terminal-sim sts derive --vk HEX --pan N --sgc N [...]\n"
     "   or: terminal-sim sts make (--dk HEX | --vk HEX --pan N --sgc N) [--class C --subclass S] [...]\n"
     "   or: terminal-sim sts decode (--dk HEX | --vk HEX --pan N --sgc N) [...] TOKEN\n"
     "Arithmetic of IEC 62055-41, for laboratory keys; `derive` prints the meter's key, nothing else does.\n"
     "  --vk HEX           vending key of 16 digits (derivation 02) or 40 (04)\n"
     "  --dk HEX           decoder key of 16 digits (EA07) or 32 (EA11), instead of --vk\n"
     "  --dkga N           how keys are derived: 02 or 04 (by the length of --vk)\n"
     "  --ea N             encryption algorithm: 07 or 11 (by the length of --dk; derivation 02: 07, 04: "
     "11)\n"
     "  --pan N            the meter: 18 digits, or its 11 or 13\n"
     "  --sgc N            supply group, six digits     --krn N  key revision (1)     --ti N  tariff index "
     "(1)\n"
     "  --kt N             type of key: 0 initialisation, 1 default, 2 unique (2)\n"
     "  --bdt Y            base date: 1993, 2014 or 2035 (EA07: 1993, EA11: 2014)\n"
     "  --ken N            key expiry number (255)\n"
     "  --class C, --subclass S   what to make (0/0): 0/0 to 0/3 credit in units of electricity, water, gas, "
     "time; 0/4 to\n"
     "                     0/7 the same in currency; 1/0 to 1/2 tests; 2/0 power limit, 2/1 clear credit, "
     "2/5 "
     "clear tamper,\n"
     "                     2/6 phase unbalance, 2/10 extended\n"
     "  --amount A         units with one decimal, currency with five and perhaps negative, W, or of 2/1 the "
     "register (all)\n"
     "  --control X        bits of tests and of 2/10, 0x for hexadecimal; all\n"
     "  --at T             Unix seconds or 2026-11-22T10:00:00Z (now)     --rnd N  0 to 15 (by chance)\n"
     "  --to-sgc, --to-krn, --to-ti, --to-kt, --to-ken, --to-bdt   any of them makes a key change set: the "
     "new key differs\n"
     "                     in these, in order of entry, each token on its own; with --at the new key must "
     "serve then\n"
     "  --to-vk HEX, --to-dkga N, --to-dk HEX   the new vending key, derivation or decoder key\n"
     "  --rollover         the meter forgets its token identifiers; by itself when the base date changes\n"
     "  --json             one JSON object per token\n"
     "Exit status: 0 made or accepted; 3 refused, the reason is said; 1 or 2 wrong options.\n",
     {"vk",     "dk",    "dkga",  "ea",       "pan",    "sgc",   "krn",     "ti",      "kt",
      "bdt",    "ken",   "class", "subclass", "amount", "at",    "rnd",     "control", "to-sgc",
      "to-krn", "to-ti", "to-kt", "to-ken",   "to-bdt", "to-vk", "to-dkga", "to-dk"},
     run_sts,
     {"rollover", "json"}},
    {"mis",
     "take webhooks and files, and ask over REST and IEC 61968-9, as a partner's system does",
     "Usage: terminal-sim mis webhook --port PORT --secret-file FILE [--address HOST] [--count N] [--out "
     "FILE]\n"
     "                                [--away N] [--refuse TYPE]\n"
     "       terminal-sim mis files --dir DIR [--refuse-each N]\n"
     "       terminal-sim mis rest --url URL --client-file FILE --from S --to S [--csv FILE] [--out FILE] "
     "[--read METER]\n"
     "       terminal-sim mis cim --url URL --client-file FILE --port PORT --meters M,M --from S --to S "
     "[--csv "
     "FILE]\n"
     "webhook: takes what `headend partner webhook` sends until Ctrl-C, checks signatures and order, prints "
     "counts.\n"
     "  --secret-file FILE  what `headend partner webhook` printed; mode 0600\n"
     "  --count N           ends after N different messages     --out FILE  appends every request's body\n"
     "  --away N            answers 503 to the first N requests\n"
     "  --refuse TYPE       answers 422 to messages whose type ends in TYPE\n"
     "files: takes the files of `headend partner files` that are marked as done, checks counts, sums and "
     "SHA-256,\n"
     "and answers in DIR/ack.  --refuse-each N  refuses every N-th line\n"
     "rest: gets meters, usage points, all load profile values of (from, to] and the feed, and compares "
     "streams "
     "with pages.\n"
     "  --client-file FILE  what `headend partner client` printed; mode 0600     --ca FILE  instead of the "
     "system's authorities\n"
     "  --from S, --to S    seconds since 1970     --csv FILE  the values as meter,at_epoch_s,channel,value "
     "(see truth)\n"
     "  --out FILE          the feed's messages, a line each     --read METER  also reads 1-0:1.8.0 on "
     "demand\n"
     "cim: asks in IEC 61968-9 for the stored load profile of some meters, at once and by a reply to "
     "http://HOST:PORT/cim\n"
     "(which `headend partner cim` must allow), reads and pings the first one now, sends a message twice, "
     "and "
     "what makes no\nsense; a contract with --unit Wh --zone UTC.\n"
     "All print JSON; exit status 3 when something was forged, senseless, out of order or wrong.\n",
     {"port", "address", "secret-file", "count", "out", "away", "refuse", "dir", "refuse-each", "log", "url",
      "client-file", "from", "to", "csv", "read", "ca", "meters"},
     run_mis},
    {"scada",
     "ask an IEC 60870-5-104 outstation as a control room does, and say whether it passed",
     "Usage: terminal-sim scada --tcp HOST:PORT --station N [--counters] [--clock] [--command A=STATE] "
     "[...]\n"
     "Connects, starts data transfer, interrogates the station and prints its points; does what else is "
     "asked, "
     "in this\norder, and prints for each step whether it passed.\n"
     "  --tcp HOST:PORT    the outstation; port 2404 by custom\n"
     "  --station N        common address, 1 to 65534; 65535 asks all stations\n"
     "  --group N          interrogates group 1 to 16 instead of all points\n"
     "  --counters         reads the integrated totals, too      --freeze  freezes them first\n"
     "  --clock            sends our time; passes when the outstation confirms, --speed and --origin as for "
     "field\n"
     "  --read A           reads the object with address A\n"
     "  --command A=STATE  selects and executes on or off at address A, waits for the end (--command-timeout "
     "S, "
     "120)\n"
     "  --kind K           double (default) or single: type of the command      --direct  without select\n"
     "  --watch S          prints reports for S seconds\n"
     "  --originator N     originator address, 0 to 255 (0)      --k N, --w N  windows (12, 8)\n"
     "  --timeout S        wait for each answer (10)\n"
     "  --ca FILE, --certificate FILE, --key-file FILE   TLS with client certificate, PEM\n"
     "  --quiet            prints steps only      --json  one JSON object per line\n"
     "Exit status: 0 every step passed; 1 refused, failed or no answer; 2 wrong options; 3 ASDUs that make "
     "no "
     "sense.\n",
     {"tcp", "station", "group", "read", "command", "command-timeout", "kind", "watch", "originator", "k",
      "w", "timeout", "ca", "certificate", "key-file", "speed", "origin", "log"},
     run_scada,
     {"counters", "freeze", "clock", "direct", "quiet", "json"}},
    {"machine",
     "sell as a vending machine that is attached to a concentrator",
     "Usage: terminal-sim machine --via HOST:PORT | --serial DEVICE --ca FILE --name NAME --token-file FILE\n"
     "                            --terminal T --state FILE --meter N --tender AMOUNT [...]\n"
     "Asks vending through the concentrator, in TLS from here to vending: quote, then one line on the "
     "standard input with\nthe amount that a customer puts in, then the sale. Keeps money only after vending "
     "has answered a quote for it, and\nwrites the order into --state before that. An order that is there is "
     "sold first, by its key, and nothing else.\nPrints a JSON line for each step.\n"
     "  --via HOST:PORT    the concentrator's port for machines (concentrator --machine)\n"
     "  --serial DEVICE    its serial line (concentrator --machine-serial)   --baud N  (115200)\n"
     "  --ca FILE          PEM of the authority of vending's certificate\n"
     "  --name NAME        that the certificate is for\n"
     "  --token-file FILE  API token of the machine's user (a private file)\n"
     "  --terminal T       its till in the books\n"
     "  --state FILE       order that has no end yet\n"
     "  --meter N          number on the customer's meter   --tender AMOUNT  that he means to pay, in the "
     "smallest coin\n"
     "  --wait S           goes on asking for the sale that long after the money was kept, 0 to 3600 (60)\n"
     "  --timeout S        of one answer (20)\n"
     "Exit status: 0 sold; 3 no money was kept (out of service, refused, or none put in); 4 money was kept "
     "and the sale has\nno end yet: call again; 5 refused after the money was kept: it was given back.\n",
     {"via", "serial", "baud", "ca", "name", "token-file", "terminal", "state", "meter", "tender", "wait",
      "timeout", "log"},
     run_machine},
};

}  // namespace

std::span<const Command> partner_commands() { return all; }

}  // namespace wattmesh::sim
