#include "tests/bench/plot/chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace wattmesh::bench {
namespace {

constexpr double width = 760, height = 440, left = 64, right = 150, top = 44, bottom = 52;
constexpr std::array<const char*, 5> colours{"#0b5fa5", "#d95f02", "#1b9e77", "#8a5fbf", "#8c6d1f"};
constexpr const char* grid = "#e3e6ea";
constexpr const char* axis = "#8a9099";

const char* colour_of(std::size_t i) { return colours[i % colours.size()]; }

std::string label(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.4g", value);
    return text.data();
}

struct Frame {
    const Axes& axes;
    double x(double value) const {
        const auto share = axes.x_logarithmic
                               ? (std::log10(std::max(value, axes.x_min)) - std::log10(axes.x_min)) /
                                     (std::log10(axes.x_max) - std::log10(axes.x_min))
                               : (value - axes.x_min) / (axes.x_max - axes.x_min);
        return left + std::clamp(share, 0.0, 1.0) * (width - left - right);
    }
    double y(double value) const {
        return height - bottom - std::clamp(value / axes.y_max, 0.0, 1.0) * (height - top - bottom);
    }
};

void draw_axes(Svg& svg, const Frame& frame) {
    const auto& axes = frame.axes;
    svg.text({left, 24}, axes.title, Svg::Anchor::start, "#111111", 15, true);
    for (const double tick :
         axes.x_logarithmic ? ticks_logarithmic(axes.x_min, axes.x_max) : ticks(axes.x_min, axes.x_max, 7)) {
        svg.line({frame.x(tick), top}, {frame.x(tick), height - bottom}, grid);
        svg.text({frame.x(tick), height - bottom + 17}, label(tick), Svg::Anchor::middle);
    }
    for (const double tick : ticks(0, axes.y_max, 5)) {
        svg.line({left, frame.y(tick)}, {width - right, frame.y(tick)}, grid);
        svg.text({left - 8, frame.y(tick) + 4}, label(tick), Svg::Anchor::end);
    }
    svg.line({left, height - bottom}, {width - right, height - bottom}, axis);
    svg.line({left, top}, {left, height - bottom}, axis);
    svg.text({(left + width - right) / 2, height - 14}, axes.x_label, Svg::Anchor::middle);
    svg.text_upward({18, (top + height - bottom) / 2}, axes.y_label);
}

}  // namespace

std::vector<double> ticks(double low, double high, int count) {
    std::vector<double> found;
    if (!(high > low) || count < 1) return found;
    const double rough = (high - low) / count;
    const double power = std::pow(10, std::floor(std::log10(rough)));
    double step = 10 * power;
    for (const double factor : {5.0, 2.0, 1.0})
        if (rough <= factor * power * 1.0001) step = factor * power;
    for (auto i = static_cast<long long>(std::ceil(low / step - 1e-9));
         static_cast<double>(i) * step <= high * 1.000001; ++i)
        found.push_back(static_cast<double>(i) * step);
    return found;
}

std::vector<double> ticks_logarithmic(double low, double high) {
    std::vector<double> found;
    if (!(low > 0) || !(high > low)) return found;
    for (auto power = static_cast<int>(std::floor(std::log10(low))); std::pow(10, power) <= high * 1.000001;
         ++power)
        for (const double factor : {1.0, 2.0, 5.0}) {
            const double value = factor * std::pow(10, power);
            if (value >= low * 0.999999 && value <= high * 1.000001) found.push_back(value);
        }
    return found;
}

Series distribution(std::string name, std::vector<double> values, std::size_t of) {
    std::sort(values.begin(), values.end());
    Series series{std::move(name), {}};
    for (std::size_t i = 0; i < values.size() && of > 0; ++i) {
        const Point point{values[i], static_cast<double>(i + 1) / static_cast<double>(of)};
        if (!series.points.empty() && series.points.back().x == point.x)
            series.points.back() = point;
        else
            series.points.push_back(point);
    }
    return series;
}

std::string line_chart(const Axes& axes, const std::vector<Series>& series) {
    Svg svg{width, height};
    const Frame frame{axes};
    draw_axes(svg, frame);
    for (std::size_t turn = series.size(); turn-- > 0;) {
        // Steps: between two values nothing has changed.
        std::vector<Point> points;
        double before = 0;
        for (const auto& point : series[turn].points) {
            if (point.x > axes.x_max) break;
            points.push_back({frame.x(point.x), frame.y(before)});
            points.push_back({frame.x(point.x), frame.y(point.y)});
            before = point.y;
        }
        if (!points.empty()) points.push_back({frame.x(axes.x_max), frame.y(before)});
        svg.polyline(points, colour_of(turn), turn == 0 ? 2.8 : 1.6);
    }
    for (std::size_t i = 0; i < series.size(); ++i) {
        const double y = top + 14 + 22 * static_cast<double>(i);
        svg.line({width - right + 14, y - 4}, {width - right + 38, y - 4}, colour_of(i), i == 0 ? 2.8 : 1.6);
        svg.text({width - right + 44, y}, series[i].name, Svg::Anchor::start, "#333333", 12, i == 0);
    }
    return svg.finish();
}

std::string bar_panels(const std::string& title, const std::vector<std::string>& names,
                       const std::vector<Panel>& panels) {
    constexpr double panel_width = 366, row = 22, head = 34;
    const double panel_height = head + row * static_cast<double>(names.size()) + 18;
    const auto rows = static_cast<double>((panels.size() + 1) / 2);
    Svg svg{2 * panel_width + 28, top + rows * panel_height};
    svg.text({14, 24}, title, Svg::Anchor::start, "#111111", 15, true);
    for (std::size_t i = 0; i < panels.size(); ++i) {
        const Point corner{14 + static_cast<double>(i % 2) * panel_width,
                           top + static_cast<double>(i / 2) * panel_height};
        svg.text({corner.x, corner.y + 18}, panels[i].title, Svg::Anchor::start, "#333333", 12, true);
        double most = 0;
        for (const auto& value : panels[i].values) most = std::max(most, value.value_or(0));
        for (std::size_t k = 0; k < names.size() && k < panels[i].values.size(); ++k) {
            const double y = corner.y + head + row * static_cast<double>(k);
            svg.text({corner.x + 92, y + 11}, names[k], Svg::Anchor::end, "#333333", 12, k == 0);
            const auto& value = panels[i].values[k];
            const double length = value && most > 0 ? *value / most * 190 : 0;
            svg.rectangle({corner.x + 100, y}, std::max(length, 1.0), 15, value ? colour_of(k) : grid, 2);
            svg.text({corner.x + 107 + length, y + 12}, value ? label(*value) : panels[i].missing,
                     Svg::Anchor::start, value ? "#333333" : "#8a9099");
        }
    }
    return svg.finish();
}

}  // namespace wattmesh::bench
