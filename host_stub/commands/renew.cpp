#include "commands/commands.h"

#include "commands/ask_host.h"
#include "commands/control_requests.h"

#include <filesystem>
#include <optional>

namespace issuer::commands {

namespace {

/// `issuer-host renew NAME`: has a running host renew one of its issuers now.
class Renew final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "renew"; }
	[[nodiscard]] std::string_view summary() const override { return "have a running host renew an issuer now"; }
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet& options) const override;
	bool setOption(const std::string& name, std::string& value) override;
	int run(const std::vector<std::string>& arguments) override;

private:
	std::optional<std::filesystem::path> _control;
	bool _reread = false;
};

} // namespace

std::string_view Renew::help() const
{
	return "Usage: issuer-host renew NAME [--reread] [--control PATH]\n"
		   "\n"
		   "Has the running host's issuer NAME renew its credential now instead of when it is due, or with --reread\n"
		   "read the source of its credential again, as after a new token was put there. It is told so, and the\n"
		   "host's log says what comes of it. A pause that the server has asked for is kept.\n"
		   "\n"
		   "Exit codes: 0 it was told; 64 wrong usage; 65 there is no such issuer, or it is\n"
		   "being swapped or stopped; 69 no host answers.\n";
}

void Renew::defineOptions(Poco::Util::OptionSet& options) const
{
	using Poco::Util::Option;
	options.addOption(Option("reread", "", "read the credential's source again"));
	options.addOption(Option("control", "", "where the host listens").argument("PATH"));
}

bool Renew::setOption(const std::string& name, std::string& value)
{
	if (name == "control") {
		_control = value;
	}
	_reread = _reread || name == "reread";
	return true;
}

int Renew::run(const std::vector<std::string>& arguments)
{
	if (arguments.size() != 1) {
		return usageError("renew takes an issuer's name", name());
	}
	const auto nudge = _reread ? registry::Nudge::credentialChanged : registry::Nudge::renewNow;
	return askHost(_control, nudgeRequest(arguments[0], nudge), false);
}

std::unique_ptr<Command> makeRenew()
{
	return std::make_unique<Renew>();
}

} // namespace issuer::commands
