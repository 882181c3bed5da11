#include "abi/guard.h"

#include <gtest/gtest.h>
#include <stdexcept>
#include <string>

namespace issuer::vault::abi {
namespace {

/// An error whose message was not written yet, so that a missing end shows.
issuer_error unwritten()
{
	issuer_error error{};
	error.struct_size = sizeof error;
	std::fill(std::begin(error.message), std::end(error.message), '#');
	return error;
}

constexpr std::size_t room = sizeof(issuer_error::message) - 1;

TEST(AnErrorsMessage, IsCutBetweenCharactersHoweverManyBytesTheyHave)
{
	for (const std::string character : {"x", "ß", "€", "😀"}) {
		for (std::size_t before = room - 8; before <= room + 1; ++before) {
			std::string text(before, 'x');
			for (int i = 0; i < 8; ++i) {
				text += character;
			}
			auto error = unwritten();
			fail(&error, ISSUER_E_INVALID, text);
			const std::string message = error.message;
			const auto whole =
				std::min(before, room) + (room - std::min(before, room)) / character.size() * character.size();
			EXPECT_EQ(message.size(), whole) << character << " after " << before;
			EXPECT_TRUE(text.starts_with(message));
		}
	}
}

TEST(AnErrorsMessage, ThatFitsIsWhole)
{
	const std::string text = std::string(room - 2, 'x') + "ß";
	auto error = unwritten();
	EXPECT_EQ(fail(&error, ISSUER_E_BUSY, text), ISSUER_E_BUSY);
	EXPECT_EQ(error.code, ISSUER_E_BUSY);
	EXPECT_EQ(error.message, text);
}

TEST(AGuard, LetsNothingOutButItsCode)
{
	auto error = unwritten();
	EXPECT_EQ(guard(&error, []() -> issuer_rc { throw std::bad_alloc(); }), ISSUER_E_NOMEM);
	EXPECT_STREQ(error.message, "out of memory");
	EXPECT_EQ(guard(&error, []() -> issuer_rc { throw std::runtime_error("a reason"); }), ISSUER_E_INTERNAL);
	EXPECT_STREQ(error.message, "a reason");
	EXPECT_EQ(guard(&error, []() -> issuer_rc { throw 7; }), ISSUER_E_INTERNAL);
	EXPECT_EQ(guard(nullptr, []() -> issuer_rc { throw 7; }), ISSUER_E_INTERNAL);
}

TEST(ARefusal, HasACodeOfItsOwnKind)
{
	EXPECT_EQ(codeOf(Refusal::Kind::invalid), ISSUER_E_INVALID);
	EXPECT_EQ(codeOf(Refusal::Kind::state), ISSUER_E_STATE);
	EXPECT_EQ(codeOf(Refusal::Kind::unavailable), ISSUER_E_UNAVAILABLE);
	EXPECT_EQ(codeOf(Refusal::Kind::timeout), ISSUER_E_TIMEOUT);
	EXPECT_EQ(codeOf(Refusal::Kind::cancelled), ISSUER_E_CANCELLED);
}

} // namespace
} // namespace issuer::vault::abi
