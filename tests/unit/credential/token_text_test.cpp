#include "credential/secret_pages.h"
#include "credential/token_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace issuer::vault::credential {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(TokenText, IsTheOneWordWithoutTheBlanksAroundIt)
{
	for (const std::string_view text : {"s.TOKEN", "s.TOKEN\n", "s.TOKEN\r\n", " \t\r\n s.TOKEN \n\n"}) {
		EXPECT_EQ(tokenIn(text).value(), "s.TOKEN") << text;
	}
	EXPECT_EQ(tokenIn("x").value(), "x");
}

TEST(TokenText, TakesEveryVisibleAsciiCharacter)
{
	std::string all;
	for (char c = '!'; c <= '~'; ++c) {
		all += c;
	}
	EXPECT_EQ(tokenIn(all).value(), all);
}

TEST(TokenText, AnEmptyOneIsNone)
{
	for (const std::string_view text : {"", " ", "\n", " \t\r\n "}) {
		EXPECT_EQ(tokenIn(text).error().text, "is empty");
	}
}

TEST(TokenText, WhatWouldEndOrSplitTheHeaderIsRefusedByItsPlace)
{
	EXPECT_EQ(tokenIn("s.TO KEN").error().text, "is not one token: character 5 of 8 is a blank or line end");
	EXPECT_EQ(
		tokenIn("  s.TO\nX-Evil: 1\n").error().text, "is not one token: character 5 of 14 is a blank or line end");
	EXPECT_EQ(tokenIn("s.TO\rKEN").error().text, "is not one token: character 5 of 8 is a blank or line end");
	EXPECT_EQ(tokenIn("s.TO\tKEN").error().text, "is not one token: character 5 of 8 is a blank or line end");
	EXPECT_EQ(tokenIn("s.\x01").error().text, "is not one token: character 3 of 3 is not visible ASCII");
	EXPECT_EQ(
		tokenIn(std::string_view("s\0T", 3)).error().text, "is not one token: character 2 of 3 is not visible ASCII");
	for (const std::string_view text :
		{"\x1B[2J", "\x7F", "\v", "\f", "s.\xC3\xB6", "\xEF\xBB\xBFs.TOKEN", "\xC2\xA0s.TOKEN"}) {
		EXPECT_THAT(tokenIn(text).error().text, HasSubstr("is not visible ASCII")) << text;
	}
}

TEST(TokenText, IsAtMost64KiBLong)
{
	const std::string longest(longestSecret, 'x');
	EXPECT_EQ(tokenIn(longest + "\n").value(), longest);
	EXPECT_THAT(tokenIn(longest + "x").error().text, HasSubstr("is longer than 64 KiB"));
}

TEST(TokenText, TheErrorNeverQuotesIt)
{
	const std::string secret = "CANARY";
	for (const auto& text :
		{secret + " " + secret, secret + "\x01" + secret, std::string(longestSecret, 'x') + secret}) {
		EXPECT_THAT(tokenIn(text).error().text, Not(HasSubstr(secret)));
	}
}

} // namespace
} // namespace issuer::vault::credential
