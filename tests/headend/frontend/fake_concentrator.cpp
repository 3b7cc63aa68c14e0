#include "tests/headend/frontend/fake_concentrator.h"

#include "protocol/dlms/date_time.h"

namespace wattmesh::headend::frontend {
namespace {

std::vector<dlms::ClientAccess> plain_clients() {
    dlms::ClientAccess configuration, replication;
    configuration.client = dcu::configuration_client;
    replication.client = dcu::replication_client;
    return {configuration, replication};
}

}  // namespace

FakeConcentrator::FakeConcentrator(const std::string& digits)
    : number(digits),
      server_(system_title(*DeviceNumber::parse(digits)), plain_clients(), *this, ciphers_, random_) {}

dlms::Data FakeConcentrator::interval_entry(std::uint64_t sequence, const std::string& meter, Instant first,
                                            int count, std::uint32_t value) {
    std::vector<dlms::Data> rows;
    for (int i = 0; i < count; ++i) {
        dlms::Data at = i == 0 ? dlms::date_time_octets({.at = first}) : dlms::Data{};
        rows.push_back(dlms::structure({at, std::uint8_t{0}, value, 0U, value / 4, 0U}));
    }
    const dcu::ProfileRows profile{obis::load_profile, dlms::array(std::move(rows))};
    return dcu::to_data(dcu::Entry{.sequence = Sequence{sequence},
                                   .meter = *DeviceNumber::parse(meter),
                                   .kind = dcu::EntryKind::interval_rows,
                                   .time = first,
                                   .clock_doubtful = false,
                                   .payload = dcu::encode(profile)});
}

dlms::Data FakeConcentrator::directory() const {
    std::vector<dlms::Data> lines;
    std::uint8_t slot = 0;
    for (const Journal& journal : journals) {
        const std::uint64_t last = journal.last_claimed != 0 ? journal.last_claimed : journal.rows.size();
        lines.push_back(dcu::to_data(dcu::JournalInfo{.id = journal.id,
                                                      .profile = dcu::objects::journal(slot++),
                                                      .first = Sequence{journal.rows.empty() ? 0U : 1U},
                                                      .last = Sequence{last},
                                                      .acknowledged = journal.acknowledged}));
    }
    return dlms::array(std::move(lines));
}

Buffer FakeConcentrator::login() {
    return link::encode_wrapper(
        {Sap{1}, Sap{1}, link::encode_hello({link::Hello::Kind::login, 2, number, std::uint8_t{0}, true})});
}
Buffer FakeConcentrator::heartbeat() {
    return link::encode_wrapper(
        {Sap{1}, Sap{1}, link::encode_hello({link::Hello::Kind::heartbeat, 1, number, {}, true})});
}
Buffer FakeConcentrator::notification() {
    return link::encode_wrapper(
        {Sap{1}, dcu::replication_client, dlms::encode_data_notification(1, directory())});
}

void FakeConcentrator::send(Sap from, Sap to, Buffer payload) {
    output_.push_back(link::encode_wrapper({from, to, std::move(payload)}));
}

void FakeConcentrator::tunnel(const link::TunnelMessage& message) {
    send(Sap{1}, link::tunnel_client, link::encode_tunnel(message));
}

std::optional<Buffer> FakeConcentrator::take() {
    if (output_.empty()) return std::nullopt;
    Buffer pdu = std::move(output_.front());
    output_.pop_front();
    return pdu;
}

void FakeConcentrator::receive(Bytes bytes, Instant now) {
    decoder_.feed(bytes);
    while (const auto frame = decoder_.next()) {
        if (link::is_hello(frame->payload)) {
            const auto hello = link::decode_hello(frame->payload);
            if (!hello) throw std::logic_error("the front-end sent a malformed hello");
            ++(hello->kind == link::Hello::Kind::login_ack ? hello_acks : beat_acks);
        } else if (frame->source == link::tunnel_client) {
            tunnelled.push_back(link::decode_tunnel(frame->payload).value());
        } else if (silent) {
            continue;
        } else if (link::is_gateway(frame->payload)) {
            auto gateway = link::decode_gateway(frame->payload);
            if (!gateway) throw std::logic_error("the front-end sent a malformed gateway prefix");
            relayed.push_back(*gateway);
            relayed_clients.push_back(frame->source);
            const DeviceNumber meter{{gateway->address[0], gateway->address[1], gateway->address[2],
                                      gateway->address[3], gateway->address[4], gateway->address[5]}};
            const auto answer = meter_answers.find(meter);
            if (answer == meter_answers.end()) continue;
            send(Sap{1}, frame->source, link::encode_gateway({true, 0, gateway->address, answer->second}));
        } else {
            server_.handle(frame->source, frame->payload, now,
                           [this, to = frame->source](Buffer apdu) { send(Sap{1}, to, std::move(apdu)); });
        }
    }
}

void FakeConcentrator::get(const dlms::AttributeId& id, const dlms::Selection& selection, Sap, Instant,
                           std::function<void(dlms::ReadOutcome)> done) {
    if (id.object == dcu::objects::journal_directory) return done(directory());
    if (id.object == obis::clock) return done(dlms::date_time_octets({.at = clock}));
    if (id.object == dcu::objects::certificate_request) return done(dlms::octet_string(request));
    for (std::uint8_t slot = 0; slot < journals.size(); ++slot) {
        if (id.object != dcu::objects::journal(slot)) continue;
        ++reads_of_journal;
        const auto& range = std::get<dlms::RangeSelection>(selection);
        const auto from = static_cast<std::size_t>(range.from.integer().value());
        const auto to = static_cast<std::size_t>(range.to.integer().value());
        std::vector<dlms::Data> rows;
        for (std::size_t i = from; i <= to && i <= journals[slot].rows.size(); ++i)
            rows.push_back(journals[slot].rows[i - 1]);
        return done(dlms::array(std::move(rows)));
    }
    const auto object = objects.find(id.object);
    if (object == objects.end()) return done(dlms::AccessResult::object_undefined);
    done(object->second);
}

void FakeConcentrator::set(const dlms::AttributeId& id, const dlms::Data& value, Sap, Instant,
                           std::function<void(dlms::AccessResult)> done) {
    writes.emplace_back(id.object, value);
    if (refuses.contains(id.object)) return done(dlms::AccessResult::read_write_denied);
    if (id.object == dcu::objects::journal_acknowledge) {
        const auto acknowledgement = dcu::acknowledgement_from_data(value);
        if (!acknowledgement) return done(dlms::AccessResult::type_unmatched);
        for (Journal& journal : journals) {
            if (journal.id == acknowledgement->id) journal.acknowledged = acknowledgement->sequence;
        }
        return done(dlms::AccessResult::success);
    }
    if (id.object == obis::clock) {
        if (!clock_stands) clock = dlms::date_time(value).value().at;
        return done(dlms::AccessResult::success);
    }
    if (id.object == dcu::objects::wrapped_keys) {
        objects[id.object] = dlms::structure(
            {value.elements()->front(), dlms::octet_string(security::sha256(dlms::encode_data(value)))});
        return done(dlms::AccessResult::success);
    }
    objects[id.object] = value;
    done(dlms::AccessResult::success);
}

void FakeConcentrator::act(const dlms::MethodId&, const std::optional<dlms::Data>&, Sap, Instant,
                           std::function<void(dlms::ActionOutcome)> done) {
    done({dlms::AccessResult::object_undefined, {}});
}

}  // namespace wattmesh::headend::frontend
