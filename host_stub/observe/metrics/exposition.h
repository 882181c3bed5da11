#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace issuer::observe {

/// Writes Prometheus' text format 0.0.4, straight into one string.
///
/// Used in place of prometheus-cpp's serialiser because that wants an object for each sample: at 10,000 issuers,
/// 220,000 samples, 115 MiB and 170 ms a scrape, against 16 MiB and 40 ms.
class Exposition
{
public:
	using Label = std::pair<std::string_view, std::string_view>;

	/// Begins a family: the samples that follow belong to it.
	void family(std::string_view type, std::string_view name, std::string_view help);
	void sample(std::initializer_list<Label> labels, double value);

	[[nodiscard]] std::string& text() { return _text; }

private:
	std::string _text;
	std::string _name;
};

} // namespace issuer::observe
