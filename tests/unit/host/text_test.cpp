#include "common/text.h"

#include <gtest/gtest.h>

namespace issuer {
namespace {

TEST(Text, WellFormedUtf8IsRecognised)
{
	EXPECT_TRUE(isUtf8(""));
	EXPECT_TRUE(isUtf8("Schlüssel für Köln: \u20AC \U0001F511"));
	EXPECT_TRUE(isUtf8("\xF4\x8F\xBF\xBF"));
}

TEST(Text, OverlongSurrogateTruncatedAndTooLargeFormsAreNotUtf8)
{
	for (const char* wrong : {"\xFC", "\xC0\x80", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
			 "\xF4\x90\x80\x80", "\xC3", "\xE2\x82", "a\x80", "\xF5\x80\x80\x80"}) {
		EXPECT_FALSE(isUtf8(wrong)) << testing::PrintToString(std::string(wrong));
	}
}

TEST(Text, APrintableLineCannotForgeAnotherLineNorDriveTheTerminal)
{
	EXPECT_EQ(sanitize("all is well\n2026 team-a renewed\033[2J\x7F\u009B!"), "all is well 2026 team-a renewed [2J  !");
}

TEST(Text, BytesThatAreNotUtf8AreReplacedOneByOne)
{
	EXPECT_EQ(sanitize("Fixt\xFCre\xE2\x82"), "Fixt\uFFFDre\uFFFD\uFFFD");
}

TEST(Text, AJsonStringEscapesWhatJsonAndTerminalsGiveMeaningTo)
{
	EXPECT_EQ(jsonString("a\"b\\c\n\x01\u0085 ü\xFF"), "\"a\\\"b\\\\c\\u000a\\u0001\\u0085 ü\uFFFD\"");
}

} // namespace
} // namespace issuer
