#pragma once
#include "headend/database/parameters.h"
#include "headend/jobs/job_runner.h"
#include "headend/monitor/parameter_desk.h"

namespace wattmesh::headend::monitor {

/// One version of a template as somebody ordered or approved it.
struct TemplateMark {
    database::ParameterTemplateId id{};
    int version = 0;
    std::string digest;  ///< SHA-256 of its content, hexadecimal
    bool operator==(const TemplateMark&) const = default;
};
TemplateMark mark_of(const database::ParameterTemplate& made);

/// What "parameters" and "limits" jobs do.
struct ParameterOrder {
    bool apply = false;  ///< else the meters are only compared
    ParameterKind kind{};
    std::optional<TemplateMark> mark{};  ///< nothing else is written; limits are not written without one
    std::string to_json() const;
    /// Throws std::runtime_error when the text is not an order of ours.
    static ParameterOrder from_json(const std::string& text);
};

/// Reads what a meter holds, compares it with what is desired of it, writes what differs, reads again and
/// compares again. Doing an item twice is harmless: a meter that holds what it should is told nothing. An
/// item that a dead process began, of an order that was cancelled since, is only compared.
class ParameterJob : public jobs::JobKind {
public:
    using Text = std::function<std::string(const dlms::Data&)>;  ///< a value for people
    struct Ports {
        database::QueryQueue& queue;
        ParameterDesk& desk;
        std::function<void()> pump;
        std::function<Instant()> now;
        Text text;
    };
    explicit ParameterJob(Ports ports) : ports_(std::move(ports)) {}
    std::string name() const override { return "parameters"; }
    int at_once() const override { return 4; }
    void work(const database::Job& job, const database::JobItem& item, Done done) override;

protected:
    /// One item.
    struct Turn {
        database::Job job;
        database::JobItem item;
        Done done;
        DeviceNumber meter;
        ParameterOrder order;
        database::ParameterTask task{};
        std::vector<ParameterMember> wanted{};
        std::vector<dlms::Data> before{};
        std::string trouble{};
        bool sent = false;  ///< by us, or perhaps by whom we took the item up from
    };
    using Permitted = std::function<void(int disconnects)>;

    /// Whether this kind of job may write what the order is about.
    virtual bool writes(ParameterKind kind) const { return kind != ParameterKind::limits; }
    /// Before anything is written; `go` with the grants that it needs, or the item has ended.
    virtual void permit(const std::shared_ptr<Turn>& turn, std::size_t steps, const Permitted& go);
    void again(const std::shared_ptr<Turn>& turn, const std::string& fault);
    /// The item has failed; the audit log hears of it.
    void refuse(const std::shared_ptr<Turn>& turn, const std::string& why) const;

    Ports ports_;

private:
    void begin(const std::shared_ptr<Turn>& turn);
    void compare(const std::shared_ptr<Turn>& turn);
    void write(const std::shared_ptr<Turn>& turn, std::vector<MeterErrand::Step> steps, int disconnects);
    void verify(const std::shared_ptr<Turn>& turn);
    void conclude(const std::shared_ptr<Turn>& turn, const std::vector<dlms::Data>* actual);
    std::string members_json(const Turn& turn, const std::vector<dlms::Data>& actual) const;
    database::AuditRecord record(const Turn& turn, const std::string& detail) const;
    std::string texts(const Turn& turn, const std::vector<dlms::Data>& values) const;
};

}  // namespace wattmesh::headend::monitor
