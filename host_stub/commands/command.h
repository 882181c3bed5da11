#pragma once

#include <Poco/Util/OptionSet.h>
#include <string>
#include <string_view>
#include <vector>

namespace issuer::commands {

/// One word of the command line and what it does. Its options are fields of its own, filled by define().
class Command
{
public:
	virtual ~Command() = default;

	[[nodiscard]] virtual std::string_view name() const = 0;
	[[nodiscard]] virtual std::string_view summary() const = 0; ///< one line; empty: not for people
	[[nodiscard]] virtual std::string_view help() const = 0;    ///< what it does, by example

	virtual void defineOptions(Poco::Util::OptionSet& options) const = 0;
	/// `value` is empty for an option without one. False: such a value makes no sense; `value` says what would.
	virtual bool setOption(const std::string& name, std::string& value) = 0;

	/// `arguments` are what follows the command's name, without the options. The exit code is of exit_codes.h.
	virtual int run(const std::vector<std::string>& arguments) = 0;
};

/// Says on stderr what was wrong with the command line and where to read more.
int usageError(const std::string& what, std::string_view command = {});

} // namespace issuer::commands
