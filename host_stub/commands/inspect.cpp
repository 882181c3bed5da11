#include "commands/inspect.h"

#include "commands/exit_codes.h"
#include "commands/quick_config.h"
#include "common/text.h"
#include "loader/installed.h"
#include "loader/plugins.h"

#include <Poco/JSON/Parser.h>
#include <filesystem>
#include <iostream>
#include <issuer/control.h>
#include <issuer/credential.h>
#include <issuer/diagnose.h>
#include <issuer/handover.h>
#include <issuer/health.h>

namespace issuer::commands {

namespace {

std::vector<std::string> extensionsOf(const loader::Plugin& plugin)
{
	std::vector<std::string> known;
	for (const char* id :
		{ISSUER_EXT_HEALTH, ISSUER_EXT_CONTROL, ISSUER_EXT_HANDOVER, ISSUER_EXT_CREDENTIAL, ISSUER_EXT_DIAGNOSE}) {
		if (plugin.extension<void>(id) != nullptr) {
			known.emplace_back(id);
		}
	}
	return known;
}

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
		text += (text.empty() ? "" : ", ") + printable(word);
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

/// Returns the schema as JSON within JSON; as a string, if it is not JSON itself.
std::string jsonOfSchema(const std::optional<std::string>& schema)
{
	if (!schema) {
		return "null";
	}
	try {
		Poco::JSON::Parser().parse(*schema);
		return *schema;
	}
	catch (const Poco::Exception&) {
		return jsonString(*schema);
	}
}

} // namespace

std::string describeForPeople(const loader::Plugin& plugin)
{
	const loader::Description& about = plugin.description();
	const std::string contract = std::to_string(about.abiMajor) + '.' + std::to_string(about.abiMinor) +
								 ", a table of " + std::to_string(about.structSize) + " bytes";
	std::string text = about.path.string() + '\n';
	const std::pair<const char*, std::string> lines[] = {
		{"name        ", printable(about.name)},
		{"id          ", printable(about.id)},
		{"version     ", printable(about.version)},
		{"contract    ", contract},
		{"flags       ", wordsOf(flagsOf(about.flags))},
		{"extensions  ", wordsOf(extensionsOf(plugin))},
		{"sha256      ", about.sha256},
		{"schema      ", about.configSchema ? "of its configuration:" : "none: it does not tell how it is configured"},
	};
	for (const auto& [key, value] : lines) {
		text += std::string("  ") + key + "  " + value + '\n';
	}
	return text + about.configSchema.value_or("");
}

std::string describeAsJson(const loader::Plugin& plugin)
{
	const loader::Description& about = plugin.description();
	return "{\"path\":" + jsonString(about.path.string()) + ",\"sha256\":" + jsonString(about.sha256) +
		   ",\"id\":" + jsonString(about.id) + ",\"name\":" + jsonString(about.name) +
		   ",\"version\":" + jsonString(about.version) + ",\"abi_major\":" + std::to_string(about.abiMajor) +
		   ",\"abi_minor\":" + std::to_string(about.abiMinor) + ",\"struct_size\":" + std::to_string(about.structSize) +
		   ",\"flags\":" + jsonOf(flagsOf(about.flags)) + ",\"extensions\":" + jsonOf(extensionsOf(plugin)) +
		   ",\"config_schema\":" + jsonOfSchema(about.configSchema) + '}';
}

std::string_view Inspect::help() const
{
	return "Usage: issuer-host inspect PLUGIN [--json]\n"
		   "\n"
		   "Loads a plugin as `run` would, with all checks, and shows what it says about itself:\n"
		   "name, version, contract, extensions, and the JSON Schema of its configuration.\n"
		   "Creates no issuer and opens no connection.\n"
		   "\n"
		   "PLUGIN is a path, or a name of what is installed: vault, vault@0.1.\n"
		   "\n"
		   "Examples:\n"
		   "  issuer-host inspect ./vault_plugin.so\n"
		   "  issuer-host inspect --json ./vault_plugin.so | jq .config_schema\n"
		   "\n"
		   "Exit code: 0, or 65 when the file was refused; the reason is on stderr.\n";
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
	loader::PluginLibraries plugins;
	const auto plugin = loader::resolved(
		loader::pluginNamed(arguments.front(), std::filesystem::current_path()), _plugins.value_or(installedPlugins()))
							.and_then([&](const loader::PluginFile& file) { return plugins.open(file); });
	if (!plugin) {
		std::cerr << "issuer-host: " << plugin.error().text << '\n';
		return exitData;
	}
	std::cout << (_json ? describeAsJson(**plugin) : describeForPeople(**plugin)) << '\n';
	return exitOk;
}

} // namespace issuer::commands
