#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "protocol/base/bytes.h"

namespace wattmesh::sim {

/// A partner's end of a webhook: checks signatures (Standard Webhooks 1.0.0), reads CloudEvents 1.0.2 one by
/// one or in lists, and counts what came twice or out of order. Thread safe.
class WebhookSink {
public:
    struct Request {
        std::string id, timestamp, signature, type, body;
    };
    struct Counts {
        std::int64_t requests = 0, messages = 0, duplicates = 0;
        std::int64_t out_of_order = 0;  ///< an older message about a subject came after a newer one
        std::int64_t forged = 0;        ///< requests whose signature does not hold
        std::int64_t senseless = 0;     ///< requests that are no CloudEvents
        std::map<std::string, std::int64_t> by_type;
        /// Messages, none forged and none out of order.
        bool good() const { return out_of_order == 0 && forged == 0 && senseless == 0; }
    };
    /// How it misbehaves: answers 503 to the first `away` requests, and 422 to every request that holds a
    /// message whose type ends in `refuse`.
    struct Moods {
        std::int64_t away = 0;
        std::string refuse;
        bool gone = false;  ///< answers 410
    };
    WebhookSink(Buffer secret, Moods moods) : secret_(std::move(secret)), moods_(std::move(moods)) {}

    /// The status to answer with.
    int take(const Request& request);
    Counts counts() const;

private:
    struct Event {
        std::string id, type, subject, sequence;
    };
    bool read(const std::string& body, std::vector<Event>& out) const;

    const Buffer secret_;
    const Moods moods_;
    mutable std::mutex mutex_;
    Counts counts_;
    std::set<std::string> ids_;
    std::map<std::string, std::string> newest_;  ///< sequence, by subject
};

/// One JSON object.
std::string to_json(const WebhookSink::Counts& counts);

}  // namespace wattmesh::sim
