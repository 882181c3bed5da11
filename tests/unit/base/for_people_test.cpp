#include "base/for_people.h"

#include <gtest/gtest.h>

namespace issuer::vault {
namespace {

TEST(ForPeople, LeavesAnOrdinaryTextAsItIs)
{
	EXPECT_EQ(forPeople(""), "");
	EXPECT_EQ(forPeople("permission denied"), "permission denied");
	EXPECT_EQ(forPeople("role \"größe\" – 日本 𝄞"), "role \"größe\" – 日本 𝄞");
}

TEST(ForPeople, MakesOneLineOfMany)
{
	EXPECT_EQ(forPeople("1 error occurred:\n\t* permission denied\n\n"), "1 error occurred: * permission denied");
	EXPECT_EQ(forPeople("\r\n  a\u2028b\u00A0c  "), "a b c");
	EXPECT_EQ(forPeople(" \n "), "");
}

TEST(ForPeople, TakesTheTerminalsCommandsOut)
{
	EXPECT_EQ(forPeople("a\033[2Jb\x7F"), "a [2Jb");
	EXPECT_EQ(forPeople("a\u009B2Jb"), "a 2Jb");
	EXPECT_EQ(forPeople("a\u202Eb\u200Bc\uFEFF"), "a b c"); // turns the writing direction; shows nothing
	EXPECT_EQ(forPeople(std::string_view("a\0b", 3)), "a b");
}

TEST(ForPeople, ReplacesWhatIsNotUtf8ByteByByte)
{
	EXPECT_EQ(forPeople("a\xFF"
						"b"),
		"a\uFFFDb");
	EXPECT_EQ(forPeople("a\xC3"), "a\uFFFD");                             // cut off
	EXPECT_EQ(forPeople("\xE2\x82"), "\uFFFD\uFFFD");                     // cut off
	EXPECT_EQ(forPeople("\xC0\x80"), "\uFFFD\uFFFD");                     // overlong
	EXPECT_EQ(forPeople("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");           // half a surrogate pair
	EXPECT_EQ(forPeople("\xF4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD"); // beyond Unicode
	EXPECT_EQ(forPeople("\xFC\x80\x80\x80\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
}

TEST(ForPeople, IsBoundedAndNeverCutsACharacter)
{
	EXPECT_EQ(forPeople("12345", 5), "12345");
	EXPECT_EQ(forPeople("12345\n", 5), "12345");
	EXPECT_EQ(forPeople("123456", 5), "12345…");
	EXPECT_EQ(forPeople("1234ö", 5), "1234…");
	EXPECT_EQ(forPeople("1234 6", 5), "1234…");
	EXPECT_EQ(forPeople("ab", 0), "…");
	EXPECT_EQ(forPeople(std::string(100'000, 'x')).size(), 240 + std::string_view("…").size());
}

} // namespace
} // namespace issuer::vault
