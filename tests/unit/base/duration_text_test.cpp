#include "base/duration_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace issuer::vault {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr Duration century = std::chrono::years(100);

TEST(DurationText, IsReadAsVaultWritesIt)
{
	const std::pair<std::string_view, Duration> cases[] = {
		{"90", 90s},
		{"0", 0s},
		{"1.5", 1500ms},
		{"90s", 90s},
		{"1h30m", 90min},
		{"768h", 768h},
		{"1d", 24h},
		{"1d12h", 36h},
		{"1.5h", 90min},
		{".5s", 500ms},
		{"1.s", 1s},
		{"500ms", 500ms},
		{"250us", 250us},
		{"250µs", 250us},
		{"1m1h", 61min},
		{"0s", 0s},
		{"0h0m0s", 0s},
		{"0.0000001s", 0s},
		{"0.0000006s", 1us},
		{"00000000000000000000000000000001s", 1s},
		{"876582h", 876582h},
	};
	for (const auto& [text, length] : cases) {
		const auto parsed = parseDuration(text);
		ASSERT_TRUE(parsed.has_value()) << text << ": " << parsed.error().text;
		EXPECT_EQ(*parsed, length) << text;
	}
}

TEST(DurationText, IsRefusedWhenItCouldMeanAnythingElse)
{
	constexpr std::string_view cases[] = {"", " ", "s", "h1", "-5s", "-1", "+5s", " 90s", "90 s", "90s ", "1h30",
		"1,5s", "1.2.3s", ".", ".s", "1e3s", "0x10", "5S", "5H", "5min", "5sec", "5 minutes", "1w", "1y", "5ns", "inf",
		"nan", "∞", "1hh", "1µ", "1\xB5s", "90s\n"};
	for (const auto text : cases) {
		EXPECT_FALSE(parseDuration(text).has_value()) << text;
	}
	EXPECT_FALSE(parseDuration(std::string_view("9\0s", 3)).has_value());
}

TEST(DurationText, EndsAtACentury)
{
	EXPECT_EQ(parseDuration("3155695200s").value(), century);
	EXPECT_FALSE(parseDuration("3155695201s").has_value());
	EXPECT_FALSE(parseDuration("876582h1us").has_value());
	EXPECT_FALSE(parseDuration(std::string(400, '9')).has_value());
	EXPECT_FALSE(parseDuration(std::string(400, '9') + "h").has_value());
	std::string sum;
	for (int i = 0; i < 1000; ++i) {
		sum += "876582h";
	}
	EXPECT_FALSE(parseDuration(sum).has_value());
}

TEST(DurationText, TheErrorTellsWhatIsWantedAndQuotesNothing)
{
	EXPECT_EQ(parseDuration("5min").error().text,
		R"(not a length of time of at most 100 years, such as "90s", "1h30m" or 90)");
}

TEST(DurationText, IsWrittenShort)
{
	EXPECT_EQ(durationText(0s), "0s");
	EXPECT_EQ(durationText(-5s), "0s");
	EXPECT_EQ(durationText(90s), "1m30s");
	EXPECT_EQ(durationText(1h), "1h");
	EXPECT_EQ(durationText(36h + 1ms), "36h1ms");
	EXPECT_EQ(durationText(1500ms), "1s500ms");
	EXPECT_EQ(durationText(1us), "1us");
}

TEST(DurationText, IsReadBackAsItWasWritten)
{
	for (Duration length = 1us; length < century; length = length * 7 / 3 + 1us) {
		EXPECT_EQ(parseDuration(durationText(length)).value(), length) << length.count();
	}
	EXPECT_EQ(parseDuration(durationText(century)).value(), century);
}

} // namespace
} // namespace issuer::vault
