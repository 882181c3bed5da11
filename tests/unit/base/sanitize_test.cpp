#include "base/sanitize.h"

#include <gtest/gtest.h>

namespace issuer::vault {
namespace {

TEST(Sanitize, LeavesAnOrdinaryTextAsItIs)
{
	EXPECT_EQ(sanitize(""), "");
	EXPECT_EQ(sanitize("permission denied"), "permission denied");
	EXPECT_EQ(sanitize("role \"größe\" – 日本 𝄞"), "role \"größe\" – 日本 𝄞");
}

TEST(Sanitize, MakesOneLineOfMany)
{
	EXPECT_EQ(sanitize("1 error occurred:\n\t* permission denied\n\n"), "1 error occurred: * permission denied");
	EXPECT_EQ(sanitize("\r\n  a\u2028b\u00A0c  "), "a b c");
	EXPECT_EQ(sanitize(" \n "), "");
}

TEST(Sanitize, TakesTheTerminalsCommandsOut)
{
	EXPECT_EQ(sanitize("a\033[2Jb\x7F"), "a [2Jb");
	EXPECT_EQ(sanitize("a\u009B2Jb"), "a 2Jb");
	EXPECT_EQ(sanitize("a\u202Eb\u200Bc\uFEFF"), "a b c"); // turns the writing direction; shows nothing
	EXPECT_EQ(sanitize(std::string_view("a\0b", 3)), "a b");
}

TEST(Sanitize, ReplacesWhatIsNotUtf8ByteByByte)
{
	EXPECT_EQ(sanitize("a\xFF"
					   "b"),
		"a\uFFFDb");
	EXPECT_EQ(sanitize("a\xC3"), "a\uFFFD");                             // cut off
	EXPECT_EQ(sanitize("\xE2\x82"), "\uFFFD\uFFFD");                     // cut off
	EXPECT_EQ(sanitize("\xC0\x80"), "\uFFFD\uFFFD");                     // overlong
	EXPECT_EQ(sanitize("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");           // half a surrogate pair
	EXPECT_EQ(sanitize("\xF4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD"); // beyond Unicode
	EXPECT_EQ(sanitize("\xFC\x80\x80\x80\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
}

TEST(Sanitize, IsBoundedAndNeverCutsACharacter)
{
	EXPECT_EQ(sanitize("12345", 5), "12345");
	EXPECT_EQ(sanitize("12345\n", 5), "12345");
	EXPECT_EQ(sanitize("123456", 5), "12345…");
	EXPECT_EQ(sanitize("1234ö", 5), "1234…");
	EXPECT_EQ(sanitize("1234 6", 5), "1234…");
	EXPECT_EQ(sanitize("ab", 0), "…");
	EXPECT_EQ(sanitize(std::string(100'000, 'x')).size(), 240 + std::string_view("…").size());
}

} // namespace
} // namespace issuer::vault
