#pragma once

#include <Poco/JSON/Object.h>
#include <cstddef>
#include <optional>
#include <string>

namespace issuer::commands {

/// The size of a terminal in characters.
struct Screen
{
	std::size_t rows;
	std::size_t columns;
};

/// Formats the host's answer about its issuers (observe/web/API.md) as a table: one line for each issuer, and a second
/// one if it has a remark. With a screen no line is wider than it, and as many issuers are shown as fit above its last
/// row. Pure: the time is the answer's own.
[[nodiscard]] std::string statusTable(
	const Poco::JSON::Object& answer, bool colours, const std::optional<Screen>& screen = std::nullopt);

} // namespace issuer::commands
