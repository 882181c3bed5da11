#include "commands/host_config.h"

#include "common/duration.h"
#include "common/text.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <set>
#include <sstream>

namespace issuer::commands {

namespace fs = std::filesystem;
using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

namespace {

/// A wrong configuration, on its way out of the decoder; parseConfig makes a value of it.
struct Wrong
{
	std::string text;
};

Object::Ptr objectAt(const Var& value, const std::string& path, std::initializer_list<std::string_view> keys)
{
	if (value.type() != typeid(Object::Ptr)) {
		throw Wrong{path + ": an object is wanted"};
	}
	const auto object = value.extract<Object::Ptr>();
	for (const auto& [key, ignored] : *object) {
		if (std::ranges::find(keys, key) == keys.end()) {
			throw Wrong{path + "." + printable(key) + ": there is no such key"};
		}
	}
	return object;
}

std::string stringAt(const Object& object, const std::string& path, const std::string& key)
{
	const Var value = object.get(key);
	if (value.isEmpty()) {
		throw Wrong{path + "." + key + ": it is missing"};
	}
	if (!value.isString() || value.extract<std::string>().empty()) {
		throw Wrong{path + "." + key + ": a string is wanted"};
	}
	return value.extract<std::string>();
}

std::string sha256At(const Object& object, const std::string& path)
{
	std::string sum = stringAt(object, path, "sha256");
	std::ranges::transform(sum, sum.begin(),
		[](char digit) { return digit >= 'A' && digit <= 'F' ? static_cast<char>(digit - 'A' + 'a') : digit; });
	if (sum.size() != 64 || sum.find_first_not_of("0123456789abcdef") != std::string::npos) {
		throw Wrong{path + ".sha256: 64 hexadecimal digits are wanted, as sha256sum prints them"};
	}
	return sum;
}

registry::IssuerSpec issuerAt(const Var& value, const std::string& path, const fs::path& folder)
{
	const Object::Ptr object = objectAt(value, path, {"name", "plugin", "sha256", "config"});
	registry::IssuerSpec spec;
	spec.name = stringAt(*object, path, "name");
	if (printable(spec.name) != spec.name) {
		throw Wrong{path + ".name: a name has no control characters"};
	}
	spec.plugin.path = (folder / stringAt(*object, path, "plugin")).lexically_normal();
	if (object->has("sha256")) {
		spec.plugin.sha256 = sha256At(*object, path);
	}
	const Object::Ptr config = object->getObject("config");
	if (config.isNull()) {
		throw Wrong{path + ".config: " + (object->has("config") ? "an object is wanted" : "it is missing")};
	}
	std::ostringstream text; // keys in their order, so that equal configurations have equal texts
	config->stringify(text);
	spec.config = text.str();
	return spec;
}

std::chrono::milliseconds durationAt(const Object& object, const std::string& key)
{
	const Var value = object.get(key);
	const Result<std::chrono::milliseconds> duration = value.isBoolean() || !(value.isString() || value.isNumeric())
														   ? failure("a duration such as \"10s\" is wanted")
														   : parseDuration(value.toString());
	if (!duration) {
		throw Wrong{key + ": " + duration.error().text};
	}
	return *duration;
}

fs::path pathAt(const Object& object, const std::string& path, const std::string& key, const fs::path& folder)
{
	return (folder / stringAt(object, path, key)).lexically_normal();
}

bool flagAt(const Object& object, const std::string& path, const std::string& key)
{
	const Var value = object.get(key);
	if (!value.isEmpty() && !value.isBoolean()) {
		throw Wrong{path + "." + key + ": true or false is wanted"};
	}
	return !value.isEmpty() && value.convert<bool>();
}

unsigned numberAt(const Object& object, const std::string& path, const std::string& key, unsigned least, unsigned most)
{
	const Var value = object.get(key);
	const std::string wanted = "a number from " + std::to_string(least) + " to " + std::to_string(most) + " is wanted";
	if (!value.isInteger() || value.isBoolean() || value.convert<double>() < least || value.convert<double>() > most) {
		throw Wrong{path + "." + key + ": " + wanted};
	}
	return value.convert<unsigned>();
}

observe::web::Settings httpAt(const Var& value, const fs::path& folder)
{
	const Object::Ptr object = objectAt(value, "http", {"listen", "plain_public", "tls"});
	observe::web::Settings http;
	if (object->has("listen")) {
		const auto listen = observe::web::parseListenAddress(stringAt(*object, "http", "listen"));
		http.listen = listen ? *listen : throw Wrong{"http.listen: " + listen.error().text};
	}
	http.plainPublic = flagAt(*object, "http", "plain_public");
	if (object->has("tls")) {
		const Object::Ptr tls = objectAt(object->get("tls"), "http.tls", {"certificate", "key", "client_ca"});
		http.tls = observe::web::TlsFiles{
			pathAt(*tls, "http.tls", "certificate", folder), pathAt(*tls, "http.tls", "key", folder), {}};
		if (tls->has("client_ca")) {
			http.tls->clientCa = pathAt(*tls, "http.tls", "client_ca", folder);
		}
	}
	if (const Result<void> may = observe::web::mayListen(http); !may) {
		throw Wrong{may.error().text};
	}
	return http;
}

JournalConfig journalAt(const Var& value, const fs::path& folder)
{
	const Object::Ptr object = objectAt(value, "journal", {"file", "max_mib", "keep"});
	JournalConfig journal;
	journal.file = pathAt(*object, "journal", "file", folder);
	if (object->has("max_mib")) {
		journal.maxBytes = std::uint64_t(numberAt(*object, "journal", "max_mib", 1, 1024)) << 20;
	}
	if (object->has("keep")) {
		journal.keep = numberAt(*object, "journal", "keep", 0, 100);
	}
	return journal;
}

HostConfig decode(const Var& json, const fs::path& folder)
{
	const Object::Ptr root =
		objectAt(json, "the configuration", {"issuers", "stop_timeout", "control", "http", "journal"});
	const Array::Ptr issuers = root->getArray("issuers");
	if (issuers.isNull() || issuers->empty()) {
		throw Wrong{"issuers: a list with at least one issuer is wanted"};
	}
	HostConfig config;
	std::set<std::string> names;
	for (std::size_t i = 0; i < issuers->size(); ++i) {
		const std::string path = "issuers[" + std::to_string(i) + "]";
		config.issuers.push_back(issuerAt(issuers->get(static_cast<unsigned>(i)), path, folder));
		if (!names.insert(config.issuers.back().name).second) {
			throw Wrong{path + ".name: \"" + config.issuers.back().name + "\" is used twice"};
		}
	}
	if (root->has("stop_timeout")) {
		config.stopTimeout = durationAt(*root, "stop_timeout");
	}
	if (root->has("control")) {
		const std::string control = stringAt(*root, "the configuration", "control");
		config.control = control == "none" ? fs::path(control) : (folder / control).lexically_normal();
	}
	if (root->has("http")) {
		config.http = httpAt(root->get("http"), folder);
	}
	if (root->has("journal")) {
		config.journal = journalAt(root->get("journal"), folder);
	}
	return config;
}

} // namespace

Result<HostConfig> parseConfig(std::string_view json, const fs::path& folder)
try {
	constexpr std::size_t deepest = 64;
	Poco::JSON::Parser parser;
	parser.setDepth(deepest);
	return decode(parser.parse(std::string(json)), folder);
}
catch (const Wrong& wrong) {
	return failure(wrong.text);
}
catch (const Poco::Exception& error) {
	return failure("it is not JSON: " + printable(error.message()));
}

Result<HostConfig> loadConfig(const fs::path& file)
{
	const auto named = [&](const std::string& text) { return failure("configuration " + file.string() + ": " + text); };
	std::error_code error;
	const fs::path path = fs::absolute(file, error);
	if (!fs::exists(path, error)) {
		return named("there is no such file");
	}
	std::ifstream stream(path, std::ios::binary);
	std::ostringstream text;
	text << stream.rdbuf();
	const bool isRead = text || fs::is_empty(path, error); // of nothing, nothing is a failure to the stream
	if (!stream || !isRead || fs::is_directory(path, error)) {
		return named("it cannot be read");
	}
	Result<HostConfig> config = parseConfig(text.str(), path.parent_path());
	return config ? config : named(config.error().text);
}

} // namespace issuer::commands
