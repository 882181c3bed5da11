#pragma once

#include "base/wiped.h"

#include <functional>
#include <string_view>

namespace issuer::vault::wire {

/// One value of a reply. A list or an object comes before its insides.
struct SievedValue
{
	enum class Kind : std::uint8_t
	{
		text,
		literal, ///< a number, true, false or null
		list,
		object,
	};

	std::string_view path; ///< keys from the outermost object, as "auth/metadata/role_name"; of an element, its list's
	Kind kind;
	WipedString text; ///< of a text, without its escapes; of a literal, as it is written
};

/// Calls `visit` for each value of a JSON object that JsonSieve has left, in their order. Unlike a parser's tree it
/// leaves no copy in memory that is not wiped: for replies that bring secrets. Takes any bytes.
void forEachValue(std::string_view sieved, const std::function<void(SievedValue)>& visit);

} // namespace issuer::vault::wire
