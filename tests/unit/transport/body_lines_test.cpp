#include "transport/body_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

namespace issuer::vault::transport {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Collects the lines of a body.
struct Collected
{
	std::vector<std::string> lines;
	BodyLines reader{8, [this](std::string_view line) {
						 lines.emplace_back(line);
						 return Result<void>();
					 }};
};

TEST(BodyLines, AreTheSameHoweverTheBodyIsCut)
{
	const std::string body = "one\n\ntwo\r\n12345678\nrest";
	for (std::size_t step = 1; step <= body.size(); ++step) {
		Collected collected;
		for (std::size_t at = 0; at < body.size(); at += step) {
			ASSERT_TRUE(collected.reader.take(std::string_view(body).substr(at, step))) << step;
		}
		EXPECT_THAT(collected.lines, ElementsAre("one", "two", "12345678")) << step;
		EXPECT_EQ(collected.reader.rest(), "rest") << step;
	}
}

TEST(BodyLines, OneThatIsTooLongEndsItAndIsNotQuoted)
{
	for (const std::string body : {"123456789", "123456789\n"}) {
		Collected collected;
		const auto taken = collected.reader.take(body);
		ASSERT_FALSE(taken);
		EXPECT_THAT(taken.error().text, HasSubstr("longer than 8 bytes"));
		EXPECT_THAT(collected.lines, IsEmpty());
	}
	Collected slow;
	ASSERT_TRUE(slow.reader.take("1234"));
	EXPECT_FALSE(slow.reader.take("56789"));
}

TEST(BodyLines, AnErrorOfItsReaderEndsItAtThatLine)
{
	int seen = 0;
	BodyLines reader(100, [&](std::string_view) -> Result<void> {
		++seen;
		return failure("no more");
	});
	const auto taken = reader.take("one\ntwo\n");
	ASSERT_FALSE(taken);
	EXPECT_EQ(taken.error().text, "no more");
	EXPECT_EQ(seen, 1);
}

} // namespace
} // namespace issuer::vault::transport
