#include "capture.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <stdexcept>

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Parser.h>
#include <Poco/JSON/Stringifier.h>

namespace issuer::test {
namespace {

namespace fs = std::filesystem;
using Poco::Dynamic::Var;

/// Values that a server generates, or reads off its clock: compared by kind only.
constexpr std::array volatileKeys{"request_id", "client_token", "accessor", "entity_id", "id", "token",
	"wrapped_accessor", "secret_id", "secret_id_accessor", "mfa_request_id", "serial_number", "expiration_time",
	"last_updated_time", "creation_time", "expire_time", "issue_time", "last_renewal", "last_renewal_time",
	"server_time_utc", "cluster_id"};

Json::Ptr parse(const std::string& text)
{
	return Poco::JSON::Parser().parse(text).extract<Json::Ptr>();
}

std::string textOf(const Var& body)
{
	if (body.isEmpty()) {
		return "";
	}
	return body.type() == typeid(Json::Ptr) ? toText(body.extract<Json::Ptr>()) : body.toString();
}

ApiRequest requestOf(const Json& json)
{
	ApiRequest request;
	request.method = json.getValue<std::string>("method");
	request.target = json.getValue<std::string>("path");
	for (const auto& [name, value] : *json.getObject("headers")) {
		request.headers.set(name, value.toString());
	}
	request.body = textOf(json.get("body"));
	return request;
}

ApiReply replyOf(const Json& json)
{
	ApiReply reply{.status = json.getValue<int>("status"), .headers = {}, .body = textOf(json.get("body"))};
	for (const auto& [name, value] : *json.getObject("headers")) {
		reply.headers.emplace_back(name, value.toString());
	}
	return reply;
}

std::string kindOf(const Var& value)
{
	if (value.isEmpty()) {
		return "null";
	}
	if (value.isBoolean()) {
		return "a boolean";
	}
	if (value.isNumeric()) {
		return "a number";
	}
	return value.isString() ? (value.toString().empty() ? "an empty string" : "a string") : "a structure";
}

void compare(const std::string& path, const Var& recorded, const Var& actual, std::string& found);

void compareObjects(const std::string& path, const Json& recorded, const Json& actual, std::string& found)
{
	std::set<std::string> keys;
	for (const auto& key : recorded.getNames()) {
		keys.insert(key);
	}
	for (const auto& key : actual.getNames()) {
		keys.insert(key);
	}
	for (const auto& key : keys) {
		const auto at = path + "/" + key;
		if (!recorded.has(key) || !actual.has(key)) {
			found += at + (actual.has(key) ? ": was not there\n" : ": is missing\n");
			continue;
		}
		compare(at, recorded.get(key), actual.get(key), found);
	}
}

bool isVolatile(const std::string& path)
{
	const auto key = path.substr(path.rfind('/') + 1);
	return std::ranges::find(volatileKeys, key) != volatileKeys.end();
}

/// A whole-second count of a life that ends in the middle of a second.
bool isRoundedLife(const std::string& path, const Var& recorded, const Var& actual)
{
	return path.ends_with("/ttl") && std::abs(recorded.convert<int>() - actual.convert<int>()) <= 1;
}

void compare(const std::string& path, const Var& recorded, const Var& actual, std::string& found)
{
	if (kindOf(recorded) != kindOf(actual)) {
		found += path + ": was " + kindOf(recorded) + ", is " + kindOf(actual) + " (" + asJson(actual) + ")\n";
	}
	else if (recorded.type() == typeid(Json::Ptr) && actual.type() == typeid(Json::Ptr)) {
		compareObjects(path, *recorded.extract<Json::Ptr>(), *actual.extract<Json::Ptr>(), found);
	}
	else if (!isVolatile(path) && asJson(recorded) != asJson(actual) && !isRoundedLife(path, recorded, actual)) {
		found += path + ": was " + asJson(recorded) + ", is " + asJson(actual) + "\n";
	}
}

void compareHeaders(const ApiReply& recorded, const ApiReply& actual, std::string& found)
{
	for (const auto& [name, value] : recorded.headers) {
		const auto header = actual.header(name);
		if (header != value) {
			found += "header " + name + ": was " + value + ", is " + header.value_or("missing") + "\n";
		}
	}
	for (const auto& [name, value] : actual.headers) {
		if (!recorded.header(name)) {
			found += "header " + name + ": was not there\n";
		}
	}
}

} // namespace

std::string asJson(const Var& value)
{
	std::ostringstream out;
	Poco::JSON::Stringifier::stringify(value, out);
	return out.str();
}

fs::path captureDirectory()
{
	return ISSUER_CAPTURES;
}

Capture loadCapture(const std::string& name)
{
	std::ifstream file(captureDirectory() / (name + ".json"));
	const std::string text(std::istreambuf_iterator<char>(file), {});
	if (text.empty()) {
		throw std::runtime_error("no capture " + name + " in " + captureDirectory().string());
	}
	const auto json = parse(text);
	Capture capture{
		.name = name, .about = json->getValue<std::string>("case"), .request = {}, .reply = {}, .timeline = {}};
	if (const auto timeline = json->getArray("timeline")) {
		for (std::size_t i = 0; i < timeline->size(); ++i) {
			const auto step = timeline->getObject(static_cast<unsigned>(i));
			capture.timeline.push_back({.seconds = step->getValue<double>("t"),
				.call = step->getValue<std::string>("call"),
				.expected = step});
		}
		return capture;
	}
	capture.request = requestOf(*json->getObject("request"));
	capture.reply = replyOf(*json->getObject("response"));
	return capture;
}

std::vector<std::string> captureNames()
{
	std::vector<std::string> names;
	for (const auto& entry : fs::recursive_directory_iterator(captureDirectory())) {
		if (entry.path().extension() == ".json") {
			names.push_back(fs::relative(entry.path(), captureDirectory()).replace_extension().string());
		}
	}
	std::ranges::sort(names);
	return names;
}

std::string differences(const ApiReply& recorded, const ApiReply& actual)
{
	std::string found;
	if (recorded.status != actual.status) {
		found += "status: was " + std::to_string(recorded.status) + ", is " + std::to_string(actual.status) + "\n";
	}
	compareHeaders(recorded, actual, found);
	const bool json = recorded.body.starts_with('{') && actual.body.starts_with('{');
	if (json) {
		compareObjects("", *parse(recorded.body), *parse(actual.body), found);
	}
	else if (recorded.body != actual.body) {
		found += "body: was " + recorded.body + ", is " + actual.body + "\n";
	}
	return found;
}

} // namespace issuer::test
