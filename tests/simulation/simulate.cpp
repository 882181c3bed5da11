#include "campaign.h"
#include "comparison.h"
#include "world_player.h"
#include "worlds.h"

#include <algorithm>
#include <charconv>
#include <exception>
#include <iostream>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>

namespace {

using namespace issuer::simulation;

constexpr std::string_view usage = R"(usage: simulate --seed N                   one world, and what happens in it
       simulate --worlds N [--seed S]      N worlds judged by every property; S names the run
       simulate --compare [--worlds N] [--seed S]
                                           the same worlds with other renewers' rules, as a table
       --property NAME                     judge by this one alone
       --first                             with --worlds and --property: stop at the first world in which it is broken
       --brief                             no story of a world in which it is broken
       --workers N                         processes; as many as the machine has cores, unless given
)";

struct Wishes
{
	std::optional<std::uint64_t> seed;
	std::optional<std::uint64_t> worlds;
	std::optional<std::uint64_t> workers;
	std::optional<std::string> property;
	bool compare = false;
	bool brief = false;
	bool first = false;
};

std::optional<std::uint64_t> number(std::string_view text)
{
	std::uint64_t value = 0;
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
	return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::optional<Wishes> understand(int count, char** words)
{
	Wishes wishes;
	for (int index = 1; index < count; ++index) {
		const std::string_view word = words[index];
		if (word == "--compare" || word == "--brief" || word == "--first") {
			(word == "--compare" ? wishes.compare : word == "--brief" ? wishes.brief : wishes.first) = true;
			continue;
		}
		if (++index == count) {
			return {};
		}
		if (word == "--property") {
			wishes.property = words[index];
		}
		else if (word == "--seed" || word == "--worlds" || word == "--workers") {
			auto& wish = word == "--seed" ? wishes.seed : word == "--worlds" ? wishes.worlds : wishes.workers;
			wish = number(words[index]);
			if (!wish) {
				return {};
			}
		}
		else {
			return {};
		}
	}
	return wishes;
}

bool wanted(const Wishes& wishes, const Property& property)
{
	return !wishes.property || *wishes.property == property.name;
}

int replay(const Wishes& wishes)
{
	const auto world = worldOf(*wishes.seed).value();
	std::cout << world << '\n';
	Timeline timeline(std::cout);
	const auto chronicle = play(world, &timeline);
	std::cout << '\n';
	bool kept = true;
	for (const auto& property : properties()) {
		if (wanted(wishes, property)) {
			const auto broken = property.broken(world, chronicle);
			std::cout << property.name << ": " << broken.value_or("kept") << '\n';
			kept = kept && !broken;
		}
	}
	return kept ? 0 : 1;
}

int judgeMany(const Wishes& wishes, std::uint64_t run, unsigned workers)
{
	const auto untilBroken =
		std::ranges::find_if(properties(), [&](const Property& property) { return wishes.property == property.name; });
	const auto verdicts = judge(run, *wishes.worlds, workers, wishes.first ? &*untilBroken : nullptr);
	const Property* first = nullptr;
	std::uint64_t seed = 0;
	for (std::size_t which = 0; which < verdicts.size(); ++which) {
		const auto& property = properties()[which];
		if (!wanted(wishes, property)) {
			continue;
		}
		std::cout << property.name << ": " << (verdicts[which].broken == 0 ? "kept" : "BROKEN") << " in "
				  << (verdicts[which].broken == 0 ? *wishes.worlds : verdicts[which].broken) << " of " << *wishes.worlds
				  << " worlds";
		for (const auto broken : verdicts[which].seeds) {
			std::cout << (broken != 0 ? " " + std::to_string(broken) : "");
		}
		std::cout << std::endl;
		if (verdicts[which].broken > 0 && first == nullptr) {
			first = &property;
			seed = verdicts[which].seeds.front();
		}
	}
	if (first == nullptr) {
		return 0;
	}
	if (!wishes.brief) {
		std::cout << '\n';
		explain(std::cout, seed, *first);
	}
	return 1;
}

} // namespace

int main(int count, char** words)
try {
	const auto wishes = understand(count, words);
	const bool known = wishes && (!wishes->property || std::ranges::any_of(properties(), [&](const Property& property) {
		return property.name == *wishes->property;
	}));
	if (!known || (wishes->first && !wishes->property) || (!wishes->compare && !wishes->seed && !wishes->worlds)) {
		std::cerr << usage;
		return 2;
	}
	if (!wishes->compare && !wishes->worlds) {
		return replay(*wishes);
	}
	const auto run = wishes->seed.value_or(std::random_device{}());
	const auto workers =
		static_cast<unsigned>(wishes->workers.value_or(std::max(1U, std::thread::hardware_concurrency())));
	std::cout << "run " << run << std::endl;
	if (wishes->compare) {
		compare(std::cout, run, wishes->worlds.value_or(100'000), workers);
		return 0;
	}
	return judgeMany(*wishes, run, workers);
}
catch (const std::exception& error) {
	std::cerr << "simulate: " << error.what() << '\n';
	return 1;
}
