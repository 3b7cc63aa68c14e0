#include "headend/database/asset_import.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "headend/database/audit_log.h"
#include "headend/database/bindings.h"
#include "headend/database/concentrators.h"
#include "headend/database/meters.h"
#include "security/ciphers.h"

namespace wattmesh::headend::database {
namespace {

constexpr std::size_t number_size_max = 32, text_size_max = 200;
constexpr std::int64_t register_max = 999'999'999'999;

LineFile::Form asset_form() {
    static const std::vector<std::string> fields{"kind",     "number",   "name",      "parent",   "area",
                                                 "since",    "latitude", "longitude", "replaces", "final_wh",
                                                 "start_wh", "address",  "phone"};
    return {"assets", 1, fields};
}

std::string quoted(const std::string& text) { return '"' + text + '"'; }

const std::string& need(const FileLine& line, std::string_view field) {
    const auto* text = line.find(field);
    if (text == nullptr || text->find_first_not_of(' ') == std::string::npos)
        throw LineRefused("field " + shown_name(field) + " is blank");
    return *text;
}

/// UTF-8 passes; control characters and surplus blanks do not.
std::string text_of(const FileLine& line, std::string_view field, std::size_t size_max) {
    const auto* found = line.find(field);
    if (found == nullptr) return {};
    const auto bad = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    if (found->size() > size_max || std::any_of(found->begin(), found->end(), bad))
        throw LineRefused("field " + shown_name(field) + " is not printable text of up to " +
                          std::to_string(size_max) + " octets");
    const auto first = found->find_first_not_of(' '), last = found->find_last_not_of(' ');
    return first == std::string::npos ? std::string{} : found->substr(first, last - first + 1);
}

std::int32_t degrees_of(const std::string& text, std::string_view field, int most) {
    double degrees = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), degrees);
    if (error != std::errc{} || end != text.data() + text.size() || !(std::abs(degrees) <= most))
        throw LineRefused("field " + shown_name(field) + " is not a number of degrees from -" +
                          std::to_string(most) + " to " + std::to_string(most));
    return static_cast<std::int32_t>(std::lround(degrees * 1e7));
}

std::optional<Position> position_of(const FileLine& line) {
    const auto *latitude = line.find("latitude"), *longitude = line.find("longitude");
    if (latitude == nullptr && longitude == nullptr) return std::nullopt;
    if (latitude == nullptr || longitude == nullptr)
        throw LineRefused("only one of fields \"latitude\" and \"longitude\" is there");
    return Position{degrees_of(*latitude, "latitude", 90), degrees_of(*longitude, "longitude", 180)};
}

std::optional<std::int64_t> register_of(const FileLine& line, std::string_view field) {
    const auto* text = line.find(field);
    if (text == nullptr) return std::nullopt;
    std::int64_t wh = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), wh);
    if (error != std::errc{} || end != text->data() + text->size() || wh < 0 || wh > register_max)
        throw LineRefused("field " + shown_name(field) + " is not a whole number of Wh from 0 to " +
                          std::to_string(register_max));
    return wh;
}

DeviceNumber device_of(const FileLine& line, std::string_view field) {
    const auto number = DeviceNumber::parse(need(line, field));
    if (!number)
        throw LineRefused("field " + shown_name(field) + " is not a device number (12 decimal digits)");
    return *number;
}

/// One run over one file. What a line did is a list of words; none means unchanged.
class Run {
public:
    Run(Connection& connection, const AssetOptions& options)
        : connection_(connection), options_(options), network_(connection, options.tenant) {}

    void line(const FileLine& line) {
        AssetLineReport report{.line = line.number, .kind = {}, .number = {}, .outcome = {}, .why = {}};
        try {
            if (!line.fault.empty()) throw LineRefused(line.fault);
            report.kind = text_of(line, "kind", number_size_max);
            report.number = text_of(line, "number", number_size_max);
            static_cast<void>(need(line, "kind"));
            static_cast<void>(need(line, "number"));
            done_.clear();
            if (const auto [earlier, first] = seen_.try_emplace({report.kind, report.number}, line.number);
                !first)
                throw LineRefused("line " + std::to_string(earlier->second) + " has this " + report.kind +
                                  " already: remove one of the two");
            take(line, report.kind, report.number);
            report.outcome = done_.empty() ? LineOutcome::unchanged : LineOutcome::accepted;
            report.why = done_;
        } catch (const LineRefused& why) {
            report.outcome = LineOutcome::refused;
            report.why = why.what();
        }
        ++(report.outcome == LineOutcome::accepted    ? report_.accepted
           : report.outcome == LineOutcome::unchanged ? report_.unchanged
                                                      : report_.refused);
        report_.lines.push_back(std::move(report));
    }

