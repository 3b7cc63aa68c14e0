#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wattmesh::bench {

struct Point {
    double x = 0, y = 0;  ///< pixels, y downward
};

/// A drawing as SVG 1.1 text: the same calls give the same octets. Numbers are written with one decimal.
class Svg {
public:
    Svg(double width, double height);

    enum class Anchor : unsigned char { start, middle, end };
    void line(Point from, Point to, std::string_view colour, double width = 1, double opacity = 1);
    void polyline(const std::vector<Point>& points, std::string_view colour, double width);
    void rectangle(Point corner, double width, double height, std::string_view colour, double radius = 0);
    void circle(Point centre, double radius, std::string_view fill, std::string_view edge = "none");
    void text(Point at, std::string_view words, Anchor anchor = Anchor::start,
              std::string_view colour = "#333333", int size = 12, bool strong = false);
    /// Read upwards, around `at`.
    void text_upward(Point at, std::string_view words);
    std::string finish() const;

private:
    double width_, height_;
    std::string body_;
};

/// For a text node of XML.
std::string escaped_xml(std::string_view text);

}  // namespace wattmesh::bench
