#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace issuer::conformance {

enum class Verdict
{
	pass,
	warn, ///< allowed, and not wise
	skip, ///< could not be looked at; the text says what it needs
	fail,
};

struct Outcome
{
	Verdict verdict = Verdict::pass;
	std::string text; ///< what was found, one sentence; empty for a pass
};

/// What is checked.
struct Subject
{
	std::filesystem::path plugin;      ///< absolute
	std::optional<std::string> config; ///< a configuration it can start with
};

/// What must be so before a check makes sense, each step with all before it.
enum class Needs
{
	file,     ///< nothing
	object,   ///< it is a shared object
	library,  ///< it can be loaded and has the table
	table,    ///< the table is one that a host can drive
	instance, ///< an instance can be created
	running,  ///< and started
	stopping, ///< and stopped
};

/// One promise of the contract, asked of a plugin in a process of its own.
struct Check
{
	const char* name;     ///< kebab-case, for ever
	const char* sentence; ///< what a good plugin does
	Needs needs;
	bool gate;                   ///< if it does not pass, nothing that needs more makes sense
	void (*run)(const Subject&); ///< throws an Outcome unless it passes
};

[[nodiscard]] std::span<const Check> allChecks();

/// Runs one check in this process, which it may take with it. Call it in a child.
[[nodiscard]] Outcome perform(const Check& check, const Subject& subject);

[[noreturn]] inline void fail(std::string text)
{
	throw Outcome{Verdict::fail, std::move(text)};
}

[[noreturn]] inline void warn(std::string text)
{
	throw Outcome{Verdict::warn, std::move(text)};
}

[[noreturn]] inline void skip(std::string text)
{
	throw Outcome{Verdict::skip, std::move(text)};
}

inline void expect(bool holds, const std::string& otherwise)
{
	if (!holds) {
		fail(otherwise);
	}
}

} // namespace issuer::conformance