    AssetReport& report() { return report_; }

private:
    void take(const FileLine& line, const std::string& kind, const std::string& number) {
        if (const auto node_kind = parse_node_kind(kind)) return node(line, *node_kind, number);
        if (kind == "customer") return customer(line, number);
        if (kind == "meter") return meter(line);
        if (kind == "concentrator") return concentrator(line);
        throw LineRefused(
            "field \"kind\" is none of substation, feeder, transformer, usage_point, customer, meter and "
            "concentrator");
    }

    void did(const std::string& what) { done_ += (done_.empty() ? "" : ", ") + what; }

    void node(const FileLine& line, NodeKind kind, const std::string& number) {
        NetworkNode wanted{.id = {},
                           .area = {},
                           .kind = kind,
                           .number = number,
                           .name = text_of(line, "name", text_size_max)};
        wanted.position = position_of(line);
        if (kind != NodeKind::usage_point) static_cast<void>(need(line, "name"));
        // Everything that can be wrong is looked at before anything is written.
        std::optional<NetworkNode> parent;
        if (kind != NodeKind::substation)
            parent = named_node(line, "parent", static_cast<NodeKind>(static_cast<int>(kind) - 1));
        else if (line.find("parent") != nullptr)
            throw LineRefused("a substation has no parent: leave the field \"parent\" empty");
        const auto known = network_.find(kind, number);
        wanted.area = known ? known->area : area_of(line, parent);
        const auto since = since_of(line);
        Tie tie{known ? known->id.value : 0, parent ? parent->id.value : 0, since};
        const auto old = parent ? check(TieKind::link, tie, known.has_value()) : std::nullopt;
        if (!known) {
            tie.child = network_.add(wanted).value;
            did("new");
        } else {
            wanted.id = known->id;
            if (!wanted.position) wanted.position = known->position;
            change(*known, wanted);
        }
        if (parent)
            fasten(TieKind::link, tie, old, wanted.area, kind, to_string(kind), number, parent->number);
    }

    void change(const NetworkNode& known, const NetworkNode& wanted) {
        if (known.name == wanted.name && known.position == wanted.position) return;
        network_.change(known.id, wanted.name, wanted.position);
        const auto image = [](const NetworkNode& node) {
            return node.name + (node.position ? " at " + to_string(*node.position) : std::string{});
        };
        audit(std::string{to_string(known.kind)} + " change", known.number, image(known), image(wanted));
        did("changed");
    }

    void customer(const FileLine& line, const std::string& number) {
        Customer wanted{{},
                        {},
                        number,
                        text_of(line, "name", text_size_max),
                        text_of(line, "address", text_size_max),
                        text_of(line, "phone", number_size_max)};
        static_cast<void>(need(line, "name"));
        std::optional<NetworkNode> point;
        if (line.find("parent") != nullptr) point = named_node(line, "parent", NodeKind::usage_point);
        const auto known = network_.customer(number);
        wanted.area = known ? known->area : area_of(line, point);
        Tie tie{point ? point->id.value : 0, known ? known->id.value : 0, since_of(line)};
        const auto old = point ? check(TieKind::supply, tie, true) : std::nullopt;
        if (!known) {
            tie.parent = network_.add(wanted).value;
            did("new");
        } else if (known->name != wanted.name || known->address != wanted.address ||
                   known->phone != wanted.phone) {
            wanted.id = known->id;
            network_.change(wanted);
            // Personal data stay in their table: the log says that they changed, not what they were.
            audit("customer change", number, std::nullopt, std::nullopt);
            did("changed");
        }
        if (point)
            fasten(TieKind::supply, tie, old, wanted.area, NodeKind::usage_point, "usage_point",
                   point->number, number);
    }

