#pragma once
#include <functional>
#include <string>

#include "headend/jobs/job_runner.h"
#include "protocol/base/obis.h"
#include "protocol/dlms/object.h"

namespace wattmesh::headend::jobs {

/// What "read" jobs read: an attribute of each meter.
struct ReadOrder {
    dlms::AttributeId attribute;
    std::string to_json() const;
    /// Throws std::runtime_error when the text is not an order of ours.
    static ReadOrder from_json(const std::string& text);
};

/// Reads an attribute of many meters on demand, a few at once; who could not be reached is asked again with
/// growing pauses.
class ReadJob : public JobKind {
public:
    struct Answer {
        std::string fault;  ///< stable word; empty: read
        std::string text;   ///< the value for people
    };
    /// Reads, and stores register values. `done` comes once, on the loop.
    using Read = std::function<void(DeviceNumber, const dlms::AttributeId&, std::function<void(Answer)>)>;

    ReadJob(Read read, std::function<Instant()> now) : read_(std::move(read)), now_(std::move(now)) {}
    std::string name() const override { return "read"; }
    int at_once() const override { return 8; }
    void work(const database::Job& job, const database::JobItem& item, Done done) override;

private:
    Read read_;
    std::function<Instant()> now_;
};

}  // namespace wattmesh::headend::jobs
