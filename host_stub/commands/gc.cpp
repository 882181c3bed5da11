#include "commands/commands.h"

#include "commands/exit_codes.h"
#include "commands/host_config.h"
#include "commands/quick_config.h"
#include "common/text.h"
#include "control/client.h"
#include "control/paths.h"
#include "loader/file_rules.h"
#include "loader/installed.h"
#include "loader/mapped_files.h"
#include "loader/staging.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <algorithm>
#include <iostream>

namespace issuer::commands {

namespace fs = std::filesystem;

namespace {

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

/// Returns the plugins that a running host's issuers use.
Result<std::vector<fs::path>> pathsOfHost(const fs::path& socket)
try {
	constexpr std::chrono::seconds limit{10};
	const Result<std::string> answer = control::ask(socket, R"({"do":"status"})", limit);
	if (!answer) {
		return tl::unexpected(answer.error());
	}
	const auto status = Poco::JSON::Parser().parse(*answer).extract<Poco::JSON::Object::Ptr>();
	if (!status->optValue("ok", false)) { // an error: it does not tell which plugins are in use
		return failure("control socket " + socket.string() + ": " +
					   sanitize(status->optValue<std::string>("error", "the host refused and gave no reason")));
	}
	std::vector<fs::path> paths;
	const Poco::JSON::Array::Ptr issuers = status->getArray("issuers");
	for (std::size_t i = 0; !issuers.isNull() && i < issuers->size(); ++i) {
		const auto plugin = issuers->getObject(static_cast<unsigned>(i))->getObject("plugin");
		paths.emplace_back(plugin->getValue<std::string>("path"));
	}
	return paths;
}
catch (const Poco::Exception& error) {
	return failure("control socket " + socket.string() + ": its answer is not understood: " + error.displayText());
}

Result<void> removeVersion(const fs::path& file)
{
	std::error_code error;
	if (fs::remove(file, error); !error) {
		fs::remove(file.parent_path(), error); // only if it is empty: other files in it stay
	}
	return error ? failure(file.string() + ": " + error.message()) : Result<void>();
}

Result<void> removeLeftover(const fs::path& folder)
{
	std::error_code error;
	fs::remove_all(folder, error);
	return error ? failure(folder.string() + ": " + error.message()) : Result<void>();
}

/// Returns the versions under `plugins` that may be removed: not the newest of each plugin, and none that `isUsed`.
std::vector<fs::path> removableVersions(const fs::path& plugins, const std::function<bool(const fs::path&)>& isUsed)
{
	std::vector<fs::path> removable;
	for (const std::string& plugin : loader::pluginsIn(plugins)) {
		std::vector<loader::InstalledVersion> versions = loader::installedVersions(plugins, plugin);
		if (!versions.empty()) {
			versions.erase(versions.begin());
		}
		for (const loader::InstalledVersion& version : versions) {
			if (!isUsed(version.file)) {
				removable.push_back(version.file);
			}
		}
	}
	return removable;
}

} // namespace

std::string_view Gc::help() const
{
	return "Usage: issuer-host gc [--dry-run] [--plugin-dir DIR] [--config FILE]… [--control PATH]\n"
		   "\n"
		   "Removes the versions under DIR that are not needed any more, whether `issuer-host stage` or a package has "
		   "put\n"
		   "them there, and prints their paths; also what a `stage` that was killed has left. Kept are the newest\n"
		   "version of each plugin by SemVer (1.0.0 is newer than 1.0.0-rc1), whatever a running process has mapped,\n"
		   "whatever the running host's issuers use, and whatever FILE names.\n"
		   "\n"
		   "Name the configuration that the host starts with: after `issuer-host swap` it may name an older version\n"
		   "than the one that runs. Processes of other users can be looked into by root alone.\n"
		   "\n"
		   "Example:\n"
		   "  issuer-host gc --dry-run --config /etc/issuer-host/host.json\n"
		   "\n"
		   "Exit codes: 0; 69 a host is there but does not answer, and nothing was removed; 70 something could not\n"
		   "be removed; 78 FILE cannot be read, and nothing was removed.\n";
}

void Gc::defineOptions(Poco::Util::OptionSet& options) const
{
	using Poco::Util::Option;
	options.addOption(Option("dry-run", "", "print what would be removed, remove nothing"));
	options.addOption(Option("plugin-dir", "", "where plugins are, instead of this installation's").argument("DIR"));
	options.addOption(
		Option("config", "c", "a configuration whose plugins are kept").argument("FILE").repeatable(true));
	options.addOption(Option("control", "", "where the host listens").argument("PATH"));
}

bool Gc::setOption(const std::string& name, std::string& value)
{
	if (name == "plugin-dir") {
		_plugins = value;
	}
	else if (name == "control") {
		_control = value;
	}
	else if (name == "config") {
		_configs.emplace_back(value);
	}
	_dryRun = _dryRun || name == "dry-run";
	return true;
}

/// Returns the paths in use by the running host, if there is one. A host that was named must answer.
Result<std::vector<fs::path>> Gc::pathsInUse() const
{
	if (_control) {
		return pathsOfHost(*_control);
	}
	const Result<fs::path> host = control::findHost(control::likelySockets(environmentVariable));
	return host ? pathsOfHost(*host) : Result<std::vector<fs::path>>();
}

int Gc::run(const std::vector<std::string>& arguments)
{
	if (!arguments.empty()) {
		return usageError("gc takes no argument such as \"" + arguments.front() + "\"", name());
	}
	const fs::path plugins = fs::absolute(_plugins.value_or(installedPlugins())).lexically_normal();
	std::error_code none;
	if (const Result<fs::path> mine = loader::checkPluginFolder(plugins); !mine && fs::exists(plugins, none)) {
		complain(plugins.string() + ": nothing is removed there: " + mine.error().text);
		return exitSoftware;
	}
	Result<std::vector<fs::path>> used = pathsInUse();
	if (!used) {
		complain(used.error().text);
		return exitUnavailable;
	}
	for (const fs::path& file : _configs) {
		const Result<HostConfig> config = loadConfig(file);
		if (!config) {
			complain(config.error().text);
			return exitConfig;
		}
		for (const registry::IssuerSpec& issuer : config->issuers) {
			const auto plugin = loader::resolved(issuer.plugin, plugins);
			used->push_back(plugin ? plugin->path : issuer.plugin.path);
		}
	}
	const loader::MappedFiles mapped = loader::mappedFiles();
	if (mapped.hidden > 0) {
		complain("did not look into " + std::to_string(mapped.hidden) + " processes of other users or hosts; root can");
	}
	const auto isUsed = [&](const fs::path& file) {
		std::error_code gone;
		return mapped.contains(fs::weakly_canonical(file, gone)) ||
			   std::ranges::any_of(*used, [&](const fs::path& path) { return fs::equivalent(path, file, gone); });
	};
	int exitCode = exitOk;
	const auto removeAndPrint = [&](const fs::path& path, const auto& remove) {
		if (const Result<void> removed = _dryRun ? Result<void>() : remove(path); !removed) {
			complain(removed.error().text);
			exitCode = exitSoftware;
			return;
		}
		std::cout << sanitize(path.string()) << '\n';
	};
	loader::forEachLeftover(plugins, [&](const fs::path& folder) { removeAndPrint(folder, removeLeftover); });
	for (const fs::path& file : removableVersions(plugins, isUsed)) {
		removeAndPrint(file, removeVersion);
	}
	return exitCode;
}

std::unique_ptr<Command> makeGc()
{
	return std::make_unique<Gc>();
}

} // namespace issuer::commands
