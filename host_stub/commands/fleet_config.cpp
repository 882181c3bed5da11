#include "commands/fleet_config.h"

#include "commands/config_values.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/URI.h>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <unistd.h>

namespace issuer::commands {

namespace fs = std::filesystem;
using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;
using namespace std::chrono_literals;

namespace {

/// Returns the name if it can be part of a key in etcd.
std::string nameOfKey(const std::string& name, const std::string& path)
{
	constexpr std::size_t longest = 64;
	const auto fits = [](char byte) {
		return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
			   byte == '.' || byte == '-' || byte == '_';
	};
	if (name.empty() || name.size() > longest || !std::ranges::all_of(name, fits)) {
		throw wrongAt(path, "at most 64 letters, digits, '.', '-' and '_' are wanted, not \"" + name + '"');
	}
	return name;
}

bool isOnThisMachine(const std::string& host)
{
	return host == "localhost" || host == "::1" || host.starts_with("127.");
}

/// Returns the URL, «http://…» or «https://…» with a host.
Poco::URI urlAt(const std::string& text, const std::string& path)
{
	const std::string wanted = "a URL such as https://host.example:2379 is wanted, not \"" + text + '"';
	try {
		Poco::URI uri(text);
		if ((uri.getScheme() != "https" && uri.getScheme() != "http") || uri.getHost().empty() ||
			!uri.getUserInfo().empty()) {
			throw wrongAt(path, wanted);
		}
		return uri;
	}
	catch (const Poco::Exception&) {
		throw wrongAt(path, wanted);
	}
}

std::vector<std::string> endpointsAt(const Object& etcd, bool plain)
{
	constexpr std::size_t most = 16;
	const Array::Ptr list = etcd.getArray("endpoints");
	if (list.isNull() || list->size() == 0 || list->size() > most) {
		throw wrongAt("fleet.etcd.endpoints", "a list of 1 to 16 URLs is wanted");
	}
	std::vector<std::string> endpoints;
	for (unsigned i = 0; i < list->size(); ++i) {
		const std::string path = "fleet.etcd.endpoints[" + std::to_string(i) + "]";
		const Var value = list->get(i);
		if (!value.isString()) {
			throw wrongAt(path, "a string is wanted");
		}
		const auto uri = urlAt(value.extract<std::string>(), path);
		if (!(uri.getPathEtc().empty() || uri.getPathEtc() == "/")) {
			throw wrongAt(path, "only scheme, host and port are wanted: etcd has no path");
		}
		if (uri.getScheme() == "http" && !isOnThisMachine(uri.getHost()) && !plain) {
			throw wrongAt(path, "without TLS, names and times of all issuers can be read and changed on the way; use "
								"https, or say \"plain\": true in fleet.etcd");
		}
		endpoints.push_back(uri.getScheme() + "://" + uri.getAuthority());
	}
	return endpoints;
}

FleetConfig::Etcd etcdAt(const Object& fleet, const fs::path& folder)
{
	if (!fleet.has("etcd")) {
		throw wrongAt("fleet.etcd", "it is missing: {\"endpoints\": [\"https://…:2379\"]}");
	}
	const std::string path = "fleet.etcd";
	const Object::Ptr object = objectAt(fleet.get("etcd"), path,
		{"endpoints", "ca_file", "client_cert", "client_key", "server_name", "user", "password", "plain"});
	FleetConfig::Etcd etcd;
	etcd.endpoints = endpointsAt(*object, flagAt(*object, path, "plain"));
	const auto file = [&](const char* key) {
		return object->has(key) ? pathAt(*object, path, key, folder) : fs::path();
	};
	etcd.caFile = file("ca_file");
	etcd.clientCert = file("client_cert");
	etcd.clientKey = file("client_key");
	if (etcd.clientCert.empty() != etcd.clientKey.empty()) {
		throw wrongAt(path, "client_cert and client_key belong together: one of them is missing");
	}
	if (object->has("server_name")) {
		etcd.serverName = stringAt(*object, path, "server_name");
	}
	if (object->has("user")) {
		etcd.user = stringAt(*object, path, "user");
	}
	if (object->has("password")) {
		const Object::Ptr password = objectAt(object->get("password"), "fleet.etcd.password", {"file"});
		etcd.passwordFile = pathAt(*password, "fleet.etcd.password", "file", folder);
	}
	if (etcd.user.empty() != etcd.passwordFile.empty()) {
		throw wrongAt(path, "user and password belong together: one of them is missing");
	}
	return etcd;
}

} // namespace

FleetConfig fleetAt(const Var& value, const fs::path& folder, const OwnName& own)
{
	const Object::Ptr object = objectAt(value, "fleet", {"name", "member", "takeover", "url", "ca_file", "etcd"});
	FleetConfig fleet;
	fleet.name = nameOfKey(stringAt(*object, "fleet", "name"), "fleet.name");
	fleet.member = nameOfKey(object->has("member") ? stringAt(*object, "fleet", "member") : own.member, "fleet.member");
	if (object->has("takeover")) {
		fleet.takeover = durationAt(*object, "fleet", "takeover");
		if (fleet.takeover < 2s || fleet.takeover > 5min) {
			throw wrongAt("fleet.takeover", "2s to 5m are possible; 5s in one building, 10s across zones");
		}
	}
	fleet.url = object->has("url") ? stringAt(*object, "fleet", "url") : own.url;
	if (!fleet.url.empty()) {
		static_cast<void>(urlAt(fleet.url, object->has("url") ? "fleet.url" : "fleet.url of $ISSUER_HOST_URL"));
	}
	if (object->has("ca_file")) {
		fleet.caFile = pathAt(*object, "fleet", "ca_file", folder);
	}
	fleet.etcd = etcdAt(*object, folder);
	return fleet;
}

OwnName ownName()
{
	const char* const url = std::getenv("ISSUER_HOST_URL");
	return {shortHostName(), url == nullptr ? "" : url};
}

std::string shortHostName()
{
	std::array<char, 256> name{};
	static_cast<void>(::gethostname(name.data(), name.size() - 1));
	const std::string_view all = name.data();
	return std::string(all.substr(0, all.find('.')));
}

} // namespace issuer::commands
