#include "config/secret_text.h"

#include <gtest/gtest.h>

namespace issuer::vault::config {
namespace {

TEST(SecretText, HoldsTheCharactersOfItsEscapes)
{
	EXPECT_EQ(unescapedSecret("hvs.abc")->size(), 7U);
	EXPECT_EQ(*unescapedSecret(R"(a\/b\"c\\d)"), "a/b\"c\\d");
	EXPECT_EQ(*unescapedSecret(R"(\b\f\n\r\t)"), "\b\f\n\r\t");
	EXPECT_EQ(*unescapedSecret(R"(\u0073.\u004a\u004A)"), "s.JJ");
	EXPECT_EQ(*unescapedSecret(""), "");
}

TEST(SecretText, LivesWhereItIsWipedHoweverShortItIs)
{
	for (const auto* written : {"", "s", "s.short", "s.is_a_little_longer_than_sixteen"}) {
		const auto plain = unescapedSecret(written);
		const auto* const inside = reinterpret_cast<const char*>(&*plain);
		EXPECT_FALSE(plain->data() >= inside && plain->data() < inside + sizeof *plain) << written;
	}
}

TEST(SecretText, RefusesWhatIsNoJson)
{
	for (const auto* written : {R"(\q)", R"(\)", R"(\u)", R"(\u00)", R"(\u00g0)", R"(\u-001)", "a\nb"}) {
		EXPECT_FALSE(unescapedSecret(written).has_value()) << written;
	}
}

TEST(SecretText, RefusesWhatNoTokenIs)
{
	EXPECT_FALSE(unescapedSecret(R"(\u00e4)").has_value());
	EXPECT_FALSE(unescapedSecret(R"(\ud83d\ude00)").has_value());
}

} // namespace
} // namespace issuer::vault::config
