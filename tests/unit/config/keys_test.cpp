#include "config/keys.h"

#include <gtest/gtest.h>
#include <string>

namespace issuer::vault::config {
namespace {

TEST(ConfigKeys, MisspeltAreGuessedInTheirOwnObjectFirst)
{
	EXPECT_EQ(nearestKey("tls.ca_fil"), "tls.ca_file");
	EXPECT_EQ(nearestKey("tls.cafile"), "tls.ca_file");
	EXPECT_EQ(nearestKey("addres"), "address");
	EXPECT_EQ(nearestKey("adress"), "address");
	EXPECT_EQ(nearestKey("token.vlaue"), "token.value");
	EXPECT_EQ(nearestKey("renewal.min-interval"), "renewal.min_interval");
}

TEST(ConfigKeys, InTheWrongObjectAreGuessedInTheRightOne)
{
	EXPECT_EQ(nearestKey("ca_file"), "tls.ca_file");
	EXPECT_EQ(nearestKey("tls.proxy"), "proxy");
	EXPECT_EQ(nearestKey("renewal.startup_timeout"), "startup_timeout");
}

TEST(ConfigKeys, ThatResembleNoneAreNotGuessed)
{
	EXPECT_EQ(nearestKey("colour"), std::nullopt);
	EXPECT_EQ(nearestKey("x"), std::nullopt);
	EXPECT_EQ(nearestKey(""), std::nullopt);
	EXPECT_EQ(nearestKey(std::string(100'000, 'a')), std::nullopt);
}

} // namespace
} // namespace issuer::vault::config
