#include "config/secret_text.h"

#include <gtest/gtest.h>

namespace issuer::vault::config {
namespace {

TEST(SecretText, IsWhatItsEscapesStandFor)
{
	EXPECT_EQ(unescapedSecret("hvs.abc")->size(), 7U);
	EXPECT_EQ(*unescapedSecret(R"(a\/b\"c\\d)"), "a/b\"c\\d");
	EXPECT_EQ(*unescapedSecret(R"(\b\f\n\r\t)"), "\b\f\n\r\t");
	EXPECT_EQ(*unescapedSecret(R"(\u0073.\u004a\u004A)"), "s.JJ");
	EXPECT_EQ(*unescapedSecret(""), "");
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
