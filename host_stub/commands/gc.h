#pragma once

#include "commands/command.h"
#include "common/result.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace issuer::commands {

/// `issuer-host gc`: removes staged versions that no host uses.
class Gc final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "gc"; }
	[[nodiscard]] std::string_view summary() const override { return "remove staged plugins that no host runs"; }
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet& options) const override;
	bool setOption(const std::string& name, std::string& value) override;
	int run(const std::vector<std::string>& arguments) override;

private:
	[[nodiscard]] Result<std::vector<std::filesystem::path>> pathsInUse() const;

	std::optional<std::filesystem::path> _plugins;
	std::optional<std::filesystem::path> _control;
	std::vector<std::filesystem::path> _configs;
	bool _dryRun = false;
};

/// Returns the versions under `plugins` that may be removed: not the newest of each plugin, and none that `isUsed`.
[[nodiscard]] std::vector<std::filesystem::path> removableVersions(
	const std::filesystem::path& plugins, const std::function<bool(const std::filesystem::path& file)>& isUsed);

} // namespace issuer::commands
