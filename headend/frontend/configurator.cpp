#include "headend/frontend/configurator.h"

#include <utility>

#include "protocol/dcu/objects.h"
#include "protocol/dlms/date_time.h"
#include "security/ciphers.h"

namespace wattmesh::headend::frontend {
namespace {

constexpr std::uint16_t class_data = 1, class_clock = 8;
constexpr dlms::AttributeId clock_time{class_clock, obis::clock, 2};
constexpr dlms::AttributeId certificate{class_data, dcu::objects::certificate_request, 2};

dlms::AttributeId value_of(const ObisCode& object) { return {class_data, object, 2}; }

/// The wanted object as it goes over the wire; nothing when what the database holds is not one.
std::optional<dlms::Data> with_version(const WantedObject& wanted) {
    auto content = dlms::decode_data(Bytes{wanted.content});
    if (!content) return std::nullopt;
    auto* structure = std::get_if<dlms::Structure>(&content->value);
    if (structure == nullptr || structure->elements.empty()) return std::nullopt;
    structure->elements.front() = wanted.version;
    return *std::move(content);
}

/// What a GET of it shows. Keys do not come back, only the hash of what was written.
dlms::Data as_read(const ObisCode& object, const dlms::Data& written, std::uint32_t version) {
    if (object != dcu::objects::wrapped_keys) return written;
    return dlms::structure({version, dlms::octet_string(security::sha256(dlms::encode_data(written)))});
}

const dlms::Data* data_in(const std::optional<dlms::ReadOutcome>& outcome) {
    return outcome ? std::get_if<dlms::Data>(&*outcome) : nullptr;
}

bool is_write_only(const ObisCode& object) { return object == dcu::objects::backfill; }

}  // namespace

Configurator::Configurator(DeviceNumber concentrator, Association& association, DesiredState& desired,
                           Renewals& renewals, const ConfiguratorSettings& settings, const Instant& now,
                           std::optional<Instant> renew_at)
    : concentrator_(concentrator),
      association_(association),
      desired_(desired),
      renewals_(renewals),
      settings_(settings),
      now_(now),
      renew_at_(renew_at),
      busy_since_(now),
      clock_at_(now),
      check_at_(now) {}

void Configurator::tick() {
    if (busy_ && now_ - busy_since_ >= settings_.answer_timeout) {
        ++counters_.unavailable;  // a port never answered; the link's own silence is the session's business
        guard_.cancel();
        failed_ = true;
        finish();
    }
    if (busy_) return;
    busy_since_ = now_;
    if (now_ >= clock_at_) {
        set_clock();
    } else if (now_ >= check_at_) {
        ask_wanted();
    } else if (renew_at_ && now_ >= *renew_at_) {
        read_request();
    }
}

void Configurator::finish() {
    busy_ = false;
    wanted_.clear();
}

void Configurator::set_clock() {
    busy_ = true;
    clock_at_ = now_ + settings_.clock_every;
    association_.set(clock_time, dlms::date_time_octets({.at = now_}),
                     guard_.expect([this](std::optional<dlms::AccessResult> result) {
                         if (result == dlms::AccessResult::success) return read_clock();
                         ++counters_.refused;
                         clock_at_ = now_ + settings_.check_every;
                         finish();
                     }));
}

void Configurator::read_clock() {
    association_.get(clock_time, {}, guard_.expect([this](const std::optional<dlms::ReadOutcome>& outcome) {
        const auto* data = data_in(outcome);
        const auto held = data != nullptr ? dlms::date_time(*data) : std::nullopt;
        if (held && std::chrono::abs(held->at - now_) <= settings_.clock_error_max) {
            ++counters_.clock_set;
        } else {
            ++counters_.clock_wrong;
            clock_at_ = now_ + settings_.check_every;
        }
        finish();
    }));
}

void Configurator::ask_wanted() {
    busy_ = true;
    failed_ = false;
    check_at_ = now_ + settings_.check_every;
    desired_.wanted(concentrator_, now_,
                    guard_.expect([this](std::optional<std::vector<WantedObject>> wanted) {
                        on_wanted(std::move(wanted));
                    }));
}

void Configurator::on_wanted(std::optional<std::vector<WantedObject>> wanted) {
    if (!wanted) {
        ++counters_.unavailable;
        return finish();
    }
    wanted_ = *std::move(wanted);
    std::erase_if(wanted_, [this](const WantedObject& object) {
        if (is_write_only(object.object)) return object.confirmed;
        const auto verified = verified_.find(object.object);
        return verified != verified_.end() && verified->second == object.version;
    });
    next_object();
}

void Configurator::next_object() {
    busy_since_ = now_;
    if (wanted_.empty()) {
        settled_ = !failed_;
        return finish();
    }
    if (is_write_only(wanted_.front().object)) return write();
    read_back(false);
}

void Configurator::read_back(bool after_write) {
    association_.get(value_of(wanted_.front().object), {},
                     guard_.expect([this, after_write](const std::optional<dlms::ReadOutcome>& outcome) {
                         if (const auto* held = data_in(outcome)) return compare(*held, after_write);
                         if (after_write) return object_failed();
                         write();  // never written before: there is nothing to read
                     }));
}

void Configurator::compare(const dlms::Data& held, bool after_write) {
    const WantedObject& object = wanted_.front();
    const auto wanted = with_version(object);
    if (!wanted) return object_failed();
    if (held == as_read(object.object, *wanted, object.version)) return confirm_and_go_on();
    if (after_write) {
        ++counters_.mismatched;
        return object_failed();
    }
    const auto* elements = held.elements();
    const auto version =
        elements != nullptr && !elements->empty() ? elements->front().integer() : std::nullopt;
    if (version && *version >= object.version && *version <= 0xFFFF'FFFF) {
        // Somebody else's truth under our version, or a later one: our database went back in time. Ours must
        // become newer.
        ++counters_.overtaken;
        desired_.overtaken(concentrator_, object.object, static_cast<std::uint32_t>(*version), now_);
        return object_failed();
    }
    write();
}

void Configurator::write() {
    auto wanted = with_version(wanted_.front());
    if (!wanted) return object_failed();
    ++counters_.written;
    association_.set(value_of(wanted_.front().object), *std::move(wanted),
                     guard_.expect([this](std::optional<dlms::AccessResult> result) {
                         if (result != dlms::AccessResult::success) {
                             ++counters_.refused;
                             return object_failed();
                         }
                         if (is_write_only(wanted_.front().object)) return confirm_and_go_on();
                         read_back(true);
                     }));
}

void Configurator::confirm_and_go_on() {
    const WantedObject object = std::move(wanted_.front());
    wanted_.erase(wanted_.begin());
    if (!is_write_only(object.object)) verified_[object.object] = object.version;
    if (!object.confirmed) {
        ++counters_.confirmed;
        desired_.confirm(concentrator_, object.object, object.version, now_);
    }
    next_object();
}

void Configurator::object_failed() {
    failed_ = true;
    wanted_.erase(wanted_.begin());
    next_object();
}

void Configurator::read_request() {
    busy_ = true;
    association_.get(certificate, {}, guard_.expect([this](const std::optional<dlms::ReadOutcome>& outcome) {
        const auto* request = data_in(outcome);
        if (request == nullptr || request->octets().empty()) return renewal_failed();
        renewals_.renew(concentrator_, to_buffer(request->octets()), now_,
                        guard_.expect([this](std::optional<Buffer> signed_certificate) {
                            write_certificate(std::move(signed_certificate));
                        }));
    }));
}

void Configurator::write_certificate(std::optional<Buffer> signed_certificate) {
    if (!signed_certificate) return renewal_failed();
    association_.set(certificate, dlms::octet_string(*signed_certificate),
                     guard_.expect([this](std::optional<dlms::AccessResult> result) {
                         if (result != dlms::AccessResult::success) return renewal_failed();
                         ++counters_.renewed;
                         renew_at_.reset();  // the next log-in shows the new one
                         finish();
                     }));
}

void Configurator::renewal_failed() {
    ++counters_.renewals_failed;
    renew_at_ = now_ + settings_.renewal_retry;
    finish();
}

}  // namespace wattmesh::headend::frontend
