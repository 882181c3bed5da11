#pragma once

#include "meter.h"

#include <map>
#include <string>

namespace issuer::bench {

/// Everything measured: of the plugin and of a thread per issuer by size, the rest by name. Of plain or of TLS.
struct Results
{
	std::map<std::size_t, Figures> fleets;
	std::map<std::size_t, Figures> threadsPerIssuer;
	Figures others;
};

/// Tables in Markdown, below a line that describes the machine.
[[nodiscard]] std::string markdown(const Results& plain, const Results& tls);

/// Returns the figures of restOfFleet() as one line.
[[nodiscard]] std::string lineOf(std::size_t size, const Figures& figures);

/// Draws the cost by the number of issuers.
[[nodiscard]] std::string plot(const Results& plain, const Results& tls);

} // namespace issuer::bench
