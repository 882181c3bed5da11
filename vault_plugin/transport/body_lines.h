#pragma once

#include "base/http.h"
#include "base/result.h"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace issuer::vault::transport {

/// Splits a body that arrives in pieces into its lines, as servers that stream send one JSON object a line. A body that
/// ends without a line break has a last line all the same: see rest(). Not thread-safe.
class BodyLines final : public BodyReader
{
public:
	/// Takes one line without its line break, borrowed until it returns; empty lines are skipped. An error ends the
	/// exchange.
	using Line = std::function<Result<void>(std::string_view line)>;

	/// `longest`: most bytes of one line; a longer one ends the exchange.
	BodyLines(std::size_t longest, Line line) : _longest(longest), _line(std::move(line)) {}

	[[nodiscard]] Result<void> take(std::string_view piece) override;

	/// Returns the bytes after the last line break.
	[[nodiscard]] const std::string& rest() const noexcept { return _begun; }

private:
	const std::size_t _longest;
	const Line _line;
	std::string _begun; ///< the beginning of a line whose end has not come
};

} // namespace issuer::vault::transport
