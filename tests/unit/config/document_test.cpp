#include "config/document.h"

#include <gtest/gtest.h>

namespace issuer::vault::config {
namespace {

const Value& at(const Value& object, std::string_view key)
{
	for (const auto& member : std::get<Members>(object.of)) {
		if (member.key == key) {
			return member.value;
		}
	}
	throw std::out_of_range(std::string(key));
}

TEST(ConfigDocument, HoldsNoSecretWhichStaysInTheTextItCameWith)
{
	const std::string text = R"({"token":{"value":"hvs.abc"},"namespace":"team-a"})";
	const auto document = readDocument(text).value();
	EXPECT_EQ(std::get<std::string>(at(at(document.root, "token"), "value").of), "xxxxxxx");
	EXPECT_EQ(std::get<std::string>(at(document.root, "namespace").of), "team-a");
	ASSERT_TRUE(document.secret.has_value());
	EXPECT_EQ(*document.secret, "hvs.abc");
	EXPECT_EQ(document.secret->data(), text.data() + text.find("hvs"));
}

TEST(ConfigDocument, HoldsNothingThatStandsBelowAnUnknownKey)
{
	const auto document = readDocument(R"({"tokn":"hvs.abc","a":["hvs.abc"]})").value();
	EXPECT_EQ(std::get<std::string>(at(document.root, "tokn").of), "xxxxxxx");
	EXPECT_EQ(std::get<std::string>(std::get<Array>(at(document.root, "a").of).at(0).of), "xxxxxxx");
}

TEST(ConfigDocument, HoldsNoPasswordOfAProxy)
{
	const std::string text = R"({"proxy":"http://u:pw@p"})";
	const auto document = readDocument(text).value();
	EXPECT_EQ(std::get<std::string>(at(document.root, "proxy").of), std::string(13, 'x'));
	EXPECT_EQ(document.proxy, "http://u:pw@p");
	EXPECT_EQ(readDocument(R"({"proxy":"http://p"})")->proxy, std::nullopt);
}

TEST(ConfigDocument, KeepsWhatStandsTwiceAndTheOrder)
{
	const auto document = readDocument(R"({"proxy":1,"startup":[true,null,-1.5e1],"proxy":2})").value();
	const auto& members = std::get<Members>(document.root.of);
	ASSERT_EQ(members.size(), 3U);
	EXPECT_EQ(members[0].key, "proxy");
	EXPECT_EQ(members[2].key, "proxy");
	EXPECT_EQ(std::get<double>(members[2].value.of), 2);
	EXPECT_EQ(std::get<double>(std::get<Array>(members[1].value.of).at(2).of), -15);
}

} // namespace
} // namespace issuer::vault::config
