#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/contracts.h"
#include "headend/database/jobs.h"
#include "protocol/base/bytes.h"

namespace wattmesh::headend::database {

using CimMessageId = Id<struct CimMessageTag, std::int64_t>;

/// A message of a partner's.
struct CimRequest {
    CimMessageId id;
    ContractId contract;
    std::string message_id, correlation, client;
    Buffer digest;     ///< SHA-256 of the request
    std::string body;  ///< the request
    Instant received{};
    std::optional<std::string> reply_to{};  ///< none: the answer says everything
    std::string place{};                    ///< how far the reply was written; the writer's own words
};

/// What a message wants of one device, and what became of it.
struct CimLine {
    std::string name;     ///< the partner's, of the control
    std::string device;   ///< as the partner wrote it
    std::string command;  ///< "disconnect" ...
    std::optional<JobId> job{};
    int place = 0;       ///< in the job
    std::string code;    ///< without a job: a reply code of IEC 61968-9
    std::string reason;  ///< without a job: words to the code; else the partner's
    /// Of the job's item, when it is read.
    ItemState state = ItemState::waiting;
    std::string detail{};
    std::optional<Instant> finished{};
};

/// A piece of a reply on its way.
struct CimReply {
    CimMessageId message;
    int piece = 0;
    std::string contract, message_id;  ///< names, for the log: the address may hold a secret
    std::string url, body;
    int attempts = 0;
    std::optional<Instant> failing_since{};
};

/// Tables cim_message, cim_line and cim_reply.
class CimMessages {
public:
    explicit CimMessages(Connection& connection) : connection_(connection) {}

    /// Takes the message's id for the caller's transaction, which stores the answer; nothing when the
    /// contract used it before. Waits for another transaction that is about to take it.
    std::optional<CimMessageId> take(const CimRequest& request);
    void answer(CimMessageId message, const std::string& answer);
    struct Answered {
        Buffer digest;
        std::string answer;
    };
    std::optional<Answered> find(ContractId contract, const std::string& message_id);
    void add(CimMessageId message, const std::vector<CimLine>& lines);
    /// By line, with what became of each.
    std::vector<CimLine> lines(CimMessageId message);
    /// Cancels the disconnections that the contract ordered for these devices, by whatever interface, and
    /// nobody has begun; the devices of those.
    std::vector<std::string> withdraw(ContractId contract, const std::vector<std::string>& devices,
                                      Instant now);

    /// Messages whose reply can be written on: no job is open and no piece waits. In the caller's hand until
    /// `until`.
    std::vector<CimRequest> due(Instant now, Instant until, int count_max);
    /// The reply's next piece, to be sent at `now`. An empty body: there is none, the reply just ends.
    void write(CimMessageId message, const std::string& message_id, const std::string& body,
               const std::string& place, bool last, Instant now);
    /// In the caller's hand until `until`.
    std::vector<CimReply> waiting(Instant now, Instant until, int count_max);
    /// Whether the contract of the message, which is in force, still lists the address.
    bool still_allowed(CimMessageId message, const std::string& url);
    /// `next` for what is to be tried again.
    void sent(const CimReply& reply, bool delivered, std::optional<Instant> next, int status,
              const std::string& error);
    /// Forgets messages that came before and whose replies are over; how many.
    int drop(Instant before);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
