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
	const auto secret = at(at(document.root, "token"), "value").secret;
	EXPECT_EQ(secret, "hvs.abc");
	EXPECT_EQ(secret.data(), text.data() + text.find("hvs"));
}

TEST(ConfigDocument, TellsSecretsApart)
{
	const std::string text = R"({"auth":{"jwt":{"value":["a","b"],"file":"x"},"role_id":{"value":7},)"
							 R"("password":{"wrapped":true,"value":"c"}}})";
	const auto document = readDocument(text).value();
	const auto& auth = at(document.root, "auth");
	EXPECT_EQ(std::get<Array>(at(at(auth, "jwt"), "value").of).at(1).secret, "b");
	EXPECT_EQ(at(at(auth, "password"), "value").secret, "c");
}

TEST(ConfigDocument, HoldsNoSecretThatStandsInPlaceOfAnObject)
{
	const auto document = readDocument(R"({"token":"hvs.abc","auth":{"secret_id":"abc"}})").value();
	EXPECT_EQ(std::get<std::string>(at(document.root, "token").of), "xxxxxxx");
	EXPECT_EQ(std::get<std::string>(at(at(document.root, "auth"), "secret_id").of), "xxx");
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
