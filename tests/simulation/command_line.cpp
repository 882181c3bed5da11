#include "command_line.h"

#include <algorithm>
#include <charconv>
#include <exception>
#include <iostream>
#include <random>
#include <thread>

namespace issuer::simulation {

namespace {

void printUsage(const Simulator& simulator)
{
	std::cerr << "usage: " << simulator.name << " --seed N\n"
			  << "           one world, and what happens in it\n       " << simulator.name << " --worlds N [--seed S]\n"
			  << "           N worlds judged by every property; S names the run\n       " << simulator.name
			  << " --compare [--worlds N] [--seed S]\n"
			  << "           the same worlds with " << simulator.comparedWith << R"(, as a table
  --property NAME   judge by this one alone
  --first           with --property: stop at the first world in which it is broken
  --brief           no story of a world in which it is broken
  --workers N       processes; as many as the machine has cores, unless given
)";
}

std::optional<std::uint64_t> number(std::string_view text)
{
	std::uint64_t value = 0;
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
	return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::optional<CommandLine> parse(int count, char** words)
{
	CommandLine line;
	for (int index = 1; index < count; ++index) {
		const std::string_view word = words[index];
		if (word == "--compare" || word == "--brief" || word == "--first") {
			(word == "--compare" ? line.compare : word == "--brief" ? line.brief : line.first) = true;
			continue;
		}
		if (++index == count) {
			return {};
		}
		if (word == "--property") {
			line.property = words[index];
		}
		else if (word == "--seed" || word == "--worlds" || word == "--workers") {
			auto& value = word == "--seed" ? line.seed : word == "--worlds" ? line.worlds : line.workers;
			value = number(words[index]);
			if (!value) {
				return {};
			}
		}
		else {
			return {};
		}
	}
	return line;
}

} // namespace

int runSimulator(const Simulator& simulator, int count, char** words)
try {
	const auto line = parse(count, words);
	const bool known = line && std::ranges::any_of(simulator.properties, [&](auto name) { return line->wants(name); });
	if (!known || (line->first && !line->property) || (!line->compare && !line->seed && !line->worlds)) {
		printUsage(simulator);
		return 2;
	}
	if (!line->compare && !line->worlds) {
		return simulator.replay(*line);
	}
	const auto run = line->seed.value_or(std::random_device{}());
	const auto workers =
		static_cast<unsigned>(line->workers.value_or(std::max(1U, std::thread::hardware_concurrency())));
	std::cout << "run " << run << std::endl;
	if (line->compare) {
		simulator.compare(run, line->worlds.value_or(simulator.comparedWorlds), workers);
		return 0;
	}
	return simulator.judge(*line, run, workers);
}
catch (const std::exception& error) {
	std::cerr << simulator.name << ": " << error.what() << '\n';
	return 1;
}

} // namespace issuer::simulation
