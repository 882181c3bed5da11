#pragma once

#include "commands/command.h"
#include "common/result.h"
#include "registry/issuer.h"

#include <filesystem>
#include <optional>

namespace issuer::commands {

/// Has a process of its own load the plugin of `candidate`, whose path is known, create an instance, start, stop and
/// destroy it, each as long as it may take in a host of these surroundings. The error says which of these failed, hangs
/// or crashes, and why. Blocks for that long. The instance uses the issuer's own credential for a moment.
[[nodiscard]] Result<void> tryInChild(
	const registry::IssuerSpec& candidate, const registry::Surroundings& surroundings);

/// Has a process of its own do for every issuer of `config` what a reload does before it changes anything: find and
/// load its plugin, and create an instance. The error has a line for each issuer that cannot be used.
[[nodiscard]] Result<void> checkInChild(
	const std::filesystem::path& config, const std::optional<std::filesystem::path>& plugins);

/// That process. Not for people.
class CanaryChild final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "canary-child"; }
	[[nodiscard]] std::string_view summary() const override { return {}; }
	[[nodiscard]] std::string_view help() const override { return "Part of `issuer-host swap --canary`.\n"; }
	void defineOptions(Poco::Util::OptionSet&) const override {}
	bool setOption(const std::string&, std::string&) override { return true; }
	int run(const std::vector<std::string>& arguments) override;
};

/// The other one.
class CheckChild final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "check-child"; }
	[[nodiscard]] std::string_view summary() const override { return {}; }
	[[nodiscard]] std::string_view help() const override { return "Part of `issuer-host check`.\n"; }
	void defineOptions(Poco::Util::OptionSet&) const override {}
	bool setOption(const std::string&, std::string&) override { return true; }
	int run(const std::vector<std::string>& arguments) override;
};

} // namespace issuer::commands
