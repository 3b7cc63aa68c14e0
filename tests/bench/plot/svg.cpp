#include "tests/bench/plot/svg.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace wattmesh::bench {
namespace {

/// One decimal, whatever the locale says; never "-0.0".
std::string number(double value) {
    const auto tenths = static_cast<long long>(std::llround(value * 10));
    const auto size = tenths < 0 ? -tenths : tenths;
    std::string text = tenths < 0 ? "-" : "";
    text += std::to_string(size / 10);
    if (size % 10 != 0) text += "." + std::to_string(size % 10);
    return text;
}
std::string hundredths(double value) {
    std::array<char, 16> text{};
    const auto parts = static_cast<int>(std::lround(value * 100));
    std::snprintf(text.data(), text.size(), "%d.%02d", parts / 100, parts % 100);
    return text.data();
}
std::string attribute(std::string_view name, std::string_view value) {
    return " " + std::string{name} + "=\"" + std::string{value} + "\"";
}

}  // namespace

std::string escaped_xml(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (static_cast<unsigned char>(c) >= 0x20)
            out += c;
    }
    return out;
}

Svg::Svg(double width, double height) : width_(width), height_(height) {
    rectangle({0, 0}, width, height, "#ffffff");
}

void Svg::line(Point from, Point to, std::string_view colour, double width, double opacity) {
    body_ += "<line" + attribute("x1", number(from.x)) + attribute("y1", number(from.y)) +
             attribute("x2", number(to.x)) + attribute("y2", number(to.y)) + attribute("stroke", colour) +
             attribute("stroke-width", number(width));
    if (opacity < 1) body_ += attribute("stroke-opacity", hundredths(opacity));
    body_ += "/>\n";
}

void Svg::polyline(const std::vector<Point>& points, std::string_view colour, double width) {
    if (points.size() < 2) return;
    std::string list;
    for (const auto& point : points)
        list += (list.empty() ? "" : " ") + number(point.x) + "," + number(point.y);
    body_ += "<polyline" + attribute("points", list) + attribute("fill", "none") +
             attribute("stroke", colour) + attribute("stroke-width", number(width)) +
             attribute("stroke-linejoin", "round") + "/>\n";
}

void Svg::rectangle(Point corner, double width, double height, std::string_view colour, double radius) {
    body_ += "<rect" + attribute("x", number(corner.x)) + attribute("y", number(corner.y)) +
             attribute("width", number(width)) + attribute("height", number(height)) +
             attribute("fill", colour);
    if (radius > 0) body_ += attribute("rx", number(radius));
    body_ += "/>\n";
}

void Svg::circle(Point centre, double radius, std::string_view fill, std::string_view edge) {
    body_ += "<circle" + attribute("cx", number(centre.x)) + attribute("cy", number(centre.y)) +
             attribute("r", number(radius)) + attribute("fill", fill) + attribute("stroke", edge) + "/>\n";
}

void Svg::text(Point at, std::string_view words, Anchor anchor, std::string_view colour, int size,
               bool strong) {
    static constexpr std::array<const char*, 3> anchors{"start", "middle", "end"};
    body_ += "<text" + attribute("x", number(at.x)) + attribute("y", number(at.y)) +
             attribute("font-size", std::to_string(size)) +
             attribute("text-anchor", anchors[static_cast<std::size_t>(anchor)]) + attribute("fill", colour);
    if (strong) body_ += attribute("font-weight", "600");
    body_ += ">" + escaped_xml(words) + "</text>\n";
}

void Svg::text_upward(Point at, std::string_view words) {
    const std::string place = number(at.x) + " " + number(at.y);
    body_ += "<text" + attribute("transform", "translate(" + place + ") rotate(-90)") +
             attribute("font-size", "12") + attribute("text-anchor", "middle") +
             attribute("fill", "#333333") + ">" + escaped_xml(words) + "</text>\n";
}

std::string Svg::finish() const {
    const auto w = number(width_), h = number(height_);
    return "<svg" + attribute("xmlns", "http://www.w3.org/2000/svg") + attribute("width", w) +
           attribute("height", h) + attribute("viewBox", "0 0 " + w + " " + h) +
           attribute("font-family", "system-ui, sans-serif") + ">\n" + body_ + "</svg>\n";
}

}  // namespace wattmesh::bench
