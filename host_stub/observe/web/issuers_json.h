#pragma once

#include "common/result.h"
#include "observe/issuer_view.h"

#include <map>

namespace issuer::observe::web {

/// Which issuers are asked for, and how much of each.
struct Selection
{
	enum class Order
	{
		urgency, ///< worst first, then whose end is nearest
		name,
		expiry,
	};

	std::optional<Severity> severity;
	std::string name;   ///< exactly this one; empty: any
	std::string search; ///< part of a name, in any case; empty: any
	Order order = Order::urgency;
	std::size_t offset = 0;
	std::size_t limit = 100;
	std::size_t happenings = 0; ///< of each, newest first
};

constexpr std::size_t largestLimit = 1000;

/// Reads a query's parameters; the error names the one that is wrong.
[[nodiscard]] Result<Selection> selectionFrom(const std::map<std::string, std::string>& query);

/// The answer to GET /api/v1/issuers, as API.md describes it.
[[nodiscard]] std::string issuersJson(const Fleet& fleet, const HostSnapshot& snapshot, const Selection& selection);

} // namespace issuer::observe::web
