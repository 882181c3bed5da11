#include "commands/ask_host.h"

#include "commands/command.h"
#include "commands/exit_codes.h"
#include "commands/quick_config.h"
#include "common/text.h"
#include "control/client.h"
#include "control/paths.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <iostream>

namespace issuer::commands {

namespace {

/// Prints the host's answer, in words or, for programs, as JSON. Returns the exit code.
int tell(const std::string& answer, bool asJson)
try {
	const auto json = Poco::JSON::Parser().parse(answer).extract<Poco::JSON::Object::Ptr>();
	if (json->optValue("ok", false)) {
		std::cout << (asJson ? answer : sanitize(json->optValue<std::string>("text", "done"))) << '\n';
		return exitOk;
	}
	if (asJson) {
		std::cout << answer << '\n';
	}
	complain(json->optValue<std::string>("error", "the host refused and gave no reason"));
	return json->optValue<std::string>("result", "") == "rolled_back" ? exitTemporary : exitData;
}
catch (const Poco::Exception&) {
	complain("the host's answer is not JSON");
	return exitSoftware;
}

} // namespace

Result<std::string> answerOfHost(const std::optional<std::filesystem::path>& socket, const std::string& request)
{
	const Result<std::filesystem::path> host = socket ? Result<std::filesystem::path>(*socket)
													  : control::findHost(control::likelySockets(environmentVariable));
	return host.and_then([&](const std::filesystem::path& path) { return control::ask(path, request); });
}

int askHost(const std::optional<std::filesystem::path>& socket, const std::string& request, bool asJson)
{
	const Result<std::string> answer = answerOfHost(socket, request);
	if (!answer) {
		complain(answer.error().text);
		return exitUnavailable;
	}
	return tell(*answer, asJson);
}

} // namespace issuer::commands
