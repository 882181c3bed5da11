#include "commands/commands.h"

#include "commands/control_requests.h"
#include "commands/exit_codes.h"
#include "commands/fleet_pages.h"
#include "commands/fleet_table.h"
#include "commands/quick_config.h"
#include "commands/status_table.h"
#include "common/result.h"
#include "common/text.h"
#include "control/client.h"
#include "control/paths.h"
#include "observe/web/issuers_json.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <sstream>
#include <sys/ioctl.h>
#include <unistd.h>

namespace issuer::commands {

namespace {

/// `issuer-host status`: prints the state of the running host's issuers.
class Status final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "status"; }
	[[nodiscard]] std::string_view summary() const override { return "show how the running host's issuers are"; }
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet& options) const override;
	bool setOption(const std::string& name, std::string& value) override;
	int run(const std::vector<std::string>& arguments) override;

private:
	[[nodiscard]] Result<std::string> ask(const std::string& request) const;
	[[nodiscard]] Result<void> askFleet(Poco::JSON::Object& answer) const;
	int show(bool again) const;
	int watch() const;

	std::optional<std::string> _control;
	std::optional<std::string> _issuer;
	bool _fleet = false;
	bool _json = false;
	bool _names = false;
	bool _watch = false;
};

constexpr std::chrono::seconds patience{10}; // a host that does not answer for so long is reported as such
constexpr std::chrono::seconds patienceForPages{6};
constexpr std::chrono::seconds patienceForIssuers{60}; // of 100,000 a host hands out a hundred pages
constexpr timespec pause{2, 0};

/// Returns a table that replaces the last one on a terminal without a flicker: each line is overwritten, and the rest
/// below is cleared.
std::string inPlace(const std::string& table)
{
	std::string text = "\033[H";
	for (const char letter : table) {
		text += letter == '\n' ? "\033[K\n" : std::string(1, letter);
	}
	return text + "\033[J";
}

/// The size of the terminal; none where it does not say.
std::optional<Screen> screenOf(int fd)
{
	winsize size{};
	const bool told = ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0;
	return told ? std::optional(Screen{size.ws_row, size.ws_col}) : std::nullopt;
}

void showNames(const Poco::JSON::Object& answer)
{
	const Poco::JSON::Array::Ptr issuers = answer.getArray("issuers");
	for (std::size_t i = 0; i < issuers->size(); ++i) {
		std::cout << sanitize(issuers->getObject(static_cast<unsigned>(i))->getValue<std::string>("name")) << '\n';
	}
	std::cout << std::flush;
}

} // namespace

std::string_view Status::help() const
{
	return "Usage: issuer-host status [NAME] [--json | --names] [--watch] [--control PATH]\n"
		   "       issuer-host status --fleet [--json] [--watch] [--control PATH]\n"
		   "\n"
		   "Asks the running host how its issuers are, or how NAME is, and shows it as a table, most urgent first.\n"
		   "\n"
		   "  --fleet   the hosts that the running one shares its issuers with: how many issuers each keeps and how\n"
		   "            they are, whether etcd answers, the worst issuers of all and which no host is seen to keep.\n"
		   "            Each is asked at its page, the \"url\" of its \"fleet\"; of one that cannot be asked, what it\n"
		   "            wrote into etcd last is shown. Takes up to 6 s, with --json up to a minute\n"
		   "  --json    the answer as one line of JSON, as GET /api/v1/issuers or /api/v1/fleet gives it; with "
		   "--fleet\n"
		   "            also \"issuers\", the keeper and the severity of each\n"
		   "  --names   only the issuers' names, one a line\n"
		   "  --watch   again and again, until SIGINT; on a terminal as many of the most urgent as fit\n"
		   "\n"
		   "Example:\n"
		   "  issuer-host status --json | jq '.issuers[] | select(.severity == \"dead\") | .name'\n"
		   "\n"
		   "Exit codes: 0 shown; 64 wrong usage; 65 there is no such issuer; 69 no host answers.\n";
}

void Status::defineOptions(Poco::Util::OptionSet& options) const
{
	using Poco::Util::Option;
	options.addOption(Option("control", "", "where the host listens").argument("PATH"));
	options.addOption(Option("fleet", "", "the hosts of the fleet, and how their issuers are"));
	options.addOption(Option("json", "", "one line of JSON, for programs"));
	options.addOption(Option("names", "", "only the issuers' names, one a line"));
	options.addOption(Option("watch", "w", "again every two seconds"));
}

bool Status::setOption(const std::string& name, std::string& value)
{
	if (name == "control") {
		_control = value;
	}
	_fleet = _fleet || name == "fleet";
	_json = _json || name == "json";
	_names = _names || name == "names";
	_watch = _watch || name == "watch";
	return true;
}

