#include "commands/commands.h"

#include "commands/ask_host.h"
#include "commands/control_requests.h"
#include "commands/exit_codes.h"
#include "commands/reloading.h"
#include "common/text.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <filesystem>
#include <iostream>
#include <optional>

namespace issuer::commands {

namespace {

/// `issuer-host reload`: has a running host follow its configuration again.
class Reload final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "reload"; }
	[[nodiscard]] std::string_view summary() const override
	{
		return "have a running host read its configuration again";
	}
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet& options) const override;
	bool setOption(const std::string& name, std::string& value) override;
	int run(const std::vector<std::string>& arguments) override;

private:
	std::optional<std::filesystem::path> _control;
	bool _wait = false;
	bool _dryRun = false;
	bool _json = false;
};

int exitCodeOf(const std::string& result)
{
	return result == "applied"                                 ? exitOk
		   : result == "held"                                  ? exitFindings
		   : result == "rolled_back" || result == "unreadable" ? exitTemporary
															   : exitConfig;
}

} // namespace

std::string_view Reload::help() const
{
	return "Usage: issuer-host reload [--wait | --dry-run] [--control PATH] [--json]\n"
		   "\n"
		   "Has the running host read its configuration again, as SIGHUP does, and prints a sentence for each thing\n"
		   "that changes, that does not although it should, or that cannot while the host runs (http, journal, "
		   "control,\n"
		   "the timeouts, a plugin's file that was overwritten). A configuration with an error changes nothing.\n"
		   "\n"
		   "It answers when the swaps have begun; with --wait when all swaps and stops have ended, each within its\n"
		   "time. What is added starts in its own time: see `issuer-host status`. With --dry-run nothing is changed; "
		   "it\n"
		   "says what would be.\n"
		   "\n"
		   "Example:\n"
		   "  issuer-host check --config /etc/issuer-host/host.json && issuer-host reload --wait\n"
		   "\n"
		   "Exit codes: 0 the configuration is in force (without --wait: is coming into force; with --dry-run: would\n"
		   "come); 1 the same, but something in it cannot change while the host runs; 64 wrong usage; 69 no host\n"
		   "answers; 75 some issuers go on as before, or the configuration could not be read now; 78 it must be "
		   "mended,\n"
		   "and nothing was changed.\n";
}

void Reload::defineOptions(Poco::Util::OptionSet& options) const
{
	using Poco::Util::Option;
	options.addOption(Option("wait", "w", "answer when all swaps and stops have ended"));
	options.addOption(Option("dry-run", "", "change nothing, say what would be"));
	options.addOption(Option("control", "", "where the host listens").argument("PATH"));
	options.addOption(Option("json", "", "the host's answer as it came, for programs"));
}

bool Reload::setOption(const std::string& name, std::string& value)
{
	if (name == "control") {
		_control = value;
	}
	_wait = _wait || name == "wait";
	_dryRun = _dryRun || name == "dry-run";
	_json = _json || name == "json";
	return true;
}

int Reload::run(const std::vector<std::string>& arguments)
{
	if (!arguments.empty() || (_wait && _dryRun)) {
		return usageError("reload takes no argument, and one of --wait and --dry-run", name());
	}
	const ReloadMode mode = _wait ? ReloadMode::wait : _dryRun ? ReloadMode::dryRun : ReloadMode::begin;
	const Result<std::string> answer = answerOfHost(_control, reloadRequest(mode));
	if (!answer) {
		complain(answer.error().text);
		return exitUnavailable;
	}
	if (_json) {
		std::cout << *answer << '\n';
	}
	try {
		const auto json = Poco::JSON::Parser().parse(*answer).extract<Poco::JSON::Object::Ptr>();
		const bool ok = json->optValue("ok", false);
		const auto sentences = json->getArray("sentences");
		for (std::size_t i = 0; !_json && !sentences.isNull() && i < sentences->size(); ++i) {
			(ok ? std::cout : std::cerr) << sanitize(sentences->getElement<std::string>(static_cast<unsigned>(i)))
										 << '\n';
		}
		if (!ok) {
			complain(json->optValue<std::string>("error", "the host says no"));
		}
		else if (!_json) {
			std::cout << sanitize(json->optValue<std::string>("text", "done")) << '\n';
		}
		return exitCodeOf(json->optValue<std::string>("result", ""));
	}
	catch (const Poco::Exception&) {
		complain("the host's answer is not JSON");
		return exitSoftware;
	}
}

std::unique_ptr<Command> makeReload()
{
	return std::make_unique<Reload>();
}

} // namespace issuer::commands
