#include "commands/command.h"

#include "commands/exit_codes.h"

#include <iostream>

namespace issuer::commands {

int usageError(const std::string& what, std::string_view command)
{
	std::cerr << "issuer-host: " << what << "; see: issuer-host " << command << (command.empty() ? "" : " ")
			  << "--help\n";
	return exitUsage;
}

} // namespace issuer::commands
