#pragma once

#include <Poco/Util/OptionSet.h>
#include <string>
#include <string_view>
#include <vector>

namespace issuer::commands {

/// One command of the program. Its options are members, set through setOption().
class Command
{
public:
	virtual ~Command() = default;

	[[nodiscard]] virtual std::string_view name() const = 0;
	[[nodiscard]] virtual std::string_view summary() const = 0; ///< one line; empty: internal, not listed
	[[nodiscard]] virtual std::string_view help() const = 0;    ///< the purpose of the command, by example

	virtual void defineOptions(Poco::Util::OptionSet& options) const = 0;
	/// Takes an option. `value` is empty for one without a value. Returns false if the value is invalid; `value` then
	/// names the valid ones.
	virtual bool setOption(const std::string& name, std::string& value) = 0;

	/// Runs the command. `arguments` are those after the command's name, without the options. Returns a code of
	/// exit_codes.h.
	virtual int run(const std::vector<std::string>& arguments) = 0;
};

/// Prints the lines of an error to stderr, made safe to show: a part of it may come from a plugin or a server.
void complain(std::string_view text);

/// Prints the error in the command line and where to read more to stderr.
int usageError(const std::string& what, std::string_view command = {});

} // namespace issuer::commands