    void meter(const FileLine& line) {
        const auto number = device_of(line, "number");
        const auto found = Meters{connection_}.find(number);
        if (!found || found->tenant != options_.tenant)
            throw LineRefused("there is no meter " + to_string(number) +
                              ": import its shipment first (headend import)");
        const auto kind =
            found->role == dcu::MeterRole::summary ? NodeKind::transformer : NodeKind::usage_point;
        const auto place = named_node(line, "parent", kind);
        const auto final_wh = register_of(line, "final_wh"), start_wh = register_of(line, "start_wh");
        const Tie tie{found->id.value, place.id.value, since_of(line)};
        const auto elsewhere = network_.of_child(TieKind::installation, tie.child);
        if (elsewhere && elsewhere->parent != tie.parent)
            throw LineRefused("it is installed at " + node_word(NodeId{elsewhere->parent}) +
                              ": put another meter there first, with this one in field \"replaces\"");
        const auto replaced = occupant(line, TieKind::installation, tie, "meter");
        if (elsewhere) return;  // it is where it should be
        check(TieKind::installation, tie, true);
        if (replaced) {
            network_.end(TieKind::installation, *replaced, tie.from);
            if (final_wh) network_.note_register(MeterId{replaced->child}, tie.from, *final_wh, place.area);
            audit("meter exchange", place.number, text_of(line, "replaces", number_size_max),
                  to_string(number));
        }
        network_.tie(TieKind::installation, tie, place.area, kind);
        if (start_wh) network_.note_register(found->id, tie.from, *start_wh, place.area);
        did(replaced ? "exchanged" : "installed");
    }

    void concentrator(const FileLine& line) {
        const auto number = device_of(line, "number");
        const auto found = Concentrators{connection_}.find(number);
        if (!found || found->tenant != options_.tenant)
            throw LineRefused("there is no concentrator " + to_string(number) +
                              ": register it first (headend enrol)");
        const auto place = named_node(line, "parent", NodeKind::transformer);
        const Tie tie{found->id.value, place.id.value, since_of(line)};
        const auto replaced = occupant(line, TieKind::site, tie, "concentrator");
        const auto old = check(TieKind::site, tie, true);
        if (replaced) {
            network_.end(TieKind::site, *replaced, tie.from);
            audit("concentrator exchange", place.number, text_of(line, "replaces", number_size_max),
                  to_string(number));
        }
        fasten(TieKind::site, tie, old, place.area, {}, "concentrator", to_string(number), place.number);
    }

    /// What stands where only one may, when the line says that it is replaced.
    std::optional<Tie> occupant(const FileLine& line, TieKind kind, const Tie& tie, const std::string& word) {
        const auto there = network_.of_parent(kind, tie.parent);
        const auto* replaces = line.find("replaces");
        if (there && there->child == tie.child) return std::nullopt;  // the file is run again
        if (!there) {
            if (replaces != nullptr)
                throw LineRefused("there is no " + word + " at " + node_word(NodeId{tie.parent}) +
                                  " that could be replaced: leave the field \"replaces\" empty");
            return std::nullopt;
        }
        const auto holder = device_number_of(kind, there->child);
        if (replaces == nullptr)
            throw LineRefused("the number changed: " + node_word(NodeId{tie.parent}) + " has " + word + " " +
                              to_string(holder) + ". Put that into field \"replaces\" if it was exchanged");
        if (*replaces != to_string(holder))
            throw LineRefused("field \"replaces\" says " + quoted(*replaces) + ", but " +
                              node_word(NodeId{tie.parent}) + " has " + word + " " + to_string(holder));
        if (tie.from <= there->from)
            throw LineRefused("field \"since\" is not after the day on which " + word + " " +
                              to_string(holder) + " was put in");
        return there;
    }

    /// The tie that the new one ends, if any. Refuses one that would overlap with an older one.
    std::optional<Tie> check(TieKind kind, const Tie& tie, bool child_known) {
        if (!child_known) return std::nullopt;
        const auto now = network_.of_child(kind, tie.child);
        if (now && now->parent == tie.parent && tie.parent != 0) return now;
        if ((now && tie.from <= now->from) || tie.from < network_.free_from(kind, tie))
            throw LineRefused(
                "field \"since\" lies in a time for which something else is known already: say when the "
                "change happened");
        return now;
    }

