#pragma once

#include <string>
#include <utility>
#include <vector>

namespace issuer::bench {

struct Line
{
	std::string name;
	std::string colour;
	std::vector<std::pair<double, double>> points; ///< number of issuers, cost
};

struct Chart
{
	std::string title;
	std::string unit;
	std::vector<Line> lines;
};

/// The charts beside each other as one SVG document, both axes logarithmic.
[[nodiscard]] std::string svg(const std::vector<Chart>& charts);

} // namespace issuer::bench
