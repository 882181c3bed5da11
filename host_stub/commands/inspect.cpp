#include "commands/commands.h"

#include "commands/exit_codes.h"
#include "commands/quick_config.h"
#include "common/text.h"
#include "loader/inspection.h"
#include "loader/installed.h"

#include <Poco/JSON/Parser.h>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <issuer/control.h>
#include <issuer/credential.h>
#include <issuer/diagnose.h>
#include <issuer/handover.h>
#include <issuer/health.h>
#include <optional>

namespace issuer::commands {

namespace {

/// `issuer-host inspect PLUGIN`: prints a plugin's description of itself.
class Inspect final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "inspect"; }
	[[nodiscard]] std::string_view summary() const override { return "show what a plugin says about itself"; }
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet& options) const override;
	bool setOption(const std::string& name, std::string& value) override;
	int run(const std::vector<std::string>& arguments) override;

private:
	std::optional<std::filesystem::path> _plugins;
	bool _json = false;
};

const std::vector<std::string> knownExtensions{
	ISSUER_EXT_HEALTH, ISSUER_EXT_CONTROL, ISSUER_EXT_HANDOVER, ISSUER_EXT_CREDENTIAL, ISSUER_EXT_DIAGNOSE};

std::vector<std::string> flagsOf(std::uint32_t flags)
{
	std::vector<std::string> names;
	for (std::uint32_t bit = 1; flags != 0; bit <<= 1, flags >>= 1) {
		if ((flags & 1) != 0) {
			names.push_back(bit == ISSUER_F_NEVER_UNLOAD ? "never_unload" : "unknown " + std::to_string(bit));
		}
	}
	return names;
}

std::string wordsOf(const std::vector<std::string>& words)
{
	std::string text;
	for (const std::string& word : words) {
		text += (text.empty() ? "" : ", ") + sanitize(word);
	}
	return text.empty() ? "none" : text;
}

std::string jsonOf(const std::vector<std::string>& words)
{
	std::string text;
	for (const std::string& word : words) {
		text += (text.empty() ? "" : ",") + jsonString(word);
	}
	return '[' + text + ']';
}

/// Returns `text` in lines that are safe to show.
std::string printableLines(std::string_view text)
{
	std::string lines;
	while (!text.empty()) {
		const std::string_view line = text.substr(0, text.find('\n'));
		lines += (lines.empty() ? "" : "\n") + sanitize(line);
		text.remove_prefix(std::min(line.size() + 1, text.size()));
	}
	return lines;
}

/// Returns the schema as JSON within JSON, or as a string if it is not JSON itself; without control characters, which a
/// terminal may obey.
std::string jsonOfSchema(const std::optional<std::string>& schema)
{
	if (!schema) {
		return "null";
	}
	try {
		Poco::JSON::Parser().parse(*schema);
		return sanitize(*schema);
	}
	catch (const Poco::Exception&) {
		return jsonString(*schema);
	}
}

std::string describeForPeople(const loader::Inspection& plugin)
{
	const loader::Description& about = plugin.description;
	const std::string contract = std::to_string(about.abiMajor) + '.' + std::to_string(about.abiMinor) +
								 ", a table of " + std::to_string(about.structSize) + " bytes";
	std::string text = sanitize(about.path.string()) + '\n';
	const std::pair<const char*, std::string> lines[] = {
		{"name        ", sanitize(about.name)},
		{"id          ", sanitize(about.id)},
		{"version     ", sanitize(about.version)},
		{"contract    ", contract},
		{"flags       ", wordsOf(flagsOf(about.flags))},
		{"extensions  ", wordsOf(plugin.extensions)},
		{"sha256      ", about.sha256},
		{"schema      ", about.configSchema ? "of its configuration:" : "none: it does not tell how it is configured"},
	};
	for (const auto& [key, value] : lines) {
		text += std::string("  ") + key + "  " + value + '\n';
	}
	return text + printableLines(about.configSchema.value_or(""));
}

std::string describeAsJson(const loader::Inspection& plugin)
{
	const loader::Description& about = plugin.description;
	return "{\"path\":" + jsonString(about.path.string()) + ",\"sha256\":" + jsonString(about.sha256) +
		   ",\"id\":" + jsonString(about.id) + ",\"name\":" + jsonString(about.name) +
		   ",\"version\":" + jsonString(about.version) + ",\"abi_major\":" + std::to_string(about.abiMajor) +
		   ",\"abi_minor\":" + std::to_string(about.abiMinor) + ",\"struct_size\":" + std::to_string(about.structSize) +
		   ",\"flags\":" + jsonOf(flagsOf(about.flags)) + ",\"extensions\":" + jsonOf(plugin.extensions) +
		   ",\"config_schema\":" + jsonOfSchema(about.configSchema) + '}';
}

} // namespace

std::string_view Inspect::help() const
{
	return "Usage: issuer-host inspect PLUGIN [--json] [--plugin-dir DIR]\n"
		   "\n"
		   "Loads a plugin as `run` would, with all checks, and shows what it says about itself:\n"
		   "name, version, contract, extensions, and the JSON Schema of its configuration.\n"
		   "Creates no issuer. Its code is loaded in a process of its own that may open no file for writing, no\n"
		   "connection and no program, as the user nobody where you are root, and finds no library beside the file.\n"
		   "\n"
		   "PLUGIN is a path, or a name of what is installed: vault, vault@0.1.\n"
		   "\n"
		   "Examples:\n"
		   "  issuer-host inspect ./vault_plugin.so\n"
		   "  issuer-host inspect --json ./vault_plugin.so | jq .config_schema\n"
		   "\n"
		   "Exit codes: 0 shown; 64 wrong usage; 65 the file was refused, and stderr says why.\n";
}

void Inspect::defineOptions(Poco::Util::OptionSet& options) const
{
	options.addOption(Poco::Util::Option("json", "", "one JSON object, for programs"));
	options.addOption(
		Poco::Util::Option("plugin-dir", "", "where plugins are, instead of this installation's").argument("DIR"));
}

bool Inspect::setOption(const std::string& name, std::string& value)
{
	if (name == "plugin-dir") {
		_plugins = value;
	}
	_json = _json || name == "json";
	return true;
}

int Inspect::run(const std::vector<std::string>& arguments)
{
	if (arguments.size() != 1) {
		return usageError("inspect takes one plugin", name());
	}
	const auto plugin =
		loader::resolved(loader::pluginNamed(arguments.front(), std::filesystem::current_path()),
			_plugins.value_or(installedPlugins()))
			.and_then([](const loader::PluginFile& file) { return loader::inspect(file, knownExtensions); });
	if (!plugin) {
		complain(plugin.error().text);
		return exitData;
	}
	std::cout << (_json ? describeAsJson(*plugin) : describeForPeople(*plugin)) << '\n';
	return exitOk;
}

std::unique_ptr<Command> makeInspect()
{
	return std::make_unique<Inspect>();
}

} // namespace issuer::commands