    /// Ends the old tie and makes the new one; nothing when it holds already.
    void fasten(TieKind kind, const Tie& tie, const std::optional<Tie>& old, AreaId area, NodeKind node,
                std::string_view word, const std::string& number, const std::string& parent) {
        if (old && old->parent == tie.parent) return;
        if (old) {
            network_.end(kind, *old, tie.from);
            audit(std::string{word} + " move", number, end_word(kind, old->parent), parent);
        }
        if (kind == TieKind::supply)
            did("supplied at " + number);
        else if (old || done_ != "new")
            did((old ? "moved to " : "placed at ") + parent);
        network_.tie(kind, tie, area, node);
    }

    NetworkNode named_node(const FileLine& line, std::string_view field, NodeKind kind) {
        const auto number = text_of(line, field, number_size_max);
        static_cast<void>(need(line, field));
        auto found = network_.find(kind, number);
        if (!found)
            throw LineRefused("there is no " + std::string{to_string(kind)} + " " + quoted(number) +
                              ", neither here nor on an earlier line (field " + shown_name(field) + ")");
        return std::move(*found);
    }

    AreaId area_of(const FileLine& line, const std::optional<NetworkNode>& parent) {
        if (line.find("area") == nullptr) {
            if (parent) return parent->area;
            if (const auto only = network_.only_area()) return *only;
            throw LineRefused("field \"area\" is blank, and there are several");
        }
        const auto name = text_of(line, "area", text_size_max);
        const auto found = network_.area(name);
        if (!found) throw LineRefused("there is no area " + quoted(name) + " (field \"area\")");
        return *found;
    }

    Instant since_of(const FileLine& line) {
        const auto* text = line.find("since");
        if (text == nullptr) return options_.since;
        auto known = times_.find(*text);
        if (known == times_.end()) {
            const auto at = network_.local_instant(*text);
            if (!at) throw LineRefused("field \"since\" is neither YYYY-MM-DD nor YYYY-MM-DDTHH:MM");
            known = times_.emplace(*text, *at).first;
        }
        if (known->second > options_.now) throw LineRefused("field \"since\" lies in the future");
        return known->second;
    }

    DeviceNumber device_number_of(TieKind kind, std::int64_t id) {
        return connection_.run("naming a device", [&](soci::session& sql) {
            DeviceNumber number;
            sql << (kind == TieKind::site ? "select number from concentrator where id = :id"
                                          : "select number from meter where id = :id"),
                use(id), soci::into(number);
            return number;
        });
    }
    std::string node_word(NodeId id) {
        const auto node = network_.find(id);
        return node ? std::string{to_string(node->kind)} + " " + node->number : "a place in another area";
    }
    std::string end_word(TieKind kind, std::int64_t parent) {
        if (kind != TieKind::supply) return node_word(NodeId{parent});
        const auto customer = network_.customer(CustomerId{parent});
        return customer ? customer->number : "a customer in another area";
    }

    void audit(const std::string& action, const std::string& subject, std::optional<std::string> before,
               std::optional<std::string> after) {
        AuditRecord record{options_.now, options_.actor, action, subject};
        record.detail = "by file " + options_.file;
        record.before = std::move(before);
        record.after = std::move(after);
        record.reason = options_.reason;
        record.tenant = options_.tenant;
        AuditLog{connection_}.append(record);
    }

    Connection& connection_;
    const AssetOptions& options_;
    Network network_;
    std::map<std::pair<std::string, std::string>, int> seen_;
    std::map<std::string, Instant> times_;
    std::string done_;
    AssetReport report_;
};

}  // namespace

AssetReport AssetImport::run(std::string_view text, const AssetOptions& options) {
    LineFile file{text, asset_form()};
    Transaction transaction{connection_};
    Run run{connection_, options};
    while (const auto line = file.next()) run.line(*line);
    auto& report = run.report();
    report.sha256 = to_hex(security::sha256(as_bytes(text)));
    if (options.dry_run) return std::move(report);
    AuditRecord record{options.now, options.actor, "assets import", options.file};
    record.detail = "sha256 " + report.sha256 + ": " + std::to_string(report.accepted) + " lines accepted, " +
                    std::to_string(report.unchanged) + " unchanged, " + std::to_string(report.refused) +
                    " refused";
    record.reason = options.reason;
    record.tenant = options.tenant;
    AuditLog{connection_}.append(record);
    transaction.commit();
    return std::move(report);
}

}  // namespace wattmesh::headend::database
