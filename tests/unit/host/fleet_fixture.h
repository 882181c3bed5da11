#pragma once

#include "fleet/lists.h"
#include "fleet/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace issuer::fleet {

using namespace std::chrono_literals;

/// The plan of one host, «me», in a fleet that the test makes up, in virtual time. T is 10 s, L 120 s and R 60 s.
class PlanTest : public testing::Test
{
protected:
	static constexpr auto takeover = 10s;
	static constexpr auto reserve = 60s;

	/// Returns the name of an issuer whose shard these members claim in this order.
	static std::string issuerOf(const std::vector<std::string>& order, unsigned which = 0)
	{
		Ring ring;
		ring.assign(order);
		for (unsigned number = 0;; ++number) {
			auto name = "issuer-" + std::to_string(number);
			if (std::ranges::equal(ring.ranked(shardOf(name)), order, {}, &Claim::member) && which-- == 0) {
				return name;
			}
		}
	}

	Member member(const std::string& name, const std::vector<std::string>& issuers, bool keeps = true) const
	{
		Member one{{.name = name, .run = name, .url = {}, .version = {}, .written = moment.wall, .kept = {}},
			digestsOf(issuers)};
		for (const auto& issuer : issuers) {
			one.record.kept[shardOf(issuer)] = keeps;
		}
		return one;
	}

	/// Returns a state whose renewal is due after `due`.
	State state(const std::string& issuer, const std::string& writer, milliseconds due) const
	{
		return {.name = {issuer, writer},
			.end = moment.wall + due + reserve,
			.next = moment.wall + due,
			.state = ISSUER_STATE_ACTIVE,
			.plugin = "vault",
			.text = "text of " + writer};
	}

	void configure(const std::vector<std::string>& issuers)
	{
		names = issuers;
		plan.configure(moment, issuers);
	}

	/// Joins a fleet of these others, which have the same issuers as this host and keep all of them.
	void join(const std::vector<std::string>& others)
	{
		hear(Joined{});
		MembersListed listed;
		for (const auto& other : others) {
			listed.members.push_back(member(other, names));
		}
		hear(listed);
	}

	void hear(const Fact& fact) { plan.heard(moment, fact); }
	void answer() { hear(Answered{moment.boot}); }

	/// Lets time pass, with an engine that answers.
	Actions pass(milliseconds time, bool answers = true)
	{
		Actions all;
		for (auto left = time; left > 0ms;) {
			const auto step = std::min<milliseconds>(left, 1s);
			moment.boot += step;
			moment.wall += step;
			left -= step;
			if (answers) {
				answer();
			}
			keep(all, plan.due(moment));
		}
		return all;
	}

	/// Does what is due; answers reads with these states until none is asked for.
	Actions settle(const std::vector<State>& states)
	{
		Actions all;
		for (int round = 0; round < 5; ++round) {
			auto actions = plan.due(moment);
			const auto reads = of<ReadStates>(actions);
			keep(all, std::move(actions));
			if (reads.empty()) {
				break;
			}
			hear(StatesRead{reads.front().shards, states});
		}
		return all;
	}

	void tell(const std::string& issuer, issuer_state state, milliseconds due = 60s)
	{
		plan.told({.issuer = issuer, .state = state, .end = moment.wall + due + reserve, .next = moment.wall + due});
	}

	template <class Kind>
	static std::vector<Kind> of(const Actions& actions)
	{
		std::vector<Kind> found;
		for (const auto& action : actions) {
			if (const auto* one = std::get_if<Kind>(&action)) {
				found.push_back(*one);
			}
		}
		return found;
	}

	static void keep(Actions& all, Actions more) { std::ranges::move(more, std::back_inserter(all)); }

	Moment moment{Instant(1h), WallTime(1'000'000h)};
	std::vector<std::string> names;
	Plan plan{{.member = "me", .run = "12345678", .takeover = takeover}};
};

} // namespace issuer::fleet
