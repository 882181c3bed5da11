#include "base/json_strings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace issuer::vault {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// The strings of `text`, keys with a colon behind.
std::vector<std::string> stringsOf(std::string_view text)
{
	std::vector<std::string> all;
	JsonStrings strings(text);
	while (const auto string = strings.next()) {
		all.push_back(std::string(text.substr(string->begin, string->size)) + (string->key ? ":" : ""));
	}
	return all;
}

TEST(JsonStrings, TellsKeysFromValues)
{
	EXPECT_THAT(stringsOf(R"({"a": "b", "c" :["d", {"e"
		: ""}], "f":1})"),
		ElementsAre("a:", "b", "c:", "d", "e:", "", "f:"));
}

TEST(JsonStrings, LeavesEscapesAsTheyAreWritten)
{
	EXPECT_THAT(
		stringsOf(R"(["a\"b", "c\\", "\u0022", "\\\""])"), ElementsAre(R"(a\"b)", R"(c\\)", R"(\u0022)", R"(\\\")"));
}

TEST(JsonStrings, AnUnfinishedStringReachesToTheEnd)
{
	EXPECT_THAT(stringsOf(R"({"a": "bc)"), ElementsAre("a:", "bc"));
	EXPECT_THAT(stringsOf(R"({"a": "b\)"), ElementsAre("a:", R"(b\)"));
	EXPECT_THAT(stringsOf("\""), ElementsAre(""));
}

TEST(JsonStrings, TakesAnyBytes)
{
	EXPECT_THAT(stringsOf(""), IsEmpty());
	EXPECT_THAT(stringsOf("no quotes: at all"), IsEmpty());
	EXPECT_THAT(stringsOf("<p class=\"x\">it's</p>"), ElementsAre("x"));
	EXPECT_THAT(stringsOf(std::string_view("\"\0\xFF\" \"b\"", 8)), ElementsAre(std::string("\0\xFF", 2), "b"));
}

TEST(JsonStrings, TheTextMayBeOverwrittenBetweenTheQuotesAlreadyGiven)
{
	std::string text = R"(["a\"\\", "b", "c"])";
	JsonStrings strings(text);
	std::size_t count = 0;
	while (const auto string = strings.next()) {
		text.replace(string->begin, string->size, string->size, 'x');
		++count;
	}
	EXPECT_EQ(text, R"(["xxxxx", "x", "x"])");
	EXPECT_EQ(count, 3U);
}

} // namespace
} // namespace issuer::vault
