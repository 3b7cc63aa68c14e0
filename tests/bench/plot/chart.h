#pragma once
#include <optional>
#include <string>
#include <vector>

#include "tests/bench/plot/svg.h"

namespace wattmesh::bench {

/// One line of a chart: values in rising order of x.
struct Series {
    std::string name;
    std::vector<Point> points;  ///< in the units of the axes
};
struct Axes {
    std::string title, x_label, y_label;
    double x_max = 1;
    double y_max = 1;
    bool x_logarithmic = false;
    double x_min = 0;  ///< above 0 when logarithmic
};
/// Lines over two axes with a legend; the first series is drawn last and strongest.
std::string line_chart(const Axes& axes, const std::vector<Series>& series);

/// Round numbers from `low` to `high` in steps of 1, 2 or 5 times a power of ten, about `count` of them.
std::vector<double> ticks(double low, double high, int count);
/// Powers of ten and, in between, 2 and 5 times.
std::vector<double> ticks_logarithmic(double low, double high);
/// Share of `of` that lies at or below each value; `values` in any order.
Series distribution(std::string name, std::vector<double> values, std::size_t of);

/// One panel per quantity, one bar per name; nothing: not reached.
struct Panel {
    std::string title;
    std::vector<std::optional<double>> values;
    std::string missing = "not reached";
};
std::string bar_panels(const std::string& title, const std::vector<std::string>& names,
                       const std::vector<Panel>& panels);

struct Station {
    double x_m = 0, y_m = 0;
    std::optional<std::size_t> parent;  ///< of its route; the root: the number of stations
    std::size_t hops = 0;               ///< 0: no route
};
/// Where everything stands and over whom it is read.
std::string route_map(const std::string& title, const std::vector<Station>& stations, Point root_m);

}  // namespace wattmesh::bench
