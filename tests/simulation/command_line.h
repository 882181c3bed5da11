#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace issuer::simulation {

/// The options that every simulator has.
struct CommandLine
{
	std::optional<std::uint64_t> seed;   ///< of the one world, or of the run
	std::optional<std::uint64_t> worlds; ///< number of worlds of the run
	std::optional<std::uint64_t> workers;
	std::optional<std::string> property;
	bool compare = false;
	bool brief = false;
	bool first = false;

	/// Returns whether worlds are judged by this property.
	[[nodiscard]] bool wants(std::string_view name) const { return !property || *property == name; }
};

/// A program that plays worlds of one kind. Its functions return the exit status.
struct Simulator
{
	std::string_view name;
	std::string_view comparedWith; ///< other rules, for the usage
	std::vector<std::string_view> properties;
	std::uint64_t comparedWorlds; ///< unless the command line says how many
	int (*replay)(const CommandLine& line);
	int (*judge)(const CommandLine& line, std::uint64_t run, unsigned workers);
	void (*compare)(std::uint64_t run, std::uint64_t worlds, unsigned workers);
};

/// Does the work of a simulator's main(), and returns its exit status: 0 where all promises are kept, 1 where one is
/// broken or a process died, 2 after the usage.
int runSimulator(const Simulator& simulator, int count, char** words);

/// Returns the names of properties.
template <class Properties>
std::vector<std::string_view> namesOf(const Properties& properties)
{
	std::vector<std::string_view> names;
	for (const auto& property : properties) {
		names.push_back(property.name);
	}
	return names;
}

} // namespace issuer::simulation
