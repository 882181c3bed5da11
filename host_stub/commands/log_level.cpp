#include "commands/commands.h"

#include "commands/ask_host.h"
#include "commands/control_requests.h"
#include "observe/events/names.h"

#include <filesystem>
#include <optional>

#include <filesystem>
#include <optional>

#include <filesystem>
#include <optional>

namespace issuer::commands {

namespace {

/// `issuer-host log-level LEVEL`: changes which lines a running host's log has.
class LogLevel final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "log-level"; }
	[[nodiscard]] std::string_view summary() const override { return "change which lines a running host's log has"; }
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet& options) const override;
	bool setOption(const std::string& name, std::string& value) override;
	int run(const std::vector<std::string>& arguments) override;

private:
	std::optional<std::filesystem::path> _control;
};

} // namespace

std::string_view LogLevel::help() const
{
	return "Usage: issuer-host log-level LEVEL [--control PATH]\n"
		   "\n"
		   "From now on the running host's log has the lines of LEVEL and above: debug, info, warn or error. Holds\n"
		   "until the next start, which goes by --log-level again. The journal file keeps everything as ever.\n"
		   "\n"
		   "Example:\n"
		   "  issuer-host log-level debug\n"
		   "\n"
		   "Exit codes: 0 it is so; 64 wrong usage; 65 the host refused; 69 no host answers.\n";
}

void LogLevel::defineOptions(Poco::Util::OptionSet& options) const
{
	options.addOption(Poco::Util::Option("control", "", "where the host listens").argument("PATH"));
}

bool LogLevel::setOption(const std::string&, std::string& value)
{
	_control = value;
	return true;
}

int LogLevel::run(const std::vector<std::string>& arguments)
{
	if (arguments.size() != 1 || !observe::levelNamed(arguments[0])) {
		return usageError("log-level takes debug, info, warn or error", name());
	}
	return askHost(_control, logLevelRequest(arguments[0]), false);
}

std::unique_ptr<Command> makeLogLevel()
{
	return std::make_unique<LogLevel>();
}

} // namespace issuer::commands
