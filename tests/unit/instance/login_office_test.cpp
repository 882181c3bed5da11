#include "login_office.h"

#include <algorithm>
#include <deque>
#include <gtest/gtest.h>
#include <vector>

/// Logins of one identity that wait for each other: they are called, and never ask in vain.
namespace issuer::vault {
namespace {

using namespace std::chrono_literals;
using Result = renewal::LoginBudget::Result;

class LoginsThatWait : public testing::Test
{
protected:
	class Sibling final : public LoginQueue::Waiter
	{
	public:
		void turnCame(Instant) noexcept override { ++calls; }

		int calls = 0;
	};

	bool ask(Sibling& sibling, Instant urgency = Instant(1h), std::uint64_t material = 7)
	{
		return office.ask(now, identity, {material, false}, urgency, sibling).granted;
	}
	void end(Result result, std::uint64_t material = 7) { office.ended(now, identity, material, result); }

	/// Begins as many logins as may be under way.
	void fill()
	{
		ASSERT_TRUE(ask(first));
		ASSERT_TRUE(ask(second));
	}

	static constexpr std::uint64_t identity = 1;
	LoginOffice office;
	Instant now{1000h};
	Sibling first;
	Sibling second;
	Sibling third;
	Sibling fourth;
};

TEST_F(LoginsThatWait, AreCalledWhenOneOfTheirIdentityEnds)
{
	fill();
	EXPECT_FALSE(ask(third));
	EXPECT_FALSE(ask(fourth));
	EXPECT_EQ(third.calls, 0);
	end(Result::accepted);
	EXPECT_EQ(third.calls, 1);
	EXPECT_EQ(fourth.calls, 0) << "there is room for one";
	EXPECT_TRUE(ask(third));
	end(Result::accepted);
	EXPECT_EQ(fourth.calls, 1);
	EXPECT_EQ(third.calls, 1) << "it waits no more";
}

TEST_F(LoginsThatWait, AreCalledByUrgency)
{
	fill();
	EXPECT_FALSE(ask(third, Instant(2h)));
	EXPECT_FALSE(ask(fourth, Instant(1h)));
	end(Result::accepted);
	EXPECT_EQ(fourth.calls, 1);
	EXPECT_EQ(third.calls, 0);
}

TEST_F(LoginsThatWait, PassTheirTurnOnWhereTheyLeave)
{
	fill();
	EXPECT_FALSE(ask(third));
	EXPECT_FALSE(ask(fourth));
	end(Result::accepted);
	EXPECT_EQ(third.calls, 1);
	office.leave(third); // stopped, or its material changed
	EXPECT_EQ(fourth.calls, 1);
	office.leave(fourth);
	office.leave(fourth);
	end(Result::accepted);
	EXPECT_EQ(third.calls + fourth.calls, 2);
}

TEST_F(LoginsThatWait, AreAllCalledToHearOfARefusalThatEndsTheTries)
{
	fill();
	EXPECT_FALSE(ask(third));
	EXPECT_FALSE(ask(fourth));
	end(Result::refused);
	EXPECT_EQ(third.calls + fourth.calls, 0) << "the other one may be refused too";
	end(Result::refused);
	EXPECT_EQ(third.calls, 1);
	EXPECT_EQ(fourth.calls, 1);
	EXPECT_NE(office.ask(now, identity, {7, false}, Instant(1h), third).why, "");
}

TEST_F(LoginsThatWait, WithOtherMaterialAreNotHeldUpByTheFirstInTheQueue)
{
	ASSERT_TRUE(ask(first));
	end(Result::refused);
	ASSERT_TRUE(ask(first)); // the second try of these bytes
	EXPECT_FALSE(ask(third)) << "a third might be refused too";
	ASSERT_TRUE(ask(second, Instant(1h), 8));
	EXPECT_FALSE(ask(fourth, Instant(1h), 9)) << "two of the identity are under way";
	end(Result::accepted, 8);
	EXPECT_EQ(third.calls, 0);
	EXPECT_EQ(fourth.calls, 1);
}

} // namespace
} // namespace issuer::vault
