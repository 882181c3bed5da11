#include "login_secrets.h"

#include <gmock/gmock.h>
#include <string>
#include <string_view>

namespace issuer::vault {
namespace {

LoginSecrets some()
{
	LoginSecrets secrets;
	secrets.key.fill(7);
	secrets.fits = 0xfedc'ba98'7654'3210U;
	secrets.token = credential::Secret("hvs.token");
	secrets.unwrapped = credential::Secret("secret-id");
	return secrets;
}

std::string bytesOf(const LoginSecrets& secrets)
{
	return std::string(std::string_view(toBytes(secrets)));
}

TEST(LoginSecrets, ComeThroughBytesUnchanged)
{
	const auto lent = some();
	const auto taken = loginSecretsFrom(bytesOf(lent));
	ASSERT_TRUE(taken) << taken.error().text;
	EXPECT_EQ(taken->key, lent.key);
	EXPECT_EQ(taken->fits, lent.fits);
	EXPECT_EQ(taken->token.view(), "hvs.token");
	EXPECT_EQ(taken->unwrapped.view(), "secret-id");
}

TEST(LoginSecrets, MayBeTheKeyAlone)
{
	LoginSecrets lent;
	lent.key.fill(9);
	const auto taken = loginSecretsFrom(bytesOf(lent));
	ASSERT_TRUE(taken) << taken.error().text;
	EXPECT_EQ(taken->key, lent.key);
	EXPECT_TRUE(taken->token.empty());
	EXPECT_TRUE(taken->unwrapped.empty());
}

TEST(LoginSecrets, OfWhichAByteIsDamagedOrMissingAreRefused)
{
	const auto bytes = bytesOf(some());
	for (std::size_t at = 0; at < bytes.size(); ++at) {
		auto damaged = bytes;
		damaged[at] = static_cast<char>(damaged[at] ^ 1);
		EXPECT_FALSE(loginSecretsFrom(damaged)) << at;
		EXPECT_FALSE(loginSecretsFrom(bytes.substr(0, at))) << at;
	}
	EXPECT_FALSE(loginSecretsFrom(bytes + '\0'));
}

TEST(LoginSecrets, OfAnotherVersionAreRefusedByThatName)
{
	auto bytes = bytesOf(some());
	bytes[bytes.find("/1\n") + 1] = '2';
	EXPECT_THAT(loginSecretsFrom(bytes).error().text, testing::HasSubstr("version"));
}

} // namespace
} // namespace issuer::vault