int Status::run(const std::vector<std::string>& arguments)
{
	if (arguments.size() > 1) {
		return usageError("status takes one issuer's name at most", name());
	}
	if (_json && _names) {
		return usageError("status takes one of --json and --names", name());
	}
	if (_fleet && (_names || !arguments.empty())) {
		return usageError("status --fleet takes no issuer's name and no --names", name());
	}
	if (!arguments.empty()) {
		_issuer = arguments.front();
	}
	const int code = _watch ? watch() : show(false);
	if (_fleet) {
		std::cout << std::flush;
		std::_Exit(code); // a page that hangs may still be asked, on a thread of its own
	}
	return code;
}

Result<std::string> Status::ask(const std::string& request) const
{
	const Result<std::filesystem::path> socket = _control
													 ? Result<std::filesystem::path>(*_control)
													 : control::findHost(control::likelySockets(environmentVariable));
	return socket.and_then([&](const std::filesystem::path& path) { return control::ask(path, request, patience); });
}

/// Merges the pages of the other members into the host's answer. Fails if the host no longer answers.
Result<void> Status::askFleet(Poco::JSON::Object& answer) const
{
	Poco::JSON::Object& fleet = *answer.getObject("fleet");
	const AskPage askPage = askOverHttp(answer.optValue<std::string>("ca_file", ""));
	answer.remove("ca_file");
	if (!_json) {
		static_cast<void>(askMembers(fleet, Issuers::worst, askPage, patienceForPages));
		return {};
	}
	const std::vector<ToldIssuer> told = askMembers(fleet, Issuers::all, askPage, patienceForIssuers);
	std::vector<std::string> own;
	for (bool more = true; more;) {
		const Result<std::string> page = ask(issuersPageRequest(own.size() * observe::web::largestLimit));
		if (!page) {
			return tl::unexpected(page.error());
		}
		own.push_back(*page);
		more = Poco::JSON::Parser().parse(*page).extract<Poco::JSON::Object::Ptr>()->getArray("issuers")->size() > 0;
	}
	addIssuers(fleet, own, told);
	return {};
}

int Status::show(bool again) const
try {
	const bool terminal = ::isatty(STDOUT_FILENO) == 1;
	const std::optional<Screen> screen = _watch && terminal ? screenOf(STDOUT_FILENO) : std::nullopt;
	const auto limit = screen && !_json && !_names ? std::optional(screen->rows) : std::nullopt;
	const Result<std::string> answer = ask(_fleet ? fleetRequest() : issuersRequest(_issuer, limit));
	if (!answer) {
		std::cerr << "issuer-host: " << answer.error().text << '\n';
		return exitUnavailable;
	}
	auto json = Poco::JSON::Parser().parse(*answer).extract<Poco::JSON::Object::Ptr>();
	if (!json->optValue("ok", false)) {
		std::cerr << "issuer-host: "
				  << sanitize(json->optValue<std::string>("error", "the host refused and gave no reason")) << '\n';
		return exitUnavailable;
	}
	if (_issuer && json->getValue<int>("matching") == 0) {
		std::cerr << "issuer-host: there is no issuer " << sanitize(*_issuer) << '\n';
		return exitData;
	}
	if (const Result<void> asked = _fleet ? askFleet(*json) : Result<void>(); !asked) {
		std::cerr << "issuer-host: " << asked.error().text << '\n';
		return exitUnavailable;
	}
	if (_json) {
		std::string text = *answer;
		if (_fleet) {
			std::ostringstream merged;
			json->stringify(merged);
			text = merged.str();
		}
		std::cout << text << std::endl;
		return exitOk;
	}
	if (_names) {
		showNames(*json);
		return exitOk;
	}
	const bool colours = terminal && environmentVariable("NO_COLOR").value_or("").empty();
	const std::string table = _fleet ? fleetTable(*json->getObject("fleet")) : statusTable(*json, colours, screen);
	std::cout << (_watch && terminal ? inPlace(table) : (again ? "\n" : "") + table) << std::flush;
	return exitOk;
}
catch (const Poco::Exception&) {
	std::cerr << "issuer-host: the host's answer makes no sense to this version\n";
	return exitSoftware;
}

int Status::watch() const
{
	sigset_t ends;
	::sigemptyset(&ends);
	::sigaddset(&ends, SIGINT);
	::sigaddset(&ends, SIGTERM);
	::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
	if (!_json && !_names && ::isatty(STDOUT_FILENO) == 1) {
		std::cout << "\033[2J";
	}
	// A host that is restarting is waited for, so that --watch sees it come back.
	for (bool again = false;; again = true) {
		const int code = show(again);
		if (!std::cout || code == exitData) {
			return code;
		}
		if (::sigtimedwait(&ends, nullptr, &pause) > 0) {
			return exitOk;
		}
	}
}

std::unique_ptr<Command> makeStatus()
{
	return std::make_unique<Status>();
}

} // namespace issuer::commands
