#include "capture_files.h"

#include <Poco/JSON/Parser.h>
#include <Poco/JSON/Stringifier.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

namespace issuer::vault::wire {
namespace {

using Poco::JSON::Object;

const std::filesystem::path captures = ISSUER_CAPTURES;

std::optional<std::string> header(const Object& response, const std::string& name)
{
	const auto headers = response.getObject("headers");
	return headers->has(name) ? std::optional(headers->getValue<std::string>(name)) : std::nullopt;
}

} // namespace

std::vector<std::string> captureNames()
{
	std::vector<std::string> names;
	for (const auto& entry : std::filesystem::recursive_directory_iterator(captures)) {
		if (entry.path().extension() == ".json") {
			names.push_back(entry.path().lexically_relative(captures).replace_extension().string());
		}
	}
	return names;
}

Object::Ptr readCapture(const std::string& name)
{
	std::ifstream file(captures / (name + ".json"));
	return Poco::JSON::Parser().parse(file).extract<Object::Ptr>();
}

HttpReply replyIn(const Object& capture)
{
	const auto response = capture.getObject("response");
	HttpReply reply;
	reply.status = response->getValue<int>("status");
	reply.retryAfter = header(*response, "Retry-After").value_or("");
	reply.location = header(*response, "Location").value_or("");
	reply.body = bytesOf(response->get("body"));
	return reply;
}

WipedString bytesOf(const Poco::Dynamic::Var& body)
{
	if (body.isString()) {
		return WipedString(body.extract<std::string>());
	}
	std::ostringstream json;
	Poco::JSON::Stringifier::stringify(body, json);
	return WipedString(json.str());
}

} // namespace issuer::vault::wire
