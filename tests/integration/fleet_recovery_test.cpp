#include "renewal/keeper.h"
#include "runtime/agenda.h"

#include <algorithm>
#include <deque>
#include <gtest/gtest.h>
#include <queue>
#include <random>

/// A fleet after an outage, in virtual time: the real rules of renewal and the real order of work, without threads and
/// sockets, at a server that does so many requests a second and no more.
namespace issuer::vault::test {
namespace {

using namespace std::chrono_literals;

constexpr Duration lease = 10min;
constexpr Duration roundTrip = 1ms;

struct Issuer final : runtime::Job
{
	Issuer(const std::shared_ptr<const renewal::Policy>& policy, std::uint64_t seed) : keeper(policy, seed) {}
	std::optional<Wait> run(Wake) noexcept override { return std::nullopt; } // the world below does it

	renewal::Keeper keeper;
	Instant death; ///< as the server has it
	bool dead = false;
	bool answered = false; ///< its last request, in time
	Moment sent;
	renewal::Answer answer;
};

class World
{
public:
	explicit World(std::size_t size)
	{
		const auto policy = std::make_shared<const renewal::Policy>();
		for (std::size_t i = 0; i < size; ++i) {
			auto& issuer = _issuers.emplace_back(policy, i);
			// Started in the course of half a lease, so that every moment finds some due.
			const auto begin = _now.boot + lease / 2 * i / size;
			issuer.death = begin + lease;
			static_cast<void>(issuer.keeper.begin({begin, _now.wall}));
			_agenda.arm(issuer, nullptr, begin, runtime::unknownUrgency);
		}
	}
	~World()
	{
		for (auto& issuer : _issuers) {
			_agenda.disarm(issuer);
		}
	}
	World(const World&) = delete;
	World& operator=(const World&) = delete;

	void setCapacity(double perSecond)
	{
		_interval = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(1 / perSecond));
	}
	void setDown(bool down) { _down = down; }

	void runFor(Duration length)
	{
		const auto end = _now.boot + length;
		for (;;) {
			auto next = _agenda.nextDue().value_or(end);
			if (!_underWay.empty()) {
				next = std::min(next, _underWay.top().end);
			}
			moveTo(std::min(std::max(next, _now.boot), end));
			if (_now.boot >= end) {
				return;
			}
			while (!_underWay.empty() && _underWay.top().end <= _now.boot) {
				finish(*_underWay.top().issuer);
			}
			_agenda.advance(_now.boot);
			while (auto* const job = _agenda.take()) {
				begin(static_cast<Issuer&>(*job));
			}
		}
	}

	[[nodiscard]] auto dead() const { return std::ranges::count(_issuers, true, &Issuer::dead); }
	[[nodiscard]] std::size_t mostUnderWay() const { return _mostUnderWay; }

	/// The least that a server must do in a second to save all of them from here on, in the best of all orders: the
	/// one that dies first, first.
	[[nodiscard]] double leastCapacity() const
	{
		std::vector<double> lives;
		for (const auto& issuer : _issuers) {
			lives.push_back(std::chrono::duration<double>(issuer.death - _now.boot).count());
		}
		std::ranges::sort(lives);
		double capacity = 0;
		for (std::size_t i = 0; i < lives.size(); ++i) {
			capacity = std::max(capacity, static_cast<double>(i + 1) / lives[i]);
		}
		return capacity;
	}

private:
	struct UnderWay
	{
		Instant end;
		Issuer* issuer;
		friend bool operator<(const UnderWay& a, const UnderWay& b) { return a.end > b.end; } // the earliest on top
	};

	void moveTo(Instant instant) { _now = {instant, _now.wallAt(instant)}; }

	void begin(Issuer& issuer)
	{
		const auto attempt = issuer.keeper.attempt(_now);
		issuer.sent = _now;
		issuer.answered = true;
		auto end = _now.boot + roundTrip;
		if (_down) {
			issuer.answer = renewal::Trouble{};
		}
		else {
			_free = std::max(_free, _now.boot) + _interval;
			end += _free - _now.boot;
			issuer.answer = serve(issuer, attempt.operation);
			if (end > _now.boot + attempt.budget) {
				end = _now.boot + attempt.budget;
				issuer.answer = renewal::Trouble{};
				issuer.answered = false;
			}
		}
		_underWay.push({end, &issuer});
		_mostUnderWay = std::max(_mostUnderWay, _underWay.size());
	}

	/// At the moment that has been found for it.
	renewal::Answer serve(Issuer& issuer, renewal::Operation operation)
	{
		using renewal::Trouble;
		if (issuer.death <= _free) {
			issuer.dead = true;
			return Trouble{Trouble::Kind::refused, renewal::Reason::refused, std::nullopt, "permission denied", false};
		}
		if (operation == renewal::Operation::renew) {
			issuer.death = _free + lease;
			return renewal::Grant{lease, false};
		}
		renewal::TokenFacts facts;
		facts.ttl = std::chrono::floor<std::chrono::seconds>(issuer.death - _free);
		facts.creationTtl = lease;
		return facts;
	}

	void finish(Issuer& issuer)
	{
		_underWay.pop();
		static_cast<void>(issuer.keeper.answered(issuer.sent, _now, issuer.answer));
		if (const auto next = issuer.keeper.next()) {
			_agenda.arm(issuer, nullptr, *next, issuer.keeper.expiry().value_or(Instant::max()));
		}
		_agenda.finished(issuer, issuer.answered);
	}

	Moment _now{Instant(1h), WallTime(std::chrono::years(56))};
	runtime::Agenda _agenda{{256, 16, 8}}; // as the library has it with 1,024 descriptors
	std::deque<Issuer> _issuers;
	std::priority_queue<UnderWay> _underWay;
	std::size_t _mostUnderWay = 0;
	Duration _interval = 1ms;
	Instant _free = _now.boot;
	bool _down = false;
};

TEST(Fleet, NoTokenDiesAfterAnOutageThatTheServersCapacityCouldHaveSaved)
{
	World world(10'000);
	world.runFor(lease);
	ASSERT_EQ(world.dead(), 0);
	world.setDown(true);
	world.runFor(lease * 45 / 100);
	world.setDown(false);
	// A tenth more than the best of all orders needs: the moment at which the server returns is unknown, and an issuer
	// that has just found it away asks again only a while later.
	world.setCapacity(world.leastCapacity() * 1.1);
	world.runFor(lease);
	EXPECT_EQ(world.dead(), 0);
	EXPECT_EQ(world.mostUnderWay(), 16U) << "no stampede: what one server is asked at once";
}

} // namespace
} // namespace issuer::vault::test
