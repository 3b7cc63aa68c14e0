#include "terminal-sim/tool/cim_said.h"

#include <algorithm>
#include <stdexcept>

#include "platform/xml_reader.h"

namespace wattmesh::sim {
namespace {

using platform::XmlAttribute;
constexpr std::string_view message_names = "http://iec.ch/TC57/2011/schema/message";
constexpr std::string_view profile_names = "http://iec.ch/TC57/2011/";
constexpr platform::XmlLimits said_limits{.octets = std::size_t{1} << 40,
                                          .depth = 20,
                                          .elements = std::size_t{1} << 40,
                                          .attributes = 8,
                                          .text = 64 * 1024,
                                          .name = 256};

class Said final : public platform::XmlHandler {
public:
    void start(std::string_view space, std::string_view name,
               const std::vector<XmlAttribute>& attributes) override {
        text_.clear();
        const auto within = path_.empty() ? std::string{} : path_.back();
        path_.emplace_back(name);
        if (name.ends_with("Message") && space == message_names) said.root = name;
        const bool ours = space == message_names || space.starts_with(profile_names) ||
                          space.find("soap") != std::string_view::npos;
        if (!ours) throw std::runtime_error("'" + path_.back() + "' is of a strange namespace");
        const auto ref = [&] {
            for (const auto& one : attributes)
                if (one.name == "ref") return one.value;
            return std::string{};
        };
        if (name == "Error") said.errors.emplace_back();
        if (name == "EndDeviceEvent") said.events.emplace_back();
        if (name == "Readings" || name == "IntervalReadings") reading_ = {meter_, type_, {}, {}, {}};
        if (name == "ReadingType") (within == "Readings" ? reading_.type : type_) = ref();
        if (name == "ReadingQualityType") reading_.qualities.push_back(ref());
        if (name == "EndDeviceEventType") said.events.back().code = ref();
    }
    void text(std::string_view text) override { text_ += text; }
    void end() override {
        const auto name = std::move(path_.back());
        path_.pop_back();
        if (inside("Header"))
            header(name);
        else if (inside("Error") || inside("object"))
            error(name);
        else if (!said.events.empty())
            event(name);
        else
            reading(name);
        if (name == "Result") said.result = text_;
        if (name == "ID") said.ids.push_back(text_);
        if (name == "faultstring" || name == "Text") said.errors.push_back({"", "FATAL", text_, ""});
        text_.clear();
    }
    CimSaid said;

private:
    bool inside(std::string_view name) const { return !path_.empty() && path_.back() == name; }
    void header(const std::string& name) {
        if (name == "Verb") said.verb = text_;
        if (name == "Noun") said.noun = text_;
        if (name == "MessageID") said.message_id = text_;
        if (name == "CorrelationID") said.correlation = text_;
    }
    void error(const std::string& name) {
        auto& error = said.errors.back();
        if (name == "code") error.code = text_;
        if (name == "level") error.level = text_;
        if (name == "reason") error.reason = text_;
        if (name == "mRID") error.object = text_;
    }
    void event(const std::string& name) {
        auto& event = said.events.back();
        if (name == "issuerTrackingID") event.control = text_;
        if (name == "reason") event.reason = text_;
        if (name == "name") (inside("Names") ? event.device : detail_) = text_;
        if (name == "value" && detail_ == "replyCode") event.reply_code = text_;
    }
    void reading(const std::string& name) {
        if (name == "name" && inside("Names")) meter_ = text_;
        if (name == "timeStamp") reading_.at = text_;
        if (name == "value") reading_.value = text_;
        if (name != "Readings" && name != "IntervalReadings") return;
        if (reading_.meter.empty() || reading_.type.empty() || reading_.at.empty() || reading_.value.empty())
            throw std::runtime_error("a reading of '" + reading_.meter + "' has no type, instant or value");
        said.readings.push_back(std::move(reading_));
    }

    std::vector<std::string> path_;
    std::string text_, meter_, type_, detail_;
    CimSaid::Reading reading_;
};

}  // namespace

bool CimSaid::has(std::string_view error_code) const {
    return std::any_of(errors.begin(), errors.end(),
                       [&](const Error& one) { return one.code == error_code; });
}

struct CimListener::State {
    Said said;
    platform::XmlReader reader{said, said_limits};
};

CimListener::CimListener() : state_(std::make_unique<State>()) {}
CimListener::~CimListener() = default;
void CimListener::feed(std::string_view piece) { state_->reader.feed(piece); }

CimSaid CimListener::finish() {
    state_->reader.finish();
    const auto& said = state_->said.said;
    const bool answer = said.root == "ResponseMessage" || said.root == "FaultMessage";
    if (answer && said.result != "OK" && said.result != "PARTIAL" && said.result != "FAILED")
        throw std::runtime_error("an answer has no result");
    if ((said.root == "ResponseMessage" || said.root == "EventMessage") &&
        (said.verb.empty() || said.noun.empty() || said.message_id.empty()))
        throw std::runtime_error("a message has no whole header");
    return said;
}

CimSaid parse_said(std::string_view document) {
    CimListener listener;
    listener.feed(document);
    return listener.finish();
}

}  // namespace wattmesh::sim
