#include "platform/log.h"

#include <Poco/AutoPtr.h>
#include <Poco/ConsoleChannel.h>
#include <Poco/FormattingChannel.h>
#include <Poco/Logger.h>
#include <Poco/Message.h>
#include <Poco/PatternFormatter.h>

#include <iostream>

#include "platform/settings.h"

namespace wattmesh::platform {

namespace {
constexpr Poco::Message::Priority priorities[] = {Poco::Message::PRIO_ERROR, Poco::Message::PRIO_WARNING,
                                                  Poco::Message::PRIO_INFORMATION, Poco::Message::PRIO_DEBUG};

std::string without_control_characters(const std::string& text) {
    std::string clean;
    clean.reserve(text.size());
    for (const char c : text) {
        const auto octet = static_cast<unsigned char>(c);
        if (octet >= 0x20 && octet != 0x7F)
            clean += c;
        else
            clean += fmt::format("\\x{:02x}", octet);
    }
    return clean;
}
}  // namespace

void start_log(std::string_view level) {
    if (level != "error" && level != "warning" && level != "information" && level != "debug") {
        throw SettingsError(
            fmt::format("log level \"{}\" is unknown: error, warning, information or debug", level));
    }
    const Poco::AutoPtr<Poco::Channel> console{new Poco::ConsoleChannel(std::cerr)};
    const Poco::AutoPtr<Poco::Formatter> formatter{
        new Poco::PatternFormatter("%Y-%m-%dT%H:%M:%S.%iZ %p %s: %t")};
    const Poco::AutoPtr<Poco::Channel> formatting{new Poco::FormattingChannel(formatter, console)};
    Poco::Logger::root();  // must exist before the next two reach it and every logger made so far
    Poco::Logger::setChannel("", formatting);
    Poco::Logger::setLevel("", Poco::Logger::parseLevel(std::string{level}));
}

Log::Log(const std::string& source) : logger_(&Poco::Logger::get(source)) {}

bool Log::wants(Level level) const { return logger_->is(priorities[static_cast<int>(level)]); }

void Log::write(Level level, const std::string& text) const {
    logger_->log(Poco::Message(logger_->name(), without_control_characters(text),
                               priorities[static_cast<int>(level)]));
}

std::string quoted(std::string_view value) {
    if (!value.empty() && value.find_first_of(" \t\"=\\") == std::string_view::npos)
        return std::string{value};
    std::string text{'"'};
    for (const char c : value) {
        if (c == '"' || c == '\\') text += '\\';
        text += c;
    }
    return text + '"';
}

}  // namespace wattmesh::platform
