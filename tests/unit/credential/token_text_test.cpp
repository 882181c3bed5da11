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

TEST(TokenText, BytesThatWouldEndOrSplitTheHeaderAreRefusedByTheirPlace)
{
	EXPECT_EQ(tokenIn("s.TO KEN").error().text, "is not one token: character 5 of 8 is a blank or line end");
	EXPECT_EQ(
		tokenIn("  s.TO\nX-Evil: 1\n").error().text, "is not one token: character 5 of 14 is a blank or line end");
	EXPECT_EQ(tokenIn("s.TO\rKEN").error().text, "is not one token: character 5 of 8 is a blank or line end");
	EXPECT_EQ(tokenIn("s.TO\tKEN").error().text, "is not one token: character 5 of 8 is a blank or line end");
	EXPECT_EQ(tokenIn("s.\x01").error().text, "is not one token: character 3 of 3 is not visible ASCII");
	EXPECT_EQ(
		tokenIn(std::string_view("s\0T", 3)).error().text, "is not one token: character 2 of 3 is not visible ASCII");
	for (const std::string_view text : {"\x1B[2J", "\x7F", "\v", "\f", "s.\xC3\xB6", "\xC2\xA0s.TOKEN"}) {
		EXPECT_THAT(tokenIn(text).error().text, HasSubstr("is not visible ASCII")) << text;
	}
}

TEST(TokenText, TextThatIsVisiblySomethingElseIsNamed)
{
	const auto named = [](std::string_view text) { return tokenIn(text).error().text; };
	EXPECT_THAT(named("null\n"), HasSubstr("the word for \"nothing\""));
	EXPECT_THAT(named(R"({"token":"hvs.CANARY","accessor":"x"})"), HasSubstr("holds JSON"));
	EXPECT_THAT(named("{\n  \"auth\": {\"client_token\": \"hvs.CANARY\"}\n}\n"), HasSubstr("holds JSON"));
	EXPECT_THAT(named("[\"hvs.CANARY\"]"), HasSubstr("holds JSON"));
	EXPECT_THAT(named("VAULT_TOKEN=hvs.CANARY\n"), HasSubstr("assignment"));
	EXPECT_THAT(named("export VAULT_TOKEN=hvs.CANARY"), HasSubstr("assignment"));
	EXPECT_THAT(named("\"hvs.CANARY\""), HasSubstr("in quotes"));
	EXPECT_THAT(named("'hvs.CANARY'"), HasSubstr("in quotes"));
	EXPECT_THAT(named("\xEF\xBB\xBFhvs.CANARY"), HasSubstr("byte order mark"));
	EXPECT_THAT(named(std::string_view("\xFF\xFEh\0v\0s\0", 8)), HasSubstr("UTF-16"));
	EXPECT_THAT(named(std::string_view("h\0v\0s\0.\0", 8)), HasSubstr("UTF-16"));
	EXPECT_THAT(named(std::string_view("\0h\0v\0s\0.", 8)), HasSubstr("UTF-16"));
}

TEST(TokenText, TextThatOnlyLooksLikeItIsAToken)
{
	for (const std::string_view text : {"nullify", "hvs.CAESIJ=", "AAAA==", "b.AAA=BBB", "s.a{b}", "root"}) {
		EXPECT_EQ(tokenIn(text).value(), text);
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
