#pragma once

#include "base/http.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace issuer::fuzz {

/// Returns the next line of an input, and removes it.
inline std::string_view takeLine(std::string_view& text)
{
	const auto line = text.substr(0, text.find('\n'));
	text.remove_prefix(std::min(line.size() + 1, text.size()));
	return line;
}

/// Reads a reply: status, Retry-After and Location, a line each, and the body.
inline vault::HttpReply takeReply(std::string_view text)
{
	const auto status = takeLine(text);
	vault::HttpReply reply;
	std::from_chars(status.data(), status.data() + status.size(), reply.status);
	reply.retryAfter = takeLine(text);
	reply.location = takeLine(text);
	reply.body = text;
	return reply;
}

} // namespace issuer::fuzz
