#include "credential/token_mark.h"

#include <gtest/gtest.h>

namespace issuer::vault::credential {
namespace {

TEST(TokenMark, IsBorneByItsTokenAlone)
{
	const Secret token("s.CANARY");
	const auto mark = markOf(token);
	EXPECT_TRUE(bearsMark(token, mark));
	EXPECT_FALSE(bearsMark(Secret("s.CANARZ"), mark));
	EXPECT_FALSE(bearsMark(Secret(), mark));
	EXPECT_FALSE(bearsMark(token, mark.substr(0, mark.size() - 1)));
	EXPECT_FALSE(bearsMark(token, ""));
	EXPECT_EQ(mark.find("CANARY"), mark.npos);
}

TEST(TokenMark, IsAnotherTextEachTimeSoThatNoListOfTokensTellsWhichItIs)
{
	const Secret token("s.CANARY");
	EXPECT_NE(markOf(token), markOf(token));
	EXPECT_EQ(markOf(Secret()), "");
}

} // namespace
} // namespace issuer::vault::credential
