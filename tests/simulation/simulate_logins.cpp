#include "login_properties.h"
#include "runs.h"

#include <algorithm>
#include <array>
#include <iostream>
#include <utility>

namespace {

using namespace issuer::simulation;

int replay(const CommandLine& line)
{
	const auto world = loginWorldOf(*line.seed);
	std::cout << world << '\n';
	const auto chronicle = playLogins(world, LoginRules::ours, &std::cout);
	return judgeWorld(line, loginProperties(), world, chronicle) ? 0 : 1;
}

int judge(const CommandLine& line, std::uint64_t run, unsigned workers)
{
	const auto broken = judgeRun(line, run, workers, loginProperties(), [](std::uint64_t seed) {
		const auto world = loginWorldOf(seed);
		return std::pair(world, playLogins(world, LoginRules::ours));
	});
	if (broken && !line.brief) {
		std::cout << '\n';
		auto alone = line;
		alone.seed = broken->seed;
		replay(alone);
	}
	return broken ? 1 : 0;
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

void compare(std::uint64_t run, std::uint64_t worlds, unsigned workers)
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
	for (std::size_t rules = 0; rules < sum.size(); ++rules) {
		const auto& fare = sum[rules];
		std::cout << "| " << names[rules] << " | " << fare.gaps << " | " << fare.gapsInVain << " | "
				  << static_cast<std::uint64_t>(fare.secondsWithout / 3600) << " | " << fare.told << " | "
				  << fare.lockedOut << " | " << fare.logins << " | " << fare.unproven << " |\n";
	}
}

} // namespace

int main(int count, char** words)
{
	return runSimulator({.name = "simulate_logins",
							.comparedWith = "the rules of Vault's agent",
							.properties = namesOf(loginProperties()),
							.comparedWorlds = 20'000,
							.replay = replay,
							.judge = judge,
							.compare = compare},
		count, words);
}
