#include "login_properties.h"
#include "share_out.h"

#include <algorithm>
#include <array>
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

constexpr std::string_view usage =
	R"(usage: simulate_logins --seed N                one world with logins, and what happens in it
       simulate_logins --worlds N [--seed S]   N worlds judged by every property; S names the run
       simulate_logins --compare [--worlds N] [--seed S]
                                               the same worlds with the rules of Vault's agent, as a table
       --property NAME                         judge by this one alone
       --first                                 with --property: stop at the first world in which it is broken
       --brief                                 no story of a world in which it is broken
       --workers N                             processes; as many as the machine has cores, unless given
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
			continue;
		}
		auto* wish = word == "--seed"      ? &wishes.seed
					 : word == "--worlds"  ? &wishes.worlds
					 : word == "--workers" ? &wishes.workers
										   : nullptr;
		if (wish == nullptr || !(*wish = number(words[index]))) {
			return {};
		}
	}
	return wishes;
}

/// Worlds of one run have nothing in common, and a seed is small enough to be typed.
std::uint64_t seedOf(std::uint64_t run, std::uint64_t index)
{
	constexpr std::uint64_t worlds = (1ULL << 40U) - 1;
	return (run * 0x9e3779b97f4a7c15U + index) * 0xd1342543de82ef95U & worlds;
}

int replay(const Wishes& wishes)
{
	const auto world = loginWorldOf(*wishes.seed);
	std::cout << world << '\n';
	const auto chronicle = playLogins(world, LoginRules::ours, &std::cout);
	bool kept = true;
	for (const auto& property : loginProperties()) {
		if (!wishes.property || *wishes.property == property.name) {
			const auto broken = property.broken(world, chronicle);
			std::cout << property.name << ": " << broken.value_or("kept") << '\n';
			kept = kept && !broken;
		}
	}
	return kept ? 0 : 1;
}

/// Of each property: the worlds that break it, and the first of them.
struct Verdict
{
	std::uint64_t broken = 0;
	std::uint64_t seed = 0;
};
using Verdicts = std::array<Verdict, 8>;

int judge(const Wishes& wishes, std::uint64_t run, unsigned workers)
{
	const auto work = [&](std::uint64_t index, Verdicts& verdicts) {
		const auto world = loginWorldOf(seedOf(run, index));
		const auto chronicle = playLogins(world, LoginRules::ours);
		bool goOn = true;
		for (std::size_t which = 0; which < loginProperties().size(); ++which) {
			const auto& property = loginProperties()[which];
			const bool judged = !wishes.property || *wishes.property == property.name;
			if (judged && property.broken(world, chronicle)) {
				verdicts[which].seed = verdicts[which].broken++ == 0 ? world.seed : verdicts[which].seed;
				goOn = !wishes.first;
			}
		}
		return goOn;
	};
	Verdicts sum{};
	shareOut<Verdicts>(*wishes.worlds, workers, work, [&](const Verdicts& share) {
		for (std::size_t which = 0; which < share.size(); ++which) {
			sum[which].seed = sum[which].broken == 0 ? share[which].seed : sum[which].seed;
			sum[which].broken += share[which].broken;
		}
	});
	std::optional<std::uint64_t> worst;
	for (std::size_t which = 0; which < sum.size(); ++which) {
		const auto& property = loginProperties()[which];
		if (wishes.property && *wishes.property != property.name) {
			continue;
		}
		const bool broken = sum[which].broken > 0;
		std::cout << property.name << ": " << (broken ? "BROKEN" : "kept") << " in "
				  << (broken ? sum[which].broken : *wishes.worlds) << " of " << *wishes.worlds << " worlds";
		std::cout << (broken ? " " + std::to_string(sum[which].seed) : "") << std::endl;
		if (broken && !worst) {
			worst = sum[which].seed;
		}
	}
	if (worst && !wishes.brief) {
		std::cout << '\n';
		auto alone = wishes;
		alone.seed = worst;
		replay(alone);
	}
	return worst ? 1 : 0;
}

