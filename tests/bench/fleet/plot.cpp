#include "plot.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <limits>
#include <sstream>

namespace issuer::bench {
namespace {

constexpr double width = 360;
constexpr double height = 300;
constexpr double left = 64;
constexpr double top = 36;
constexpr double right = 16;
constexpr double bottom = 84;

/// Decades on an axis, and where a value stands on it.
class Axis
{
public:
	Axis(double least, double most, double begin, double end)
		: _first(std::floor(std::log10(least))), _last(std::max(std::ceil(std::log10(most)), _first + 1)),
		  _begin(begin), _end(end)
	{
	}

	[[nodiscard]] double at(double value) const
	{
		return _begin + (_end - _begin) * (std::log10(value) - _first) / (_last - _first);
	}
	[[nodiscard]] int first() const { return static_cast<int>(_first); }
	[[nodiscard]] int last() const { return static_cast<int>(_last); }

private:
	double _first;
	double _last;
	double _begin;
	double _end;
};

std::string decade(int power)
{
	std::ostringstream text;
	text << std::setprecision(6)
		 << (power >= 6      ? std::pow(10, power - 6)
				: power >= 3 ? std::pow(10, power - 3)
							 : std::pow(10, power));
	return text.str() + (power >= 6 ? " M" : power >= 3 ? " k" : "");
}

Axis valueAxis(const Chart& chart)
{
	double least = std::numeric_limits<double>::max();
	double most = std::numeric_limits<double>::min();
	for (const auto& line : chart.lines) {
		for (const auto& [size, value] : line.points) {
			least = std::min(least, value);
			most = std::max(most, value);
		}
	}
	return {least, most, height - bottom, top};
}

void drawAxes(std::ostream& out, const Axis& x, const Axis& y)
{
	for (int power = y.first(); power <= y.last(); ++power) {
		const auto at = y.at(std::pow(10, power));
		out << "<line class='grid' x1='" << left << "' x2='" << width - right << "' y1='" << at << "' y2='" << at
			<< "'/><text x='" << left - 6 << "' y='" << at + 4 << "' text-anchor='end'>" << decade(power)
			<< "</text>\n";
	}
	for (int power = x.first(); power <= x.last(); ++power) {
		out << "<text x='" << x.at(std::pow(10, power)) << "' y='" << height - bottom + 18 << "' text-anchor='middle'>"
			<< decade(power) << "</text>\n";
	}
	out << "<text x='" << (left + width - right) / 2 << "' y='" << height - bottom + 34
		<< "' text-anchor='middle'>issuers</text>\n";
}

void draw(std::ostream& out, const Chart& chart)
{
	const Axis x(1, 10'000, left, width - right);
	const Axis y = valueAxis(chart);
	out << "<text class='title' x='" << left << "' y='20'>" << chart.title << ", " << chart.unit << "</text>\n";
	drawAxes(out, x, y);
	double legend = 0;
	for (const auto& line : chart.lines) {
		out << "<polyline fill='none' stroke='" << line.colour << "' stroke-width='2' points='";
		for (const auto& [size, value] : line.points) {
			out << x.at(size) << ',' << y.at(value) << ' ';
		}
		const auto row = height - bottom + 50 + 14 * std::floor(legend / 2);
		const auto column = left + (std::fmod(legend, 2) == 0 ? 0 : 150);
		out << "'/>\n<rect x='" << column - 14 << "' y='" << row - 7 << "' width='10' height='4' fill='" << line.colour
			<< "'/><text x='" << column << "' y='" << row << "'>" << line.name << "</text>\n";
		++legend;
	}
}

} // namespace

std::string svg(const std::vector<Chart>& charts)
{
	std::ostringstream out;
	out << "<svg xmlns='http://www.w3.org/2000/svg' width='" << width * static_cast<double>(charts.size())
		<< "' height='" << height
		<< "' font-family='sans-serif' "
		   "font-size='11'>\n<style>.grid{stroke:#ddd}.title{font-size:13px;font-weight:bold}"
		   "</style>\n<rect width='100%' height='100%' fill='white'/>\n";
	double offset = 0;
	for (const auto& chart : charts) {
		out << "<g transform='translate(" << offset << " 0)'>\n";
		draw(out, chart);
		out << "</g>\n";
		offset += width;
	}
	out << "</svg>\n";
	return out.str();
}

} // namespace issuer::bench
