#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace wattmesh::sim {

/// What a head-end said in IEC 61968-100: an answer, a reply or an event, plain or in a SOAP envelope.
struct CimSaid {
    struct Error {
        std::string code, level, reason, object;
    };
    struct Reading {
        std::string meter, type, at, value;
        std::vector<std::string> qualities;
        friend bool operator==(const Reading&, const Reading&) = default;
    };
    struct Event {
        std::string control, device, code, reply_code, reason;
    };
    std::string root, verb, noun, message_id, correlation, result;
    std::vector<Error> errors;
    std::vector<std::string> ids;
    std::vector<Reading> readings;
    std::vector<Event> events;
    bool has(std::string_view error_code) const;
};

/// Reads a message as it comes, whatever its size. Throws std::runtime_error when it makes no sense: not
/// well-formed, without header or result, a reading without type, instant or value.
class CimListener {
public:
    CimListener();
    ~CimListener();
    CimListener(const CimListener&) = delete;
    CimListener& operator=(const CimListener&) = delete;
    void feed(std::string_view piece);
    CimSaid finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};
CimSaid parse_said(std::string_view document);

}  // namespace wattmesh::sim
