#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace issuer::conformance {

enum class Grade
{
	pass,
	warn, ///< allowed by the contract, but unwise
	skip, ///< could not be checked; the text says what is missing
	fail,
};

struct CheckOutcome
{
	Grade grade = Grade::pass;
	std::string text; ///< the finding in one sentence; empty for a pass
};

/// The plugin under check.
struct Subject
{
	std::filesystem::path plugin;      ///< absolute
	std::optional<std::string> config; ///< a configuration that the plugin can start with
};

/// The precondition of a check, each step including all before it.
enum class Needs
{
	file,     ///< none
	object,   ///< the file is a shared object
	library,  ///< the library can be loaded and has the table
	table,    ///< a host can drive the table
	instance, ///< an instance can be created
	running,  ///< an instance can be started
	stopping, ///< an instance can be stopped
};

/// One promise of the contract, checked on a plugin in a process of its own.
struct Check
{
	const char* name;     ///< kebab-case; never changes
	const char* sentence; ///< the behaviour of a good plugin
	Needs needs;
	bool gate;                   ///< if it does not pass, checks with a later precondition are skipped
	void (*run)(const Subject&); ///< throws a CheckOutcome unless it passes
};

[[nodiscard]] std::span<const Check> allChecks();

/// Runs one check in this process, which may crash: call it in a child.
[[nodiscard]] CheckOutcome perform(const Check& check, const Subject& subject);

[[noreturn]] inline void fail(std::string text)
{
	throw CheckOutcome{Grade::fail, std::move(text)};
}

[[noreturn]] inline void warn(std::string text)
{
	throw CheckOutcome{Grade::warn, std::move(text)};
}

[[noreturn]] inline void skip(std::string text)
{
	throw CheckOutcome{Grade::skip, std::move(text)};
}

inline void expect(bool holds, const std::string& otherwise)
{
	if (!holds) {
		fail(otherwise);
	}
}

} // namespace issuer::conformance
