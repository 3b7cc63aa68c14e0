#include <map>

#include "headend/commands.h"

namespace wattmesh::headend {
namespace {

const std::map<std::string, std::string> texts{
    {"serve",
     "headend serve --config FILE [--role frontend|monitor|console]... [--speed X] [--origin UNIX_SECONDS]\n"
     "  Runs the roles (all of them, unless some are named) until SIGTERM or Ctrl-C.\n"
     "    frontend  links of concentrators and of devices that call in (callers.ports), readings into the "
     "database\n"
     "    monitor   what concentrators should hold, gaps, aggregates, reads on demand\n"
     "    console   API and pages\n"},
    {"init",
     "headend init --dir DIR --database \"LIBPQ KEYWORDS\" [--console HOST:PORT] [--uplink HOST:PORT] "
     "[--master-key URI]\n"
     "  Makes master key, certificate authority, uplink certificate and DIR/headend.properties (all for the "
     "owner only).\n"
     "    --uplink      where concentrators call in: the host must be what they are told, its certificate "
     "carries "
     "it\n"
     "    --master-key  makes the master key in a PKCS#11 token, which it never leaves, instead of in a "
     "file:\n"
     "                  'pkcs11:token=LABEL;object=LABEL?module-path=FILE&pin-source=FILE' (RFC 7512); the "
     "PIN's "
     "file has mode 0600\n"},
    {"migrate",
     "headend migrate --config FILE [--admin \"LIBPQ KEYWORDS\"]\n"
     "  Brings the database to this program's schema and prints what was applied. With --admin (a user who "
     "may create\n"
     "  roles; needed the first time) also makes the database's roles and sets their passwords.\n"},
    {"import",
     "headend import FILE (--transport-key KEYFILE | --plain-keys) [--replace] [--report OUT] "
     "[--history-hours H] "
     "--config FILE\n"
     "  Registers concentrators, meters and their keys from a manufacturer's shipment file (mode 0600). A "
     "wrong "
     "line is\n"
     "  refused and stops no other; a line that says what is known changes nothing. Prints a summary (JSON) "
     "on "
     "standard\n"
     "  output and the refused lines on standard error; exit status 1 when a line was refused.\n"
     "    --transport-key  file of 32, 48 or 64 hexadecimal digits: keys are wrapped under it (RFC 3394, "
     "passwords "
     "RFC 5649)\n"
     "    --plain-keys     keys and passwords are in clear: benches and demonstrations only\n"
     "    --replace        a known meter that comes with other keys or another system title gets them\n"
     "    --report         writes every line's outcome to OUT, one JSON object a line\n"
     "    --history-hours  new meters have measured for this long, readings since then are expected (default "
     "0)\n"
     "  Two forms of file. JSON Lines: first {\"wattmesh\":\"shipment\",\"version\":2}, then one flat object "
     "a "
     "line. CSV\n"
     "  (comma or semicolon): first the names of the columns. Fields:\n"
     "    device           meter (default), concentrator (number, system_title, serial only), collector "
     "(number,\n"
     "                     system_title, concentrator, join only: it has wired meters and no other key) or "
     "bus (number,\n"
     "                     serial, address: Modbus meters behind a DTU that calls in with this number, or, "
     "with an\n"
     "                     address HOST:PORT, behind a Modbus TCP gateway that is called)\n"
     "    bus unit         of a Modbus meter, instead of system_title, road and keys: the bus's number, 1 to "
     "247;\n"
     "    word_order base  where it differs from its model's map: abcd, cdab, badc or dcba; 0 to 2\n"
     "    number           twelve digits, ours      serial  the manufacturer's, up to 32 characters, "
     "optional\n"
     "    system_title     16 hexadecimal digits    model   a name in the table meter_model\n"
     "    role             customer or summary      suite   DLMS security suite 0 (default), 1 or 2\n"
     "    terminal         with device: bus, a Q/GDW 376.1 terminal's address, like 4403-1234: makes its "
     "number;\n"
     "                     its meters have model DLT645-2007 and their measurement point as unit\n"
     "    road             concentrator (default), or direct: the meter calls in by itself (callers.ports) "
     "and needs\n"
     "                     keys of the management client only\n"
     "    concentrator     registered, or on an earlier line; optional\n"
     "    authentication   of the management client: gmac (default), md5, sha1 or sha256 (need hls_secret), "
     "ecdsa\n"
     "    framing          glo (default), general-glo, identified-key, wrapped-key (needs master_key), "
     "one-pass-dh,\n"
     "                     static-dh\n"
     "    signing          yes or no (default): general-signing around every APDU\n"
     "                     ecdsa, signing and the two dh need suite 1 or 2 and certificates (headend ca)\n"
     "    ek_management ak_management               of the management client, needed\n"
     "    ek_reading ak_reading join                needed where the model's reading client has keys of its "
     "own\n"
     "    master_key       wraps new keys on their way to the meter, optional\n"
     "    hls_secret lls_password                   optional\n"
     "  Keys are hexadecimal: 16 octets (suite 2: 32; join: 16), wrapped 8 more.\n"},
    {"assets",
     "headend assets import FILE [--dry-run] [--since DATE] [--reason WHY] --config FILE\n"
     "  Takes the utility's list of its network and customers: CSV (comma or semicolon) with the names of "
     "the "
     "columns first,\n"
     "  or JSON Lines after {\"wattmesh\":\"assets\",\"version\":1}; one thing a line, in any order in which "
     "parents come first.\n"
     "  A wrong line is refused with field and reason and stops no other; a line that says what is known "
     "changes nothing.\n"
     "  Prints a summary (JSON) on standard output and the refused lines on standard error; exit status 1 "
     "when a line was\n"
     "  refused. Columns:\n"
     "    kind      substation, feeder, transformer, usage_point, customer, meter or concentrator\n"
     "    number    the utility's own; of meters and concentrators the twelve digits on the plate\n"
     "    name      of everything but usage points, meters and concentrators\n"
     "    parent    where it hangs: a feeder on a substation, a transformer on a feeder, a usage point on a "
     "transformer, a\n"
     "              customer (optional) and a meter at a usage point, a summary meter and a concentrator at "
     "a "
     "transformer\n"
     "    since     from when on: YYYY-MM-DD or YYYY-MM-DDTHH:MM by the utility's clocks; --since, or now\n"
     "    replaces  the number of the meter or concentrator that was there before; without it another number "
     "is refused\n"
     "    final_wh start_wh  what the old and the new meter's energy register stood at\n"
     "    area      its name, where there are several    latitude longitude  in degrees    address phone  of "
     "customers\n"
     "    --dry-run  says what the file would do and changes nothing\n"},
    {"enrol",
     "headend enrol NUMBER --config FILE\n"
     "  Prints a one-time code with which the concentrator NUMBER gets its certificate. Good for 24 hours "
     "and one use.\n"},
    {"concentrator",
     "headend concentrator revoke NUMBER --config FILE\n"
     "  Ends the concentrator's session and refuses it from now on.\n"},
    {"ca",
     "headend ca WHAT ... --config FILE: certificates of meters of DLMS security suites 1 (P-256) and 2 "
     "(P-384)\n"
     "  create --suite N [--name NAME]         makes a root and a sub-CA for meters, where the utility has "
     "no CA\n"
     "  request --suite N [--name NAME]        makes the sub-CA's key, prints the request for its "
     "certificate\n"
     "  install FILE --root FILE --suite N     takes the certificate that the utility's CA made of it\n"
     "  trust FILE                             trusts the CA of a manufacturer (PEM)\n"
     "  import FILE                            takes a meter's certificate: PEM, with sub-CAs behind it if "
     "there are\n"
     "                                         any; checks chain, time, curve, key usage, and that its "
     "common name "
     "is\n"
     "                                         the system title of a registered meter\n"
     "  sign FILE --use signature|agreement    signs a meter's request (PKCS#10, PEM), prints certificate "
     "and "
     "sub-CA\n"
     "                                         (also a field tool's, which is not stored)\n"
     "  own --suite N --use signature|agreement  makes a key of the head-end itself, prints the request for "
     "its "
     "certificate\n"
     "  list                                   meters' certificates, one JSON object a line\n"
     "  Keys lie in the folder pki.meters (mode 0600) and are never replaced.\n"},
    {"rotate-keys",
     "headend rotate-keys METER... [--kinds KINDS] --reason WHY [--wait S] --config FILE\n"
     "  Gives meters new keys of the management client, each wrapped under the meter's master key (shipment "
     "field master_key).\n"
     "  `headend serve` does it through the mesh: the new key lies beside the old one until the meter has "
     "proved it, and an\n"
     "  order that was cut off goes on by itself. Reading goes on meanwhile: concentrators have keys of "
     "their "
     "own.\n"
     "    --kinds   some of encryption,authentication,broadcast,master (default "
     "authentication,encryption,master)\n"
     "    --reason  for the audit log\n"
     "    --wait    seconds to wait for the end (300); what is not finished then goes on\n"
     "  Prints a line for each key, with check values that name keys without telling them:\n"
     "    540000000001 encryption replaced 5F0C1A -> 9B27E4\n"
     "  Exit status 0 when every key was replaced, else 1.\n"},
    {"restored",
     "headend restored --config FILE\n"
     "  Run it when the database was put back to an older state (a restored dump, a snapshot) and more than "
     "one "
     "head-end\n"
     "  uses it: every invocation counter jumps by 2^20, so that none is used twice. A single head-end "
     "notices by "
     "itself.\n"},
    {"user",
     "headend user add LOGIN [--role ROLE] [--area N] [--name \"FULL NAME\"] [--password-stdin] --config "
     "FILE\n"
     "  Adds a user of the console, or changes role and password. Reads the password from standard input.\n"
     "    --role  viewer (looks), operator (default; also reads and switches meters), engineer (also sets "
     "parameters), "
     "auditor\n"
     "            (looks, and reads the audit log), administrator (everything, also accounts)\n"
     "    --area  the role holds in this area only; more than one role or area is given in the console\n"
     "headend user disable|enable LOGIN --config FILE\n"
     "  Signs a user out for good, or takes that back.\n"},
    {"audit",
     "headend audit verify --config FILE\n"
     "  Checks the log of what people did: every record is chained to the one before, and the chain's end is "
     "kept\n"
     "  outside the database (in keys.counters). Exit status 1 when a record was altered or removed.\n"
     "headend audit show [--actor WHO] [--subject WHAT] [--count N] --config FILE\n"
     "  Prints the newest records (50), one JSON object a line.\n"},
    {"read",
     "headend read METER OBIS [--class N] [--attribute N] [--json] --user LOGIN [--console URL]\n"
     "  Reads an attribute of a meter through the mesh, now. The password comes from WATTMESH_PASSWORD or "
     "standard input.\n"
     "headend read --tcp HOST:PORT [--link wrapper|hdlc] --client 16|2|1 [--secret TEXT] [--ek HEX --ak HEX] "
     "[--keys FILE]\n"
     "             [--class N] [--attribute N] OBIS\n"
     "  Reads a meter that stands on TCP, directly: client 16 public, 2 with a password (--secret), 1 "
     "HLS-GMAC, ciphered\n"
     "  (--ek, --ak: 32 hexadecimal digits; better in a file of lines ek=..., ak=..., secret=..., given by "
     "--keys).\n"},
};

}  // namespace

std::string help_of(const std::string& command) {
    const auto text = texts.find(command);
    return text == texts.end() ? std::string{} : text->second;
}

std::string help() {
    return "headend: the head-end of a Wattmesh. headend COMMAND --help tells more.\n"
           "  init          set up a new head-end\n"
           "  migrate       make or update the database\n"
           "  import        register the meters of a shipment\n"
           "  assets        take the list of network and customers\n"
           "  user          add or disable a user of the console\n"
           "  audit         check and show what people did\n"
           "  enrol         print a code that lets a concentrator in\n"
           "  concentrator  revoke a concentrator\n"
           "  ca            certificates of meters\n"
           "  rotate-keys   give meters new keys\n"
           "  restored      make counters jump after the database was put back\n"
           "  serve         run\n"
           "  read          read a meter now\n";
}

}  // namespace wattmesh::headend
