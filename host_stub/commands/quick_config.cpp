#include "commands/quick_config.h"

#include "common/text.h"
#include "loader/installed.h"

#include <cstdlib>

namespace issuer::commands {

namespace fs = std::filesystem;

namespace {

/// A variable that was found under one of its names.
struct Found
{
	std::string name;
	std::string value;
};

std::optional<Found> find(const Environment& environment, const std::string& name)
{
	for (const char* prefix : {"BAO_", "VAULT_"}) {
		if (auto value = environment(prefix + name); value && !value->empty()) {
			return Found{prefix + name, std::move(*value)};
		}
	}
	return std::nullopt;
}

std::string member(const std::string& key, const std::string& json)
{
	return jsonString(key) + ':' + json;
}

/// A path as plugins want it, who know nothing of where a program was started.
std::string absoluteText(const fs::path& path)
{
	return fs::absolute(path).lexically_normal().string();
}

/// The members of "tls" whose variables are set.
std::string tlsMembers(const Environment& environment)
{
	struct Setting
	{
		const char* variable;
		const char* key;
		bool isPath;
	};
	constexpr Setting settings[] = {
		{"CACERT", "ca_file", true},
		{"CAPATH", "ca_dir", true},
		{"CLIENT_CERT", "client_cert", true},
		{"CLIENT_KEY", "client_key", true},
		{"TLS_SERVER_NAME", "server_name", false},
	};
	std::string members;
	for (const auto& [variable, key, isPath] : settings) {
		if (const auto found = find(environment, variable)) {
			const auto value = isPath ? absoluteText(found->value) : found->value;
			members += (members.empty() ? "" : ",") + member(key, jsonString(value));
		}
	}
	return members;
}

Result<bool> flag(const Environment& environment, const std::string& name)
{
	const auto found = find(environment, name);
	if (!found) {
		return false;
	}
	for (const char* yes : {"1", "t", "T", "true", "TRUE", "True"}) {
		if (found->value == yes) {
			return true;
		}
	}
	for (const char* no : {"0", "f", "F", "false", "FALSE", "False"}) {
		if (found->value == no) {
			return false;
		}
	}
	return failure(found->name + ": true or false is wanted");
}

/// Where the token is, as the plugin's configuration says it.
Result<std::string> tokenOrigin(const Environment& environment)
{
	if (const auto found = find(environment, "TOKEN")) {
		return '{' + member("env", jsonString(found->name)) + '}';
	}
	const fs::path file = fs::path(environment("HOME").value_or("/")) / ".vault-token";
	std::error_code error;
	if (!fs::exists(file, error)) {
		return failure("there is no token: set VAULT_TOKEN or BAO_TOKEN, or log in so that " + file.string() +
					   " holds one; or write a configuration and use --config FILE");
	}
	return '{' + member("file", jsonString(absoluteText(file))) + '}';
}

} // namespace

std::optional<std::string> environmentVariable(const std::string& name)
{
	const char* value = std::getenv(name.c_str());
	return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

Result<HostConfig> quickConfig(const Environment& environment, const fs::path& plugin)
{
	const Result<std::string> token = tokenOrigin(environment);
	if (!token) {
		return tl::unexpected(token.error());
	}
	const Result<bool> skipVerify = flag(environment, "SKIP_VERIFY");
	if (!skipVerify) {
		return tl::unexpected(skipVerify.error());
	}
	const auto address = find(environment, "ADDR");

	std::string json = '{' + member("address", jsonString(address ? address->value : "https://127.0.0.1:8200"));
	if (const auto found = find(environment, "NAMESPACE")) {
		json += ',' + member("namespace", jsonString(found->value));
	}
	std::string tls = tlsMembers(environment);
	if (*skipVerify) {
		tls += (tls.empty() ? "" : ",") + member("insecure_skip_verify", "true");
	}
	if (!tls.empty()) {
		json += ',' + member("tls", '{' + tls + '}');
	}
	// The plugin itself then waits for a server that is away, and notices a token that is replaced.
	json += ',' + member("token", *token) + R"(,"startup":"background"})";

	HostConfig config;
	config.issuers.push_back({"vault", {plugin, std::nullopt}, json});
	return config;
}

Result<fs::path> newestVaultPlugin(const fs::path& plugins)
{
	const std::vector<loader::InstalledVersion> versions = loader::installedVersions(plugins, "vault");
	if (versions.empty()) {
		return failure(
			"no plugin is installed under " + (plugins / "vault").string() + "; name one with --plugin PATH");
	}
	return versions.front().file;
}

fs::path installedPlugins()
{
	std::error_code error;
	const fs::path program = fs::read_symlink("/proc/self/exe", error);
	return program.parent_path().parent_path() / ISSUER_LIBDIR / "issuer" / "plugins";
}

Result<HostConfig> configurationOf(const std::optional<std::filesystem::path>& file,
	const std::optional<std::filesystem::path>& plugin, Reading reading)
{
	if (file) {
		return loadConfig(*file, reading);
	}
	const Result<std::filesystem::path> chosen =
		plugin ? Result<std::filesystem::path>(*plugin) : newestVaultPlugin(installedPlugins());
	return chosen.and_then([](const std::filesystem::path& path) { return quickConfig(environmentVariable, path); });
}

} // namespace issuer::commands
