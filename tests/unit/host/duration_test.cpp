#include "common/duration.h"

#include <gtest/gtest.h>

namespace issuer {
namespace {

using namespace std::chrono_literals;

TEST(Duration, IsReadAsVaultWritesIt)
{
	EXPECT_EQ(parseDuration("90s").value(), 90s);
	EXPECT_EQ(parseDuration("1h30m").value(), 90min);
	EXPECT_EQ(parseDuration("1.5s").value(), 1500ms);
	EXPECT_EQ(parseDuration("250ms").value(), 250ms);
	EXPECT_EQ(parseDuration("2d").value(), 48h);
	EXPECT_EQ(parseDuration("10").value(), 10s);
	EXPECT_EQ(parseDuration("0").value(), 0s);
}

TEST(Duration, OtherTextIsRefusedWithAnExample)
{
	for (const char* wrong : {"", "s", "-1s", "1x", "1h30", "1 s", "1..5s", "1e3s", "99999999d", "+1s", "nan"}) {
		const auto parsed = parseDuration(wrong);
		ASSERT_FALSE(parsed) << wrong;
		EXPECT_EQ(parsed.error().text, '"' + std::string(wrong) + "\" is not a duration such as \"90s\" or \"1h30m\"");
	}
}

TEST(Duration, InWordsIsTheTwoLargestUnits)
{
	EXPECT_EQ(inWords(13 * 24h + 4h + 59min), "13 d 4 h");
	EXPECT_EQ(inWords(1h), "1 h");
	EXPECT_EQ(inWords(2min + 5s), "2 min 5 s");
	EXPECT_EQ(inWords(24h + 59min), "1 d");
	EXPECT_EQ(inWords(10s), "10 s");
}

TEST(Duration, InWordsNeverLooksLongerThanItIs)
{
	EXPECT_EQ(inWords(59'999ms), "59 s");
	EXPECT_EQ(inWords(9'999ms), "9.9 s");
	EXPECT_EQ(inWords(3'000ms), "3 s");
	EXPECT_EQ(inWords(899ms), "0.8 s");
	EXPECT_EQ(inWords(99ms), "0 s");
	EXPECT_EQ(inWords(-5s), "0 s");
}

} // namespace
} // namespace issuer
