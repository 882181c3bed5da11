#pragma once

#include "common/result.h"
#include "observe/fleet/issuer_view.h"

#include <map>

namespace issuer::observe::web {

/// The issuers that a request selects, and the amount of detail for each.
struct Selection
{
	enum class Order
	{
		urgency, ///< worst first, then the nearest end
		name,
		expiry,
	};

	std::optional<Severity> severity;
	bool here = false;  ///< without those that other hosts keep
	std::string name;   ///< exact name; empty: any
	std::string search; ///< part of a name, case ignored; empty: any
	Order order = Order::urgency;
	std::size_t offset = 0;
	std::size_t limit = 100;
	std::size_t happenings = 0; ///< number for each issuer, newest first
};

constexpr std::size_t largestLimit = 1000;

/// Reads a query's parameters. The error names the one that is wrong.
[[nodiscard]] Result<Selection> selectionFrom(const std::map<std::string, std::string>& query);

/// Returns the answer to GET /api/v1/issuers, as API.md describes it.
[[nodiscard]] std::string issuersJson(const Fleet& fleet, const HostSnapshot& snapshot, const Selection& selection);

} // namespace issuer::observe::web
