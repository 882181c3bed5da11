#include "fleet/ring_text.h"

namespace issuer::fleet {

namespace {

constexpr std::string_view heading = "issuer fleet members 1\n";

} // namespace

std::string ringText(const std::vector<std::string>& members)
{
	std::string text(heading);
	for (const auto& member : members) {
		text.append(member).append(1, '\n');
	}
	return text;
}

Result<std::vector<std::string>> ringFrom(std::string_view text)
{
	if (!text.starts_with(heading)) {
		return failure("its first line is not «issuer fleet members 1»");
	}
	text.remove_prefix(heading.size());
	std::vector<std::string> members;
	while (!text.empty()) {
		const auto end = text.find('\n');
		if (end == std::string_view::npos) {
			return failure("it is cut off in its last line");
		}
		if (end == 0) {
			return failure("it has an empty line");
		}
		members.emplace_back(text.substr(0, end));
		text.remove_prefix(end + 1);
	}
	return members;
}

} // namespace issuer::fleet
