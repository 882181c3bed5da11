#include "control/paths.h"

namespace issuer::control {

std::optional<std::filesystem::path> defaultSocket(const Environment& environment)
{
	const std::string directories = environment("RUNTIME_DIRECTORY").value_or("");
	if (!directories.empty()) {
		return std::filesystem::path(directories.substr(0, directories.find(':'))) / "control.sock";
	}
	const std::string directory = environment("XDG_RUNTIME_DIR").value_or("");
	if (!directory.empty()) {
		return std::filesystem::path(directory) / "issuer-host.sock";
	}
	return std::nullopt;
}

std::vector<std::filesystem::path> likelySockets(const Environment& environment)
{
	std::vector<std::filesystem::path> likely;
	if (auto own = defaultSocket(environment)) {
		likely.push_back(std::move(*own));
	}
	likely.emplace_back("/run/issuer-host/control.sock");
	return likely;
}

} // namespace issuer::control
