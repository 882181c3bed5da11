#include <gtest/gtest.h>
#include <issuer/kit/text.h>
#include <string>

namespace issuer::test {
namespace {

std::string lined(std::string_view text)
{
	const kit::OneLine line(text);
	return std::string(kit::view(line.lend()));
}

TEST(OneLine, LeavesATextThatIsOneUncopied)
{
	for (const std::string text : {"", "plain", "ends with é", "«größer» 漢字 🔑 and on"}) {
		const kit::OneLine line(text);
		EXPECT_EQ(line.lend().ptr, text.data());
		EXPECT_EQ(line.lend().len, text.size());
	}
}

TEST(OneLine, ControlCharactersBecomeSpaces)
{
	EXPECT_EQ(lined("two\nlines\tand\x1b[31m \x7f."), "two lines and [31m  .");
	EXPECT_EQ(lined(std::string("a\0b", 3)), "a b");
}

TEST(OneLine, BytesThatAreNoUtf8BecomeQuestionMarks)
{
	EXPECT_EQ(lined("\xff\xc3"), "??");
	EXPECT_EQ(lined("a\xc0\xaf"), "a??");              // overlong
	EXPECT_EQ(lined("\xed\xa0\x80"), "???");           // a surrogate
	EXPECT_EQ(lined("\xf4\x90\x80\x80"), "????");      // above U+10FFFF
	EXPECT_EQ(lined("\xe2\x82 \xe2\x82\xac"), "?? €"); // cut off, and whole
}

} // namespace
} // namespace issuer::test
