#include "commands/swap.h"

#include "commands/control_requests.h"
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

/// What the host said, told to people or handed on to programs; the exit code.
int tell(const std::string& answer, bool asJson)
try {
	const auto json = Poco::JSON::Parser().parse(answer).extract<Poco::JSON::Object::Ptr>();
	if (json->optValue("ok", false)) {
		std::cout << (asJson ? answer : printable(json->optValue<std::string>("text", ""))) << '\n';
		return exitOk;
	}
	if (asJson) {
		std::cout << answer << '\n';
	}
	std::cerr << "issuer-host: " << printable(json->optValue<std::string>("error", "the host says no")) << '\n';
	return json->optValue<std::string>("result", "") == "rolled_back" ? exitTemporary : exitData;
}
catch (const Poco::Exception&) {
	std::cerr << "issuer-host: the host's answer is not JSON\n";
	return exitSoftware;
}

} // namespace

std::string_view Swap::help() const
{
	return "Usage: issuer-host swap NAME PLUGIN [--sha256 SUM] [--control PATH] [--json]\n"
		   "\n"
		   "Has the running host put PLUGIN under its issuer NAME, which keeps its configuration, its lease and its\n"
		   "counts, and says what came of it. If anything fails the issuer goes on as before.\n"
		   "\n"
		   "The host follows its configuration again at the next SIGHUP and after a restart: change it there too.\n"
		   "PLUGIN must lie at a path of its own for each version; `issuer-host stage` makes one.\n"
		   "\n"
		   "Example:\n"
		   "  issuer-host swap team-a \"$(issuer-host stage ./vault_plugin.so)\"\n"
		   "\n"
		   "Exit codes: 0 swapped; 64 wrong usage; 65 refused, the issuer has noticed nothing; 69 no host answers;\n"
		   "75 not swapped, the issuer goes on as before.\n";
}

void Swap::defineOptions(Poco::Util::OptionSet& options) const
{
	using Poco::Util::Option;
	options.addOption(Option("control", "", "where the host listens").argument("PATH"));
	options.addOption(Option("sha256", "", "refuse a plugin with another sum").argument("SUM"));
	options.addOption(Option("json", "", "the host's answer as it came, for programs"));
}

bool Swap::setOption(const std::string& name, std::string& value)
{
	if (name == "control") {
		_control = value;
	}
	else if (name == "sha256") {
		_sha256 = value;
	}
	_json = _json || name == "json";
	return true;
}

int Swap::run(const std::vector<std::string>& arguments)
{
	if (arguments.size() != 2) {
		return usageError("swap takes an issuer's name and a plugin", name());
	}
	const loader::PluginFile plugin{std::filesystem::absolute(arguments[1]).lexically_normal(), _sha256};
	const Result<std::filesystem::path> socket = _control
													 ? Result<std::filesystem::path>(*_control)
													 : control::findHost(control::likelySockets(environmentVariable));
	const Result<std::string> answer = socket.and_then([&](const std::filesystem::path& path) {
		return control::ask(path, swapRequest(arguments[0], plugin)); // as long as its server may take
	});
	if (!answer) {
		std::cerr << "issuer-host: " << answer.error().text << '\n';
		return exitUnavailable;
	}
	return tell(*answer, _json);
}

} // namespace issuer::commands
