#include "renewal/login_budget.h"

#include <gmock/gmock.h>

/// Refusals that all issuers of a process share: no identity is locked out, and good material is not kept waiting.
namespace issuer::vault::renewal {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Result = LoginBudget::Result;

class LoginBudgetOfSiblings : public testing::Test
{
protected:
	bool tries(std::uint64_t material, Result result)
	{
		if (!budget.ask(now, 1, material).granted) {
			return false;
		}
		budget.ended(now, 1, material, result);
		return true;
	}

	LoginBudget budget;
	Instant now{1000h};
};

TEST_F(LoginBudgetOfSiblings, AllowsTwoRefusalsOfTheSameBytes)
{
	EXPECT_TRUE(tries(7, Result::refused));
	EXPECT_TRUE(tries(7, Result::refused));
	now += 3min;
	const auto leave = budget.ask(now, 1, 7);
	EXPECT_FALSE(leave.granted);
	EXPECT_EQ(leave.until, now + 13min);
	EXPECT_THAT(leave.why, HasSubstr("refused 3 min"));
	EXPECT_THAT(leave.why, HasSubstr("the material has not changed since"));
	EXPECT_TRUE(tries(8, Result::accepted)) << "other bytes are tried at once";
}

TEST_F(LoginBudgetOfSiblings, NeverComesToTheFifthRefusalWhateverTheBytes)
{
	int refusals = 0;
	for (std::uint64_t material = 1; material <= 100; ++material) {
		refusals += tries(material, Result::refused) ? 1 : 0;
	}
	EXPECT_EQ(refusals, 3);
}

TEST_F(LoginBudgetOfSiblings, KeepsATryForBytesThatWereAcceptedLately)
{
	EXPECT_TRUE(tries(50, Result::accepted));
	for (std::uint64_t material = 1; material <= 100; ++material) {
		static_cast<void>(tries(material + 100, Result::refused));
	}
	EXPECT_TRUE(tries(50, Result::accepted));
	EXPECT_TRUE(tries(50, Result::refused)) << "the fourth";
	EXPECT_FALSE(tries(50, Result::refused));
}

TEST_F(LoginBudgetOfSiblings, ForgetsRefusalsOnlyOnceNoneCameFor16Minutes)
{
	EXPECT_TRUE(tries(1, Result::refused));
	now += 10min;
	EXPECT_TRUE(tries(2, Result::refused));
	now += 10min;
	EXPECT_TRUE(tries(3, Result::refused)) << "the third of a row, though the first is 20 min old";
	now += 15min;
	EXPECT_FALSE(tries(4, Result::refused));
	now += 1min;
	EXPECT_TRUE(tries(4, Result::refused));
}

TEST_F(LoginBudgetOfSiblings, CountsLoginsUnderWayAsRefusals)
{
	EXPECT_TRUE(budget.ask(now, 1, 1).granted);
	EXPECT_TRUE(budget.ask(now, 1, 2).granted);
	const auto leave = budget.ask(now, 1, 3);
	EXPECT_FALSE(leave.granted);
	EXPECT_EQ(leave.until, now + 250ms);
	EXPECT_EQ(leave.why, "");
	EXPECT_TRUE(budget.ask(now, 2, 3).granted) << "another identity";
}

TEST_F(LoginBudgetOfSiblings, TellsBeforehandWhichLoginsWouldHaveToWait)
{
	EXPECT_FALSE(budget.mustWait(1, 7, false, 0)) << "of an unknown identity";
	EXPECT_FALSE(budget.mustWait(1, 7, false, 1));
	ASSERT_TRUE(budget.ask(now, 1, 7).granted);
	EXPECT_FALSE(budget.mustWait(1, 7, false, 0));
	EXPECT_TRUE(budget.mustWait(1, 7, false, 1)) << "one that is about to ask counts too";
	EXPECT_TRUE(budget.ask(now, 1, 7).granted);
	EXPECT_TRUE(budget.mustWait(1, 7, false, 0));
	EXPECT_TRUE(budget.ask(now, 1, 7).waits);
	budget.ended(now, 1, 7, Result::refused);
	budget.ended(now, 1, 7, Result::refused);
	EXPECT_FALSE(budget.mustWait(1, 7, false, 0)) << "it is told of the refusals at once";
	EXPECT_FALSE(budget.ask(now, 1, 7).waits);
}

TEST_F(LoginBudgetOfSiblings, SendsTheSameBytesNoThirdTimeWhileASecondMayBeRefused)
{
	EXPECT_TRUE(budget.ask(now, 1, 7).granted);
	EXPECT_TRUE(budget.ask(now, 1, 7).granted);
	budget.ended(now, 1, 7, Result::refused);
	const auto leave = budget.ask(now, 1, 7);
	EXPECT_FALSE(leave.granted);
	EXPECT_EQ(leave.until, now + 250ms) << "the other one may be accepted";
	EXPECT_TRUE(budget.ask(now, 1, 8).granted) << "other bytes need not wait for it";
	budget.ended(now, 1, 8, Result::nothing);
	budget.ended(now, 1, 7, Result::refused);
	EXPECT_TRUE(tries(8, Result::accepted)) << "mended bytes are tried at once";
}

TEST_F(LoginBudgetOfSiblings, LeavesRoomForMendedBytesWhereAcceptedOnesAreWithdrawn)
{
	EXPECT_TRUE(tries(7, Result::accepted));
	int underWay = 0;
	while (budget.ask(now, 1, 7).granted) {
		++underWay;
	}
	EXPECT_EQ(underWay, 2);
	for (; underWay > 0; --underWay) {
		budget.ended(now, 1, 7, Result::refused);
	}
	EXPECT_TRUE(tries(8, Result::accepted));
}

TEST_F(LoginBudgetOfSiblings, SendsAnEmptyLoginFirstAfterALostAnswer)
{
	EXPECT_TRUE(tries(1, Result::lost));
	auto leave = budget.ask(now, 1, 2);
	EXPECT_FALSE(leave.granted);
	EXPECT_TRUE(leave.emptyFirst);
	budget.heard(1);
	EXPECT_TRUE(budget.ask(now, 1, 2).granted);
}

TEST_F(LoginBudgetOfSiblings, CountsLostAnswersUntilTheirMaterialIsAccepted)
{
	for (int lost = 0; lost < 3; ++lost) {
		EXPECT_TRUE(tries(1, Result::lost));
		budget.heard(1);
	}
	EXPECT_FALSE(tries(2, Result::refused)) << "all three may have been refused";
	LoginBudget other;
	budget = other;
	EXPECT_TRUE(tries(1, Result::lost));
	budget.heard(1);
	EXPECT_TRUE(tries(1, Result::lost));
	budget.heard(1);
	EXPECT_TRUE(tries(1, Result::accepted)) << "so the lost ones were accepted too";
	EXPECT_TRUE(tries(2, Result::refused));
	EXPECT_TRUE(tries(2, Result::refused));
	EXPECT_TRUE(tries(3, Result::refused));
}

TEST_F(LoginBudgetOfSiblings, DoubtsBytesThatMayBeUsedUp)
{
	EXPECT_TRUE(tries(1, Result::accepted));
	EXPECT_TRUE(tries(2, Result::refused));
	EXPECT_TRUE(tries(3, Result::refused));
	EXPECT_TRUE(tries(4, Result::refused));
	EXPECT_FALSE(budget.ask(now, 1, 1, true).granted);
}

TEST_F(LoginBudgetOfSiblings, RemembersARefusalForAsLongAsTheServerDoes)
{
	EXPECT_TRUE(tries(7, Result::refused));
	EXPECT_TRUE(budget.hasRefused(now + 15min, 1));
	EXPECT_FALSE(budget.hasRefused(now + 16min, 1));
}

/// The budgets of two libraries, before and after a swap of one of them for the other.
class LoginBudgetInASwap : public LoginBudgetOfSiblings
{
protected:
	[[nodiscard]] LoginBudget successor(int siblings = 1) const
	{
		LoginBudget next;
		for (int sibling = 0; sibling < siblings; ++sibling) {
			next.inherit(now, 1, budget.rowOf(now, 1, 7));
		}
		return next;
	}
};

TEST_F(LoginBudgetOfSiblings, RemembersAcceptedBytesForAnIssuerThatComesEach32DaysAndNoneThatWereReplaced)
{
	for (std::uint64_t material = 100; material < 1100; ++material) { // a new secret_id each day
		EXPECT_TRUE(tries(material, Result::accepted));
		if (material % 32 == 0) {
			EXPECT_TRUE(tries(7, Result::accepted));
		}
		now += 24h;
	}
	EXPECT_LE(budget.size(), 45U);
	EXPECT_TRUE(budget.rowOf(now, 1, 7).materials.at(7).proven);
}

TEST_F(LoginBudgetInASwap, RowsWhoseMarksNoIssuerAsksForAreErased)
{
	EXPECT_TRUE(tries(7, Result::refused));
	EXPECT_TRUE(tries(8, Result::accepted));
	EXPECT_TRUE(tries(9, Result::lost));
	const auto row = budget.rowOf(now, 1, 8);
	for (std::uint64_t swap = 1000; swap < 2000; ++swap) { // each library makes its marks with a key of its own
		budget.inherit(now, swap, row);
		now += 24h;
	}
	EXPECT_LE(budget.size(), 2 * 45U);
}

TEST_F(LoginBudgetInASwap, RefusalsCountOn)
{
	EXPECT_TRUE(tries(7, Result::refused));
	EXPECT_TRUE(tries(7, Result::refused));
	budget = successor();
	now += 3min;
	EXPECT_EQ(budget.ask(now, 1, 7).until, now + 13min);
	EXPECT_TRUE(tries(8, Result::refused));
	EXPECT_FALSE(tries(9, Result::refused)) << "the fourth of this identity";
}

TEST_F(LoginBudgetInASwap, EachSiblingBringsTheSameOnes)
{
	EXPECT_TRUE(tries(7, Result::refused));
	budget = successor(100);
	EXPECT_TRUE(tries(7, Result::refused));
	EXPECT_FALSE(tries(7, Result::refused));
}

TEST_F(LoginBudgetInASwap, ThoseOfTheSuccessorAreNotForgotten)
{
	EXPECT_TRUE(tries(7, Result::refused));
	const auto row = budget.rowOf(now, 1, 7);
	EXPECT_TRUE(tries(7, Result::refused));
	budget.inherit(now, 1, row);
	EXPECT_FALSE(tries(7, Result::refused));
}

TEST_F(LoginBudgetInASwap, ALoginUnderWayIsNoneOfTheSuccessors)
{
	EXPECT_TRUE(budget.ask(now, 1, 7).granted);
	EXPECT_EQ(budget.rowOf(now, 1, 7), LoginBudget::Row());
}

TEST_F(LoginBudgetInASwap, ALostAnswerAsksForAnEmptyLoginFirst)
{
	EXPECT_TRUE(tries(7, Result::lost));
	budget = successor();
	EXPECT_TRUE(budget.ask(now, 1, 7).emptyFirst);
}

TEST_F(LoginBudgetInASwap, OnlyItsOwnMaterialIsKnownToHaveBeenAccepted)
{
	EXPECT_TRUE(tries(7, Result::accepted));
	EXPECT_TRUE(tries(50, Result::accepted));
	const auto row = budget.rowOf(now, 1, 7);
	EXPECT_EQ(row.materials.size(), 1U) << "a blob holds no row of a thousand siblings";
	EXPECT_TRUE(row.materials.at(7).proven);
}

TEST_F(LoginBudgetInASwap, ARefusalAfterThePresentIsOne)
{
	EXPECT_TRUE(tries(7, Result::refused));
	EXPECT_TRUE(tries(7, Result::refused));
	auto row = budget.rowOf(now, 1, 7);
	row.latestRefusal = now + 1000h;
	budget = LoginBudget();
	budget.inherit(now, 1, row);
	EXPECT_EQ(budget.ask(now, 1, 7).until, now + 16min);
}

} // namespace
} // namespace issuer::vault::renewal