/// The costs of rules in all worlds together.
struct Fare
{
	std::uint64_t gaps = 0;
	std::uint64_t gapsInVain = 0;
	double secondsWithout = 0;
	std::uint64_t lockedOut = 0; ///< number of worlds in which logins were locked out
	std::uint64_t logins = 0;
	std::uint64_t unproven = 0;
	std::uint64_t told = 0; ///< gaps that were announced before
};
using Fares = std::array<Fare, 2>;

void add(Fare& sum, const Fare& share)
{
	sum.gaps += share.gaps;
	sum.gapsInVain += share.gapsInVain;
	sum.secondsWithout += share.secondsWithout;
	sum.lockedOut += share.lockedOut;
	sum.logins += share.logins;
	sum.unproven += share.unproven;
	sum.told += share.told;
}

Fare fareOf(const LoginWorld& world, const LoginChronicle& chronicle)
{
	Fare fare;
	for (const auto& gap : chronicle.gaps) {
		++fare.gaps;
		fare.gapsInVain += inVain(world, chronicle, gap) ? 1U : 0U;
		fare.secondsWithout += std::chrono::duration<double>(gap.until - gap.from).count();
		const auto& told = chronicle.diary.told;
		const auto used = chronicle.tokens[gap.token].issued;
		fare.told += std::ranges::any_of(told, [&](const LoginDiary::Told& one) {
			return one.issuer == gap.issuer && one.at < gap.from && one.at >= used &&
				   one.event.outcome != issuer::vault::renewal::Outcome::success;
		});
	}
	fare.lockedOut = chronicle.lockouts > 0 ? 1 : 0;
	fare.logins = chronicle.logins.size();
	fare.unproven = static_cast<std::uint64_t>(
		std::ranges::count_if(chronicle.diary.uses, [](const LoginDiary::Use& use) { return !use.proven; }));
	return fare;
}

int compare(std::uint64_t run, std::uint64_t worlds, unsigned workers)
{
	const auto work = [&](std::uint64_t index, Fares& fares) {
		const auto world = loginWorldOf(seedOf(run, index));
		add(fares[0], fareOf(world, playLogins(world, LoginRules::ours)));
		add(fares[1], fareOf(world, playLogins(world, LoginRules::agent)));
		return true;
	};
	Fares sum{};
	shareOut<Fares>(worlds, workers, work, [&](const Fares& share) {
		add(sum[0], share[0]);
		add(sum[1], share[1]);
	});
	std::cout
		<< "| " << worlds
		<< " worlds with logins | moments without a token | of these in vain | hours without, in all | announced "
		   "before | worlds with a lockout | logins | tokens taken unproven |\n|---|---|---|---|---|---|---|---|\n";
	constexpr const char* names[] = {"Issuer Lifecycle", "agent (OpenBao, Vault)"};
	for (std::size_t who = 0; who < sum.size(); ++who) {
		const auto& fare = sum[who];
		std::cout << "| " << names[who] << " | " << fare.gaps << " | " << fare.gapsInVain << " | "
				  << static_cast<std::uint64_t>(fare.secondsWithout / 3600) << " | " << fare.told << " | "
				  << fare.lockedOut << " | " << fare.logins << " | " << fare.unproven << " |\n";
	}
	return 0;
}

} // namespace

int main(int count, char** words)
try {
	const auto wishes = understand(count, words);
	const bool known =
		wishes && (!wishes->property || std::ranges::any_of(loginProperties(), [&](const LoginProperty& property) {
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
	return wishes->compare ? compare(run, wishes->worlds.value_or(20'000), workers) : judge(*wishes, run, workers);
}
catch (const std::exception& error) {
	std::cerr << "simulate_logins: " << error.what() << '\n';
	return 1;
}
