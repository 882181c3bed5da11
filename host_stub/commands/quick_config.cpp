#include "commands/quick_config.h"

#include "common/text.h"
#include "loader/installed.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>

namespace issuer::commands {

namespace fs = std::filesystem;

namespace {

/// A variable's value and the name under which it was found.
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

/// Returns an absolute path: plugins do not know the directory in which the program was started.
std::string absoluteText(const fs::path& path)
{
	return fs::absolute(path).lexically_normal().string();
}

/// Returns the members of "tls" whose variables are set.
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

/// Returns `path` as the tools read it: in the home directory if it begins with "~/".
fs::path expanded(const Environment& environment, const std::string& path)
{
	return path.starts_with("~/") ? fs::path(environment("HOME").value_or("/")) / path.substr(2) : fs::path(path);
}

/// Returns whether the tools' own configuration (HCL or JSON) names a token helper.
bool namesTokenHelper(const fs::path& file)
{
	constexpr int mostLines = 1000; // more than enough: it has one key
	std::ifstream stream(file);
	std::string line;
	for (int lines = 0; lines < mostLines && std::getline(stream, line); ++lines) {
		const auto begin = line.find_first_not_of(" \t");
		const auto text = begin == line.npos ? std::string_view() : std::string_view(line).substr(begin);
		const bool isComment = text.starts_with('#') || text.starts_with("//");
		const bool isEmpty = text.find("\"\"") != text.npos;
		if (!isComment && !isEmpty && text.find("token_helper") != text.npos) {
			return true;
		}
	}
	return false;
}

/// Returns the tools' own configuration file, if it names a token helper.
std::optional<fs::path> tokenHelperConfiguration(const Environment& environment)
{
	std::vector<fs::path> files;
	if (const auto found = find(environment, "CONFIG_PATH")) {
		files.push_back(expanded(environment, found->value));
	}
	else {
		files = {expanded(environment, "~/.bao"), expanded(environment, "~/.vault")};
	}
	const auto named = std::ranges::find_if(files, namesTokenHelper);
	return named == files.end() ? std::nullopt : std::optional(*named);
}

/// Returns the token's origin in the form of the plugin's configuration.
Result<std::string> tokenOrigin(const Environment& environment)
{
	const auto fileAt = [](const fs::path& path) { return '{' + member("file", jsonString(absoluteText(path))) + '}'; };
	if (const auto found = find(environment, "TOKEN")) {
		return '{' + member("env", jsonString(found->name)) + '}';
	}
	if (const auto found = find(environment, "TOKEN_PATH")) {
		return fileAt(expanded(environment, found->value));
	}
	const auto file = expanded(environment, "~/.vault-token");
	if (const auto helper = tokenHelperConfiguration(environment)) {
		return failure(helper->string() + " names a token helper, which issuer-host does not run, and " +
					   file.string() +
					   " may be older: set VAULT_TOKEN, or BAO_TOKEN_PATH to a file that holds the "
					   "token, or write a configuration and use --config FILE");
	}
	std::error_code error;
	if (!fs::exists(file, error)) {
		return failure("there is no token: set VAULT_TOKEN or BAO_TOKEN, or log in so that " + file.string() +
					   " holds one; or write a configuration and use --config FILE");
	}
	return fileAt(file);
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
	const Result<bool> disableRedirects = flag(environment, "DISABLE_REDIRECTS");
	if (!disableRedirects) {
		return tl::unexpected(disableRedirects.error());
	}
	const auto agent = find(environment, "AGENT_ADDR"); // first, as the tools do
	const auto address = agent ? agent : find(environment, "ADDR");

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
	// In the background mode the plugin itself waits for a server that is away, and notices a token that is replaced.
	json += ',' + member("token", *token) + R"(,"proxy":"environment","startup":"background")";
	json += *disableRedirects ? R"(,"follow_redirects":"none"})" : "}";

	HostConfig config;
	config.issuers.push_back({"vault", {plugin, std::nullopt}, json});
	return config;
}

std::vector<std::string> notFollowed(const Environment& environment)
{
	constexpr std::pair<const char*, const char*> variables[] = {
		{"CACERT_BYTES", "put the certificates into a file and set VAULT_CACERT"},
		{"CLIENT_CERT_BYTES", "put the certificate into a file and set VAULT_CLIENT_CERT"},
		{"CLIENT_KEY_BYTES", "put the key into a file and set VAULT_CLIENT_KEY"},
		{"SRV_LOOKUP", "name host and port in VAULT_ADDR"},
		{"HEADERS", "no further headers are sent"},
	};
	std::vector<std::string> lines;
	for (const auto& [variable, instead] : variables) {
		const auto found = find(environment, variable);
		const bool isOff = std::string_view(variable) == "SRV_LOOKUP" && !flag(environment, variable).value_or(true);
		if (found && !isOff) {
			lines.push_back("environment variable " + found->name + " is not followed: " + instead);
		}
	}
	return lines;
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
	for (const auto& line : notFollowed(environmentVariable)) {
		std::cerr << "issuer-host: " << line << '\n';
	}
	const Result<std::filesystem::path> chosen =
		plugin ? Result<std::filesystem::path>(*plugin) : newestVaultPlugin(installedPlugins());
	return chosen.and_then([](const std::filesystem::path& path) { return quickConfig(environmentVariable, path); });
}

} // namespace issuer::commands
