#include <cstring>
#include <gtest/gtest.h>
#include <issuer/kit/answer.h>
#include <string>

namespace issuer::test {
namespace {

struct Buffer
{
	Buffer()
	{
		std::memset(&error, '#', sizeof error);
		error.struct_size = sizeof error;
	}
	issuer_error error;
};

TEST(AnError, IsCutBetweenCharacters)
{
	Buffer buffer;
	// The room for 255 bytes ends inside the last character that begins in it.
	kit::fail(&buffer.error, ISSUER_E_INVALID, std::string(254, 'x') + "€ and more");
	EXPECT_EQ(std::string(buffer.error.message), std::string(254, 'x'));
	kit::fail(&buffer.error, ISSUER_E_INVALID, std::string(252, 'x') + "€ and more");
	EXPECT_EQ(std::string(buffer.error.message), std::string(252, 'x') + "€");
}

TEST(AnError, IsOneLine)
{
	Buffer buffer;
	EXPECT_EQ(kit::fail(&buffer.error, ISSUER_E_INTERNAL, "two\nlines"), ISSUER_E_INTERNAL);
	EXPECT_EQ(buffer.error.code, ISSUER_E_INTERNAL);
	EXPECT_STREQ(buffer.error.message, "two lines");
}

TEST(AnError, IsWrittenNoFurtherThanItsCallerHasRoom)
{
	Buffer buffer;
	buffer.error.struct_size = offsetof(issuer_error, message);
	kit::fail(&buffer.error, ISSUER_E_BUSY, "text");
	EXPECT_EQ(buffer.error.code, ISSUER_E_BUSY);
	EXPECT_EQ(buffer.error.message[0], '#');
	buffer.error.struct_size = sizeof(std::uint32_t);
	kit::fail(&buffer.error, ISSUER_E_STATE, "text");
	EXPECT_EQ(buffer.error.code, ISSUER_E_BUSY);
	EXPECT_EQ(kit::fail(nullptr, ISSUER_E_STATE, "text"), ISSUER_E_STATE);
}

TEST(AnAnswer, TakesThePluginsWordsOrSaysThatThereAreNone)
{
	kit::ErrorText silent;
	EXPECT_EQ(silent.answer(ISSUER_E_BUSY).text, "the plugin gives no reason (code 3)");
	kit::ErrorText endless;
	std::memset(static_cast<issuer_error*>(endless)->message, 'x', sizeof(issuer_error::message));
	EXPECT_EQ(endless.answer(ISSUER_E_BUSY).text, std::string(sizeof(issuer_error::message), 'x'));
	EXPECT_TRUE(endless.answer(ISSUER_OK));
}

} // namespace
} // namespace issuer::test
