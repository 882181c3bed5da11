#include "commands/command.h"

#include "commands/exit_codes.h"
#include "common/text.h"

#include <algorithm>
#include <iostream>

namespace issuer::commands {

void complain(std::string_view text)
{
	while (!text.empty()) {
		const std::string_view line = text.substr(0, text.find('\n'));
		std::cerr << "issuer-host: " << sanitize(line) << '\n';
		text.remove_prefix(std::min(line.size() + 1, text.size()));
	}
}

int usageError(const std::string& what, std::string_view command)
{
	std::cerr << "issuer-host: " << sanitize(what) << "; see: issuer-host " << command << (command.empty() ? "" : " ")
			  << "--help\n";
	return exitUsage;
}

} // namespace issuer::commands
